"""The pictures, each a matplotlib figure with axes, units and a colour-blind-safe palette."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from jackfield.report.content import CellMap, Outputs, Spread, Trace

__all__ = ["confusion_figure", "ladder_figure", "map_figure", "outputs_figure", "spread_figure", "trace_figure"]

BLUE, ORANGE, GREEN, RED, GREY = "#0072b2", "#e69f00", "#009e73", "#d55e00", "#c8ccd0"
BAD = (RED, ORANGE, "#cc79a7", "#5b2a86", "#7a5c00", "#222222")
LINES = (BLUE, ORANGE, GREEN, "#cc79a7", "#56b4e9", RED)

RUNG_NAMES = {
    "float": "float model",
    "in_time": "by spikes in time",
    "quantised": "rounded to codes",
    "variation_aware": "variation-aware",
    "board_raw": "board, raw",
    "board_per_neuron": "board, neurons calibrated",
    "twin": "twin (predicted)",
    "board_calibrated": "board, calibrated",
    "board_by_spikes": "board, by spikes",
    "board_tuned": "board, tuned",
}


def _figure(width: float, height: float) -> Figure:
    return Figure(figsize=(width, height), layout="constrained")


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)


def ladder_figure(rungs: tuple[tuple[str, float, tuple[float, float], int], ...]) -> Figure:
    """Accuracy of each rung with its 95 % interval, in percent."""
    figure = _figure(6.6, 0.55 * len(rungs) + 0.9)
    axes = figure.subplots()
    rows = np.arange(len(rungs))[::-1]
    for row, (name, accuracy, (low, high), _) in zip(rows, rungs, strict=True):
        colour = BLUE if name.startswith("board") else GREY if name == "twin" else GREEN
        axes.plot([100 * low, 100 * high], [row, row], color=colour, lw=5, alpha=0.45, solid_capstyle="butt")
        axes.plot(100 * accuracy, row, "o", color=colour, ms=7)
        axes.annotate(f"{100 * accuracy:.1f}", (100 * accuracy, row), (0, 8), textcoords="offset points", ha="center")
    axes.set_yticks(rows, [RUNG_NAMES[name] for name, *_ in rungs])
    axes.set_ylim(-0.6, len(rungs) - 0.2)
    axes.set_xlabel("held-out inputs answered rightly (%), bar: Wilson 95 % interval")
    _plain(axes)
    return figure


def trace_figure(traces: tuple[Trace, ...]) -> Figure:
    """Requested (lines) and measured (dots) node voltages over one run."""
    figure = _figure(8.4, 3.6)
    axes = figure.subplots()
    for number, trace in enumerate(traces):
        colour = LINES[number % len(LINES)]
        axes.plot(1e6 * trace.measured_t_s, trace.measured_V, ".", ms=2, alpha=0.35, color=colour, zorder=2)
        (line,) = axes.plot(1e6 * trace.requested_t_s, trace.requested_V, lw=1.6, color=colour, zorder=3)
        line.set_path_effects([withStroke(linewidth=3.4, foreground="white")])  # keeps it apart from its own dots
        line.set_label(f"node {trace.node}")
    styles = [
        Line2D([], [], color="k", label="requested"),
        Line2D([], [], color="k", marker=".", ls="", label="measured"),
    ]
    nodes = axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    axes.add_artist(nodes)
    axes.legend(handles=styles, loc="lower left", bbox_to_anchor=(1.0, 0.0), frameon=False)
    axes.set_xlabel("time since the preset switches opened (us)")
    axes.set_ylabel("node voltage (V)")
    _plain(axes)
    return figure


def spread_figure(spreads: tuple[Spread, ...]) -> Figure:
    """Histogram of cell errors before and after calibration; the outermost bars hold all that lies beyond."""
    figure = _figure(4.2 * len(spreads), 3.6)
    for axes, spread in zip(np.atleast_1d(figure.subplots(1, len(spreads))), spreads, strict=True):
        limit = max(float(np.percentile(np.abs(spread.before), 99.5)), 1e-9)
        bins = np.linspace(-limit, limit, 81)
        for values, colour, label in ((spread.before, ORANGE, "before"), (spread.after, BLUE, "after")):
            # A single cell without a meaningful value would rule an rms.
            within, beyond = float(np.percentile(np.abs(values), 68)), int((np.abs(values) > limit).sum())
            text = f"{label}: 68 % within {within:.2f} %, {beyond} off the axis"
            axes.hist(np.clip(values, -limit, limit), bins, color=colour, alpha=0.65, label=text)
        axes.set_yscale("log")
        axes.set_xlabel(f"{spread.quantity} error (% of full scale)")
        axes.set_ylabel("cells")
        axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0.0, 1.0))
        _plain(axes)
    return figure


def map_figure(cells: CellMap) -> Figure:
    """Each cell a square: unused, used and good, or why it is bad, by number along rows of 128 (or fewer)."""
    count = len(cells.reason)
    columns = min(128, max(8, round(count**0.5)))
    bad = sorted({reason for reason in cells.reason if reason not in ("ok", "not_measured")})
    kinds = np.array(
        [2 + bad.index(why) if why in bad else int(used) for why, used in zip(cells.reason, cells.used, strict=True)]
    )
    grid = np.full(-(-count // columns) * columns, -1)
    grid[:count] = kinds
    figure = _figure(8.4, 0.9 + 7.2 * (len(grid) // columns) / columns)
    axes = figure.subplots()
    colours = ["#ffffff", "#e9ecef", "#8fc3e8", *(BAD[number % len(BAD)] for number in range(len(bad)))]
    axes.imshow(grid.reshape(-1, columns), cmap=ListedColormap(colours), vmin=-1, vmax=len(colours) - 2, aspect="equal")
    names = [(colours[1], "unused"), (colours[2], "used, good"), *zip(colours[3:], bad, strict=True)]
    axes.legend(
        handles=[Patch(color=colour, label=label.replace("_", " ")) for colour, label in names],
        loc="lower left", bbox_to_anchor=(0, 1.0), ncols=min(len(names), 6), frameon=False,
    )  # fmt: skip
    axes.set_xlabel(f"cell number within a row of {columns}")
    axes.set_ylabel(f"row (first cell = row x {columns} + 1)")
    return figure


def outputs_figure(outputs: Outputs) -> Figure:
    """Predicted against measured outputs, and their difference in standard errors."""
    figure = _figure(8.4, 3.8)
    left, right = figure.subplots(1, 2)
    predicted, measured = outputs.predicted_V.ravel(), outputs.measured_V.ravel()
    limits = [min(predicted.min(), measured.min()), max(predicted.max(), measured.max())]
    left.plot(limits, limits, color="k", lw=0.8)
    left.plot(predicted, measured, ".", ms=2, alpha=0.4, color=BLUE, rasterized=True)
    left.set_xlabel("predicted by the twin (V)")
    left.set_ylabel("measured (V)")
    pulls = (measured - predicted) / outputs.predicted_se_V.ravel()
    right.hist(np.clip(pulls, -6, 6), np.linspace(-6, 6, 61), color=BLUE, density=True)
    grid = np.linspace(-6, 6, 200)
    right.plot(grid, np.exp(-(grid**2) / 2) / np.sqrt(2 * np.pi), color=RED, lw=1.2, label="normal")
    right.set_xlabel("measured - predicted (standard errors)")
    right.set_ylabel("density (1)")
    right.legend(frameon=False)
    for axes in (left, right):
        _plain(axes)
    return figure


def confusion_figure(matrix: NDArray[np.int64]) -> Figure:
    """Counts of answers (columns) by label (rows); the diagonal left pale, mistakes in colour."""
    figure = _figure(4.6, 4.4)
    axes = figure.subplots()
    mistakes = matrix.astype(float)
    np.fill_diagonal(mistakes, 0.0)
    most = max(3.0, mistakes.max())
    axes.imshow(mistakes, cmap="Oranges", vmin=0, vmax=most)
    for (label, answer), count in np.ndenumerate(matrix):
        if count:
            ink = "white" if mistakes[label, answer] > 0.6 * most else "black"
            axes.text(answer, label, str(count), ha="center", va="center", fontsize=8, color=ink)
    axes.set_xticks(range(len(matrix)))
    axes.set_yticks(range(len(matrix)))
    axes.set_xlabel("answer of the board")
    axes.set_ylabel("label")
    return figure
