"""Points in the plane, in machine units."""

import numpy as np

from jackfield.data.split import Split
from jackfield.errors import DesignError

__all__ = ["two_moons"]

_CENTRE = np.array([0.5, 0.25])
_SPREAD = 1.5  # brings both half circles inside [-1, 1]


def two_moons(count: int = 1_000, *, noise: float = 0.1, seed: int = 0) -> Split:
    """Two interleaved half circles of radius 1/1.5 about the origin, one class each; every second point held out.

    `noise` is the standard deviation of each coordinate, relative to the radius.
    """
    if count < 4:
        raise DesignError(f"{count} points are asked; give 4 or more, so that each class is on each side")
    generator = np.random.default_rng(seed)
    labels = np.arange(count, dtype=np.int64) // 2 % 2
    angle = generator.uniform(0.0, np.pi, count)
    upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    points = np.where(labels[:, None] == 0, upper, np.array([1.0, 0.5]) - upper)
    x = ((points + noise * generator.standard_normal((count, 2)) - _CENTRE) / _SPREAD).astype(np.float32)
    name = f"two moons, {count} points, noise {noise:g}, seed {seed}"
    return Split(name, x[::2], labels[::2], x[1::2], labels[1::2])
