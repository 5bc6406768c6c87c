import gzip
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from jackfield.data import find_mnist, mnist_split, read_idx
from jackfield.errors import DesignError


def idx(array: NDArray[np.uint8]) -> bytes:
    """The IDX bytes of an array, from the format's description."""
    head = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    return head + array.tobytes()


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    images = np.arange(10 * 2 * 3, dtype=np.uint8).reshape(10, 2, 3)
    labels = np.arange(10, dtype=np.uint8)
    (tmp_path / "images.gz").write_bytes(gzip.compress(idx(images), mtime=0))
    (tmp_path / "labels").write_bytes(idx(labels))
    return tmp_path / "images.gz", tmp_path / "labels"


def test_plain_and_gzipped_files_are_read(files: tuple[Path, Path]) -> None:
    assert read_idx(files[0])[1, 0].tolist() == [6, 7, 8]
    assert read_idx(files[1]).tolist() == list(range(10))


def test_split_is_seeded_and_keeps_images_with_their_labels(files: tuple[Path, Path]) -> None:
    split = mnist_split(*files, held_out=4, seed=3)
    assert (split.x_train.shape, split.x_test.shape) == ((6, 6), (4, 6))
    assert sorted([*split.y_train.tolist(), *split.y_test.tolist()]) == list(range(10))
    first_pixels = np.rint(split.x_train[:, 0] * 255).astype(int)
    assert first_pixels.tolist() == (split.y_train * 6).tolist()
    assert np.array_equal(split.y_test, mnist_split(*files, held_out=4, seed=3).y_test)
    assert not np.array_equal(split.y_test, mnist_split(*files, held_out=4, seed=4).y_test)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not an IDX file"),
        (b"\x89PNG rubbish", "not an IDX file"),
        (b"\0\0\x0d\x01\0\0\0\x01abcd", "not an IDX file of unsigned bytes"),
        (idx(np.zeros((4, 2), np.uint8))[:-1], "cut short"),
        (b"\0\0\x08\x03\0\0", "cut short"),
        (b"\x1f\x8b rubbish", "cannot be read"),
        (gzip.compress(idx(np.zeros(40, np.uint8)), mtime=0)[:-9], "cannot be read"),
    ],
)
def test_wrong_files_are_refused_by_name(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "wrong").write_bytes(content)
    with pytest.raises(DesignError, match=f"wrong.*{said}"):
        read_idx(tmp_path / "wrong")


def test_missing_file_swapped_files_and_empty_parts_are_refused(files: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(DesignError, match=r"nowhere cannot be read"):
        read_idx(tmp_path / "nowhere")
    with pytest.raises(DesignError, match="give the images"):
        mnist_split(files[1], files[0])
    with pytest.raises(DesignError, match="10 of 10 images"):
        mnist_split(*files, held_out=10)


def test_the_two_files_are_found_plain_or_gzipped(tmp_path: Path) -> None:
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(b"")
    with pytest.raises(DesignError, match="no train-labels-idx1-ubyte or"):
        find_mnist(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(b"")
    assert [file.name for file in find_mnist(tmp_path)] == ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte"]
    with pytest.raises(DesignError, match="nowhere holds no train-images"):
        find_mnist(tmp_path / "nowhere")


def test_a_split_is_named_alike_plain_or_gzipped(files: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "images").write_bytes(gzip.decompress(files[0].read_bytes()))
    assert mnist_split(*files, held_out=4).name == mnist_split(tmp_path / "images", files[1], held_out=4).name
