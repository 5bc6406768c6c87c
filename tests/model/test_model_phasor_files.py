"""From the standard files of FashionMNIST and CIFAR-10, written here in miniature, to a trained phasor network."""

import gzip
from pathlib import Path

import numpy as np

from jackfield.data import Split, cifar10_split, find_cifar10, find_mnist, mnist_split
from jackfield.model import PhasorNet, PhasorRecipe, train_phasor

IMAGES, HELD_OUT = 120, 40


def learnt(network: PhasorNet, split: Split, grid: tuple[int, int] | None, shift_px: int) -> float:
    recipe = PhasorRecipe(epochs=20, batch=16, rate=1e-2, loss="cross_entropy", shift_px=shift_px)
    return train_phasor(network, split, recipe, grid=grid)[-1].validation.share


def test_fashion_mnists_files_train_a_network(tmp_path: Path) -> None:
    labels = np.arange(IMAGES) % 10
    images = np.random.default_rng(0).integers(0, 60, (IMAGES, 28, 28), dtype=np.uint8)
    for picture, label in zip(images, labels, strict=True):  # a bright patch whose place is the class
        picture[4 + 10 * (label // 5) :, 1 + 5 * (label % 5) :][:8, :4] = 255
    head = bytes([0, 0, 8])
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(
        gzip.compress(head + bytes([3]) + np.array(images.shape, ">u4").tobytes() + images.tobytes(), mtime=0)
    )
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(
        gzip.compress(head + bytes([1]) + np.array(IMAGES, ">u4").tobytes() + labels.astype("u1").tobytes(), mtime=0)
    )
    split = mnist_split(*find_mnist(tmp_path), held_out=HELD_OUT)
    assert (split.x_train.shape, split.classes) == ((IMAGES - HELD_OUT, 784), 10)
    assert learnt(PhasorNet((40, 10), inputs=784), split, (28, 28), 1) > 0.8


def test_cifar10s_batches_train_a_network(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for batch in range(1, 6):
        labels = np.arange(IMAGES // 5) % 10
        planes = random.integers(0, 60, (len(labels), 3, 32, 32), dtype=np.uint8)
        for picture, label in zip(planes, labels, strict=True):  # a bright patch whose colour and place are the class
            picture[label % 3, 6 * (label // 3) :][:6, 4:28] = 255
        rows = np.concatenate([labels.astype("u1")[:, None], planes.reshape(len(labels), -1)], axis=1)
        (tmp_path / f"data_batch_{batch}.bin").write_bytes(rows.tobytes())
    split = cifar10_split(find_cifar10(tmp_path), held_out=HELD_OUT)
    assert (split.x_train.shape, split.classes) == ((IMAGES - HELD_OUT, 3072), 10)
    assert learnt(PhasorNet((40, 10), inputs=3072), split, None, 0) > 0.8
