"""MNIST in the IDX format (LeCun, Cortes, Burges; http://yann.lecun.com/exdb/mnist), plain or gzipped.

FashionMNIST (Xiao, Rasul, Vollgraf, arXiv 1708.07747) has the same file names and format.
"""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jackfield.data.split import Split
from jackfield.errors import DesignError

__all__ = ["find_mnist", "mnist_split", "read_idx"]

_BYTES = 0x08  # the format's type code of unsigned bytes, the only one that image sets use
_GZIP = b"\x1f\x8b"
_IMAGES, _LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


def read_idx(path: Path) -> NDArray[np.uint8]:
    """The array of unsigned bytes in an IDX file; its gzip wrapping is recognised by content.

    Raises DesignError where the file is missing, damaged, of another format or of another length than it says.
    """
    try:
        data = path.read_bytes()
        if data.startswith(_GZIP):
            data = gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise DesignError(f"{path} cannot be read: {error}; give an IDX file, plain or .gz") from error
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] != _BYTES:
        raise DesignError(f"{path} is not an IDX file of unsigned bytes; give such as train-images-idx3-ubyte.gz")
    start = 4 + 4 * data[3]
    shape = struct.unpack_from(f">{data[3]}I", data, 4) if len(data) >= start else None
    if shape is None or len(data) != start + math.prod(shape):
        raise DesignError(f"{path} holds {len(data)} bytes, not what its header says; it is cut short or damaged")
    return np.frombuffer(data, dtype=np.uint8, offset=start).reshape(shape)


def find_mnist(folder: Path) -> tuple[Path, Path]:
    """The files of the training images and of their labels in `folder`, plain or .gz.

    Raises DesignError where one is missing.
    """
    found = []
    for name in (_IMAGES, _LABELS):
        files = [folder / (name + ending) for ending in ("", ".gz") if (folder / (name + ending)).is_file()]
        if not files:
            raise DesignError(
                f"{folder} holds no {name} or {name}.gz; name the folder with the two training files in the IDX format"
            )
        found.append(files[0])
    return found[0], found[1]


def mnist_split(images: Path, labels: Path, *, held_out: int = 10_000, seed: int = 0) -> Split:
    """One pair of IDX files, the last `held_out` of a seeded permutation kept as the test part.

    Pixels in [0, 1], row by row. Raises DesignError on wrong files, or where nothing would be left to train on.
    """
    pixels, classes = read_idx(images), read_idx(labels)
    if pixels.ndim != 3 or classes.ndim != 1 or len(pixels) != len(classes):
        raise DesignError(
            f"{images} holds {pixels.shape} and {labels} holds {classes.shape}; "
            "give the images [n, rows, columns] first, then their labels [n]"
        )
    if not 0 < held_out < len(pixels):
        raise DesignError(f"{held_out} of {len(pixels)} images are to be held out; keep some for training and some out")
    x = (pixels.reshape(len(pixels), -1) / np.float32(255)).astype(np.float32)
    order = np.random.default_rng(seed).permutation(len(pixels))
    kept, out = order[:-held_out], order[-held_out:]
    y = classes.astype(np.int64)
    name = f"{images.name.removesuffix('.gz')}, {held_out} held out, seed {seed}"
    return Split(name, x[kept], y[kept], x[out], y[out])
