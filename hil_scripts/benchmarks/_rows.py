"""Rows of a benchmark, and how times are taken."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypedDict

__all__ = ["Parts", "Row", "best_of", "figure_row", "speed_row"]


class Row(TypedDict):
    """One comparison. `ratio` above 1 is in our favour; None where the peer is missing, and then it does not hold."""

    name: str
    workload: str
    against: str
    ours: float
    theirs: float | None
    unit: str
    ratio: float | None
    error: float | None
    asked: str
    holds: bool


Parts = Mapping[str, Callable[[], Iterable[Row]]]
"""Parts of a subject by name, in order; each measures its rows when it is called."""


def best_of(repeats: int, job: Callable[[], Any]) -> tuple[float, Any]:
    """The shortest wall time of `job` in seconds, after one run that is not counted, and its last result."""
    result, times = job(), []
    for _ in range(repeats):
        begin = time.perf_counter()
        result = job()
        times.append(time.perf_counter() - begin)
    return min(times), result


def figure_row(
    name: str, workload: str, against: str, figure: tuple[float, str], asked: str, holds: bool = True
) -> Row:
    """A `figure` of ours and its unit, with nobody's beside it."""
    ours, unit = figure
    return {
        "name": name,
        "workload": workload,
        "against": against,
        "ours": ours,
        "theirs": None,
        "unit": unit,
        "ratio": None,
        "error": None,
        "asked": asked,
        "holds": holds,
    }


def speed_row(
    name: str,
    workload: str,
    against: str,
    seconds: tuple[float, float],
    error: float,
    bars: tuple[float, float],
) -> Row:
    """Our and their `seconds`; it holds where the ratio is at least bars[0] and the error at most bars[1]."""
    ours, theirs = seconds
    ratio = theirs / ours
    return {
        "name": name,
        "workload": workload,
        "against": against,
        "ours": ours,
        "theirs": theirs,
        "unit": "s",
        "ratio": ratio,
        "error": error,
        "asked": f"ratio >= {bars[0]:g}, error <= {bars[1]:g}",
        "holds": ratio >= bars[0] and error <= bars[1],
    }
