"""The picture of a sweep: lines over one axis, maps over two, readings in their order over more."""

import io
from dataclasses import dataclass

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from jackfield.report.figures import LINES

__all__ = ["Sweep", "sweep_figure", "sweep_picture"]

Floats = NDArray[np.float64]

MOST_MAPS = 6


@dataclass(frozen=True)
class Sweep:
    """`axes` and `columns` with name and unit; `points[reading, axis]`, `values[reading, column]`, SI."""

    axes: tuple[tuple[str, str], ...]
    columns: tuple[tuple[str, str], ...]
    points: Floats
    values: Floats


def sweep_picture(sweep: Sweep) -> bytes:
    """The figure as a PNG file; the same sweep gives the same bytes."""
    out = io.BytesIO()
    with rc_context({"font.size": 10}):
        sweep_figure(sweep).savefig(out, format="png", dpi=130, metadata={"Software": None})
    return out.getvalue()


def sweep_figure(sweep: Sweep) -> Figure:
    """One panel a unit (lines) or a quantity (maps); repeated readings of a point by mean and spread."""
    if len(sweep.axes) == 2:
        return _maps(sweep)
    units = list(dict.fromkeys(unit for _, unit in sweep.columns))
    figure = Figure(figsize=(7.2, 0.6 + 3.0 * len(units)), layout="constrained")
    panels = np.atleast_1d(figure.subplots(len(units), 1, sharex=True))
    for panel, unit in zip(panels, units, strict=True):
        for number, (name, of) in enumerate(sweep.columns):
            if of == unit:
                _line(panel, sweep, number, name)
        panel.set_ylabel(_said("", unit))
        panel.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
        panel.spines[["top", "right"]].set_visible(False)
        panel.grid(alpha=0.25)
    panels[-1].set_xlabel(_said(*sweep.axes[0]) if len(sweep.axes) == 1 else "reading")
    return figure


def _line(panel: Axes, sweep: Sweep, number: int, name: str) -> None:
    colour, values = LINES[number % len(LINES)], sweep.values[:, number]
    if len(sweep.axes) != 1:
        panel.plot(np.arange(1, len(values) + 1), values, ".-", ms=3, lw=0.8, color=colour, label=name)
        return
    at, which = np.unique(sweep.points[:, 0], return_inverse=True)
    count = np.bincount(which)
    mean = np.bincount(which, values) / count
    spread = np.sqrt(np.bincount(which, (values - mean[which]) ** 2) / np.maximum(count - 1, 1))
    error = spread if count.max() > 1 else None
    panel.errorbar(at, mean, yerr=error, fmt=".-", ms=5, lw=1.2, capsize=2, color=colour, label=name)


def _maps(sweep: Sweep) -> Figure:
    shown = sweep.columns[:MOST_MAPS]
    figure = Figure(figsize=(4.6 * min(len(shown), 2), 3.6 * -(-len(shown) // 2)), layout="constrained")
    panels = np.atleast_1d(figure.subplots(-(-len(shown) // 2), min(len(shown), 2))).ravel()
    (rows, row), (columns, column) = (np.unique(sweep.points[:, i], return_inverse=True) for i in (0, 1))
    for panel, number in zip(panels, range(len(shown)), strict=False):
        sums, count = (np.zeros((len(rows), len(columns))) for _ in range(2))
        np.add.at(sums, (row, column), sweep.values[:, number])
        np.add.at(count, (row, column), 1.0)
        mesh = panel.pcolormesh(columns, rows, sums / np.maximum(count, 1), cmap="cividis", shading="nearest")
        figure.colorbar(mesh, ax=panel, label=_said(*shown[number]))
        panel.set_xlabel(_said(*sweep.axes[1]))
        panel.set_ylabel(_said(*sweep.axes[0]))
    for panel in panels[len(shown) :]:
        panel.set_axis_off()
    return figure


def _said(name: str, unit: str) -> str:
    return f"{name} ({unit or '1'})".strip()
