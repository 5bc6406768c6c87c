"""CIFAR-10 in its binary version (Krizhevsky, "Learning multiple layers of features from tiny images", 2009).

Files data_batch_1.bin to data_batch_5.bin; each record is a label byte, then 1,024 bytes of red, green and blue each,
row by row (https://www.cs.toronto.edu/~kriz/cifar.html). The version made of pickles is not read.
"""

from pathlib import Path

import numpy as np

from jackfield.data.split import Split
from jackfield.errors import DesignError

__all__ = ["cifar10_split", "find_cifar10"]

_RECORD, _CLASSES = 1 + 3 * 32 * 32, 10


def find_cifar10(folder: Path) -> tuple[Path, ...]:
    """The training batches in `folder`, in order; DesignError where there is none."""
    found = tuple(sorted(folder.glob("data_batch_*.bin")))
    if not found:
        raise DesignError(f"{folder} holds no data_batch_1.bin; give the folder of CIFAR-10's binary version")
    return found


def cifar10_split(batches: tuple[Path, ...], *, held_out: int = 10_000, seed: int = 0) -> Split:
    """The batches as one set, the last `held_out` of a seeded permutation kept as the test part.

    Inputs in [0, 1], channel by channel, row by row: a grid of (3, 32, 32). Raises DesignError on files of another
    kind, or where nothing would be left to train on.
    """
    parts = []
    for batch in batches:
        try:
            data = np.fromfile(batch, dtype=np.uint8)
        except OSError as error:
            raise DesignError(f"{batch} cannot be read: {error}; give CIFAR-10's data_batch_1.bin and so on") from error
        if not len(data) or len(data) % _RECORD or data[::_RECORD].max() >= _CLASSES:
            raise DesignError(
                f"{batch} is no batch of CIFAR-10's binary version: records of {_RECORD} bytes that begin with a label"
            )
        parts.append(data.reshape(-1, _RECORD))
    records = np.concatenate(parts)
    if not 0 < held_out < len(records):
        raise DesignError(
            f"{held_out} of {len(records)} images are to be held out; keep some for training and some out"
        )
    order = np.random.default_rng(seed).permutation(len(records))
    x, y = (records[:, 1:] / np.float32(255)).astype(np.float32), records[:, 0].astype(np.int64)
    kept, out = order[:-held_out], order[-held_out:]
    return Split(f"CIFAR-10, {held_out} held out, seed {seed}", x[kept], y[kept], x[out], y[out])
