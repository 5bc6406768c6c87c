"""CIFAR-10's binary batches, written from the format's description."""

from pathlib import Path

import numpy as np
import pytest

from jackfield.data import cifar10_split, find_cifar10
from jackfield.errors import DesignError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two batches of three images; image n has label n, red n, green 100 + n, blue 200 + n, its first pixel 7."""
    for batch in (1, 2):
        data = b""
        for number in range(3 * (batch - 1), 3 * batch):
            planes = [bytes([100 * colour + number]) * 1024 for colour in range(3)]
            data += bytes([number]) + b"\x07" + planes[0][1:] + planes[1] + planes[2]
        (tmp_path / f"data_batch_{batch}.bin").write_bytes(data)
    return tmp_path


def test_batches_become_one_seeded_set_of_planes(folder: Path) -> None:
    split = cifar10_split(find_cifar10(folder), held_out=2, seed=1)
    assert (split.x_train.shape, split.x_test.shape) == ((4, 3072), (2, 3072))
    assert sorted([*split.y_train.tolist(), *split.y_test.tolist()]) == list(range(6))
    planes = np.rint(split.x_train * 255).astype(int).reshape(-1, 3, 32, 32)
    assert (planes[:, 0, 0, 0] == 7).all()
    assert (planes[:, 0, 5, 9] == split.y_train).all()
    assert (planes[:, 2, 31, 31] == 200 + split.y_train).all()
    again = cifar10_split(find_cifar10(folder), held_out=2, seed=1)
    assert np.array_equal(split.y_test, again.y_test)


def test_other_files_are_refused(folder: Path, tmp_path: Path) -> None:
    batches = find_cifar10(folder)
    with pytest.raises(DesignError, match="keep some for training"):
        cifar10_split(batches, held_out=6)
    batches[0].write_bytes(batches[0].read_bytes()[:-1])
    with pytest.raises(DesignError, match="no batch of CIFAR-10"):
        cifar10_split(batches, held_out=1)
    with pytest.raises(DesignError, match="holds no data_batch"):
        find_cifar10(tmp_path / "elsewhere")
