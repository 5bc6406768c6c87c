"""Six densities in the plane, at the scale and noise of KirchhoffNet's published density models (arXiv 2310.15872).

A set is drawn anew from its density for each seed, so held-out points are those of another seed.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from jackfield.errors import DesignError

__all__ = ["DENSITIES", "density_points"]

Points = NDArray[np.float64]
_ARMS = 5


def density_points(name: str, count: int, seed: int) -> NDArray[np.float32]:
    """`count` points [point, 2] of the density `name`, one of DENSITIES; DesignError on another name or no points."""
    if name not in DENSITIES or count < 1:
        raise DesignError(f"{count} points of {name!r} are asked; give 1 or more of one of {', '.join(DENSITIES)}")
    return DENSITIES[name](np.random.default_rng(seed), count).astype(np.float32)


def _two_moons(draw: np.random.Generator, count: int) -> Points:
    """Two interleaved half circles of radius 1, noise 0.1."""
    angle, lower = draw.uniform(0.0, np.pi, count), draw.integers(0, 2, count)
    arc = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    on_arc = np.where(lower[:, None] == 0, arc, np.array([1.0, 0.5]) - arc)
    return np.asarray(on_arc + 0.1 * draw.standard_normal((count, 2)), dtype=np.float64)


def _eight_gaussians(draw: np.random.Generator, count: int) -> Points:
    """Eight spots of width 0.5 on a circle of radius 4, all over the square root of 2."""
    angle = draw.integers(0, 8, count) * np.pi / 4
    centre = 4.0 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return np.asarray((centre + 0.5 * draw.standard_normal((count, 2))) / np.sqrt(2), dtype=np.float64)


def _two_spirals(draw: np.random.Generator, count: int) -> Points:
    """Two arms of one and a half turns, radius 0 to pi, noise 0.1."""
    turn = 3 * np.pi * np.sqrt(draw.uniform(size=count))
    arm = np.stack([-np.cos(turn), np.sin(turn)], axis=1) * turn[:, None] + 0.5 * draw.uniform(size=(count, 2))
    side = 2 * draw.integers(0, 2, count) - 1
    return side[:, None] * arm / 3 + 0.1 * draw.standard_normal((count, 2))


def _pinwheel(draw: np.random.Generator, count: int) -> Points:
    """Five bent blades."""
    along = 1.0 + 0.3 * draw.standard_normal(count)
    across = 0.1 * draw.standard_normal(count)
    angle = 2 * np.pi * draw.integers(0, _ARMS, count) / _ARMS + 0.25 * np.exp(along)
    cosine, sine = np.cos(angle), np.sin(angle)
    return 2 * np.stack([along * cosine + across * sine, across * cosine - along * sine], axis=1)


def _swiss_roll(draw: np.random.Generator, count: int) -> Points:
    """One arm from radius 1.5 pi to 4.5 pi, noise 1, all over 5."""
    turn = 1.5 * np.pi * (1 + 2 * draw.uniform(size=count))
    arm = np.stack([np.cos(turn), np.sin(turn)], axis=1) * turn[:, None]
    return np.asarray((arm + draw.standard_normal((count, 2))) / 5, dtype=np.float64)


def _ring(draw: np.random.Generator, count: int) -> Points:
    """A ring of radius 1 about one of radius 0.5, noise 0.06."""
    angle, radius = draw.uniform(0.0, 2 * np.pi, count), 1.0 - 0.5 * draw.integers(0, 2, count)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1) * radius[:, None]
    return np.asarray(circle + 0.06 * draw.standard_normal((count, 2)), dtype=np.float64)


DENSITIES: Mapping[str, Callable[[np.random.Generator, int], Points]] = MappingProxyType(
    {
        "two_moons": _two_moons,
        "eight_gaussians": _eight_gaussians,
        "two_spirals": _two_spirals,
        "pinwheel": _pinwheel,
        "swiss_roll": _swiss_roll,
        "ring": _ring,
    }
)
"""Each set's name and how its points are drawn."""
