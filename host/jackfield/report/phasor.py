"""The page about a phasor network: its ladder, one input's spikes, phases in time against those without."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from jackfield.report.figures import BLUE, GREY, LINES, ORANGE, RED, ladder_figure
from jackfield.report.page import document, facts_table, plot_style, section

__all__ = ["PhasorContent", "Raster", "Scatter", "Sensitivity", "render_phasors", "sensitivity_picture"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Raster:
    """Spikes of one input: of each layer its name and times [neuron, slot] in periods, NaN where there is none.

    `frames` gives the delay of each layer's frames, in periods; `answer` is the output whose row is marked.
    """

    layers: tuple[tuple[str, Floats], ...]
    frames: tuple[float, ...]
    periods: float
    answer: int


@dataclass(frozen=True)
class Scatter:
    """Output phases of one way to run the network against those without time, in units of pi; any shape."""

    name: str
    wanted: Floats
    found: Floats


@dataclass(frozen=True)
class PhasorContent:
    """What the page shows. `detuning` (relative) and `quality_ratio` of resonators as ring-downs found them."""

    title: str
    facts: Mapping[str, str]
    rungs: tuple[tuple[str, float, tuple[float, float], int], ...]
    raster: Raster
    scatters: tuple[Scatter, ...]
    detuning: Floats
    quality_ratio: Floats


def render_phasors(content: PhasorContent) -> str:
    """The page as HTML text; the same content gives the same text."""
    with plot_style():
        parts = [f"<h1>{escape(content.title)}</h1>", facts_table(content.facts)]
        parts += section(
            "The ladder",
            "The same held-out inputs: trained without time, run in time by spikes, then on the board of resonators by "
            "continuous waves: as it came, with each neuron's answer calibrated, with the gain of each cell besides. "
            "The last rung is the calibrated board by spikes, its resonators tuned.",
            ladder_figure(content.rungs),
        )
        parts += section(
            "Spikes of one input",
            "Resonate-and-fire neurons, integrated exactly from rest. A spike's place within its frame is its phase; "
            "each layer's frames begin a quarter period after those of the one before. The answer (red) is the "
            "output nearest to phase 1/2, three quarters of its frame.",
            raster_figure(content.raster),
        )
        parts += section(
            "Phases in time against phases without",
            "Each dot is one output for one input. Phases are circular: -1 and 1 are the same.",
            scatter_figure(content.scatters),
        )
        parts += section(
            "The resonators",
            "Frequency and Q of each resonator from its ring-down: what calibration takes away again.",
            resonator_figure(content.detuning, content.quality_ratio),
        )
    return document(content.title, "\n".join(parts))


def raster_figure(raster: Raster) -> Figure:
    """One row a neuron, layers under each other, frames of each layer as thin lines."""
    figure = Figure(figsize=(8.4, 5.6), layout="constrained")
    heights = [max(len(times), 14) for _, times in raster.layers]
    panels = np.atleast_1d(figure.subplots(len(raster.layers), 1, sharex=True, height_ratios=heights))
    for number, (axes, (name, times)) in enumerate(zip(panels, raster.layers, strict=True)):
        rows, slots = np.nonzero(np.isfinite(times))
        marked = (rows == raster.answer) & (number == len(raster.layers) - 1)
        size = 420 / max(len(times), 14)
        for chosen, colour in ((~marked, LINES[number % len(LINES)]), (marked, RED)):
            axes.scatter(times[rows[chosen], slots[chosen]], rows[chosen], s=size, marker="|", lw=1.2, color=colour)
        for frame in np.arange(raster.frames[number], raster.periods + 1e-9, 1.0):
            axes.axvline(frame, color=GREY, lw=0.7, zorder=0)
        axes.set_ylim(len(times) - 0.5, -0.5)
        axes.set_ylabel(name)
        axes.spines[["top", "right"]].set_visible(False)
    panels[-1].set_xlim(0, raster.periods)
    panels[-1].set_xlabel("time (periods); grey lines: where the layer's frames begin")
    return figure


def scatter_figure(scatters: Sequence[Scatter]) -> Figure:
    """A panel each, three side by side, with the rms distance round the circle in its title."""
    columns = min(3, len(scatters))
    rows = -(-len(scatters) // columns)
    figure = Figure(figsize=(3.1 * columns, 3.5 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False)
    for spare in panels.ravel()[len(scatters) :]:
        spare.remove()
    for axes, scatter in zip(panels.ravel(), scatters, strict=False):
        away = (scatter.found - scatter.wanted + 1) % 2 - 1
        shown = scatter.wanted + away  # next to the line, wherever the circle is cut
        axes.plot([-1, 1], [-1, 1], color="k", lw=0.8)
        axes.plot(scatter.wanted.ravel(), shown.ravel(), ".", ms=2, alpha=0.3, color=BLUE, rasterized=True)
        axes.set_title(f"{scatter.name}\nrms {np.sqrt(np.nanmean(away**2)):.3f} pi", fontsize=10)
        axes.set_xlim(-1, 1)
        axes.set_ylim(-2, 2)
        axes.set_xlabel("without time (pi)")
        axes.grid(alpha=0.25)
    for axes in panels[:, 0]:
        axes.set_ylabel("run in time (pi)")
    return figure


def resonator_figure(detuning: Floats, quality_ratio: Floats) -> Figure:
    """A dot a resonator."""
    figure = Figure(figsize=(8.4, 2.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    number = np.arange(1, len(detuning) + 1)
    left.plot(number, 100 * detuning, ".", color=BLUE)
    left.set_ylabel("frequency error (%)")
    right.plot(number, 100 * (quality_ratio - 1), ".", color=ORANGE)
    right.set_ylabel("Q error (%)")
    for axes in (left, right):
        axes.axhline(0, color="k", lw=0.8)
        axes.set_xlabel("resonator")
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
    return figure


@dataclass(frozen=True)
class Sensitivity:
    """Rows of axis, line, value on the axis, share answered rightly; `ideal` is the share without time or errors."""

    rows: tuple[tuple[str, str, float, float], ...]
    ideal: float


def sensitivity_picture(found: Sensitivity) -> bytes:
    """A panel an axis as a PNG file; the same shares give the same bytes."""
    axes_names = tuple(dict.fromkeys(row[0] for row in found.rows))
    out = io.BytesIO()
    with plot_style():
        figure = Figure(figsize=(9.2, 3.2 * ((len(axes_names) + 1) // 2)), layout="constrained")
        for axes, name in zip(figure.subplots((len(axes_names) + 1) // 2, 2).ravel(), axes_names, strict=False):
            _lines(axes, name, found)
        figure.savefig(out, format="png", dpi=130, metadata={"Software": None})
    return out.getvalue()


def _lines(axes: Axes, name: str, found: Sensitivity) -> None:
    here = [row for row in found.rows if row[0] == name]
    lines = tuple(dict.fromkeys(row[1] for row in here))
    for number, line in enumerate(lines):
        points = [(value, 100 * share) for _, which, value, share in here if which == line]
        label = line if len(lines) > 1 else None
        axes.plot(*zip(*points, strict=True), "o-", ms=4, color=LINES[number % len(LINES)], label=label)
    axes.axhline(100 * found.ideal, color="k", lw=0.8, ls="--", label="without time")
    if name == "Q":
        axes.set_xscale("log")
    values = sorted({value for _, _, value, _ in here})
    axes.set_xticks(values, [f"{value:g}" for value in values])
    axes.minorticks_off()
    axes.set_xlabel(name)
    axes.set_ylabel("answered rightly (%)")
    axes.grid(alpha=0.25)
    axes.legend(frameon=False, fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
