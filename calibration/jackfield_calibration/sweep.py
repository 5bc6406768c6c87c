"""Sweeps: something read at every point of a grid, each reading on disk before it is used.

What is set and read is up to the `Target`: a bench (`BoardTarget`) or anything that a laboratory has a program for.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from jackfield.errors import CalibrationError, DesignError
from jackfield_calibration.routine import Journal

__all__ = ["Axis", "SweepResult", "Target", "sweep"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Axis:
    """One quantity of a grid, its unit ("" for a plain number) and the values it takes, in SI."""

    name: str
    unit: str
    values: tuple[float, ...]


class Target(Protocol):
    """What a sweep sets and reads."""

    @property
    def columns(self) -> Sequence[tuple[str, str]]:
        """Names and units of what `read` returns, in its order."""

    def set(self, point: Mapping[str, float]) -> None:
        """Bring each quantity of the point to its value, SI."""

    def read(self, number: int) -> Sequence[float]:
        """Read once; `number` counts the readings of the sweep, so that an emulated board can repeat its noise."""


@dataclass(frozen=True)
class SweepResult:
    """`points[reading, axis]` and `values[reading, column]`, SI, in the order of the grid, last axis fastest."""

    axes: tuple[Axis, ...]
    columns: tuple[tuple[str, str], ...]
    points: Floats
    values: Floats

    @property
    def header(self) -> list[str]:
        """Names of all columns with their units."""
        pairs = [(axis.name, axis.unit) for axis in self.axes] + list(self.columns)
        return [f"{name} ({unit})" if unit else name for name, unit in pairs]

    def to_csv(self) -> str:
        """One line a reading, floats as repr."""
        rows = np.concatenate([self.points, self.values], axis=1).tolist()
        return "\n".join([",".join(self.header), *(",".join(map(repr, row)) for row in rows)]) + "\n"


def sweep(
    run: Journal,
    axes: Sequence[Axis],
    target: Target,
    *,
    repeat: int = 1,
    advance: Callable[[int, int], None] = lambda done, total: None,
) -> SweepResult:
    """Read `target` at every point of the grid of `axes`, `repeat` times each; readings that `run` has are not taken.

    `advance` hears of each. Raises DesignError for an empty grid, CalibrationError where `run` holds another sweep;
    errors of the target pass through, and the run can be resumed.
    """
    if repeat < 1 or not all(axis.values for axis in axes):
        raise DesignError("the grid is empty; give each axis values, and a repeat of 1 or more")
    grid = [point for point in itertools.product(*(axis.values for axis in axes)) for _ in range(repeat)]
    columns = tuple(target.columns)
    values = np.zeros((len(grid), len(columns)))
    for number, point in enumerate(grid):
        values[number] = _reading(run, number, dict(zip((axis.name for axis in axes), point, strict=True)), target)
        advance(number + 1, len(grid))
    points = np.array(grid, dtype=np.float64).reshape(len(grid), len(axes))
    return SweepResult(tuple(axes), columns, points, values)


def _reading(run: Journal, number: int, point: Mapping[str, float], target: Target) -> Floats:
    key, asked = f"sweep/{number}", np.array(list(point.values()), dtype=np.float64)
    arrays = run.reading(key)
    if arrays is None:
        target.set(point)
        arrays = {"point": asked, "values": np.array(target.read(number), dtype=np.float64)}
        run.store(key, arrays)
    if not np.array_equal(arrays["point"], asked) or len(arrays["values"]) != len(target.columns):
        raise CalibrationError(
            f"reading {key} of this run belongs to another sweep; resume with its plan, or begin anew"
        )
    return np.asarray(arrays["values"])
