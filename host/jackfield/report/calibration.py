"""The page of a calibration: what it cost, what it found, and what verification says of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from jackfield.report.content import CellMap, Outputs, Spread
from jackfield.report.figures import BLUE, ORANGE, map_figure, outputs_figure, spread_figure
from jackfield.report.page import document, facts_table, plot_style, section

__all__ = ["BudgetLine", "CalibrationContent", "Residuals", "render_calibration", "residual_figure"]

Floats = NDArray[np.float64]

MOST_POINTS = 20_000  # of a scatter; more are a blot
BINS = 24


@dataclass(frozen=True)
class BudgetLine:
    """One step: settings and reads as planned (None: it was not planned), and as used."""

    step: str
    planned_settings: int | None
    planned_reads: int | None
    settings: int
    reads: int


@dataclass(frozen=True)
class Residuals:
    """Verification's readings: measured minus predicted (V) and its standard error, against the cell's nominal `code`
    value as a share of full scale, for one cell parameter.
    """

    parameter: str
    code: Floats
    residual_V: Floats
    se_V: Floats


@dataclass(frozen=True)
class CalibrationContent:
    """The whole page; parts that are empty or None are left out. `bench_s` is the planned time on the bench."""

    title: str
    facts: Mapping[str, str]
    budget: tuple[BudgetLine, ...]
    spreads: tuple[Spread, ...] = ()
    cells: CellMap | None = None
    residuals: tuple[Residuals, ...] = ()
    outputs: Outputs | None = None


def render_calibration(content: CalibrationContent) -> str:
    """The page as HTML text; the same content gives the same text."""
    with plot_style():
        parts = [f"<h1>{escape(content.title)}</h1>", facts_table(content.facts)]
        if content.spreads:
            parts += section(
                "Spread of the cells",
                "Error of each cell as the board came, and what is left of it in fresh verification runs; cells that "
                "are not used for a defect are left out. The outermost bars hold all cells beyond the axis.",
                spread_figure(content.spreads),
            )
            parts.append(_spread_table(content.spreads))
        if content.cells is not None:
            bad = [reason for reason in content.cells.reason if reason not in ("ok", "not_measured")]
            counts = ", ".join(f"{bad.count(reason)} {reason}" for reason in sorted(set(bad))) or "none"
            parts += section("Map of the board", f"Cells that are not good: {counts}.", map_figure(content.cells))
        if content.residuals:
            parts += section(
                "Residuals against code",
                "Measured minus predicted in verification runs, in standard errors; the line is the mean of a bin with "
                "its standard error. A line that leaves zero is a curve of the DACs that the model does not have.",
                residual_figure(content.residuals),
            )
        if content.outputs is not None:
            parts += section(
                "Predicted and measured",
                "Node voltages of the verification runs. Wider than the normal curve: standard errors are too small; "
                "narrower: larger than they need be.",
                outputs_figure(content.outputs),
            )
        parts += ["<h2>Budget</h2>", _budget_table(content.budget)]
    return document(content.title, "\n".join(parts))


def _spread_table(spreads: tuple[Spread, ...]) -> str:
    rows = []
    for spread in spreads:
        cells = [_rms(values) for values in (spread.before, spread.after)]
        texts = [f"{value:.3f} &plusmn; {se:.3f} %" for value, se in cells]
        ratio = cells[1][0] / cells[0][0] if cells[0][0] else float("nan")
        rows.append((spread.quantity, *texts, f"{ratio:.3f}"))
    return _table(("", "rms before", "rms after", "after over before"), rows)


def _rms(values: Floats) -> tuple[float, float]:
    """Rms and its standard error: that of the mean square, carried over."""
    if not values.size:
        return float("nan"), float("nan")
    square = values**2
    rms = float(np.sqrt(square.mean()))
    return rms, float(square.std() / np.sqrt(values.size) / (2 * rms)) if rms else 0.0


def _budget_table(lines: tuple[BudgetLine, ...]) -> str:
    rows = [
        (line.step, *("-" if (n := getattr(line, name)) is None else str(n) for name in _COLUMNS)) for line in lines
    ]
    sums = [sum(getattr(line, name) or 0 for line in lines) for name in _COLUMNS]
    heads = ("step", "settings planned", "reads planned", "settings used", "reads used")
    return _table(heads, [*rows, ("in all", *map(str, sums))])


_COLUMNS = ("planned_settings", "planned_reads", "settings", "reads")


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    lines = (escape(row[0]) + "</th>" + "".join(f'<td class="number">{text}</td>' for text in row[1:]) for row in rows)
    body = "".join(f"<tr><th>{line}</tr>" for line in lines)
    return f"<table><tr>{head}</tr>{body}</table>"


def residual_figure(residuals: tuple[Residuals, ...]) -> Figure:
    """One panel a parameter: residuals in standard errors against the nominal code value, with binned means."""
    figure = Figure(figsize=(4.2 * len(residuals), 3.4), layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, len(residuals), sharey=True))
    for panel, part in zip(panels, residuals, strict=True):
        z = part.residual_V / part.se_V
        every = max(1, len(z) // MOST_POINTS)
        panel.plot(part.code[::every], np.clip(z[::every], -6, 6), ".", ms=1.5, alpha=0.3, color=BLUE, rasterized=True)
        edges = np.linspace(part.code.min(), part.code.max() + 1e-12, BINS + 1)
        which = np.clip(np.digitize(part.code, edges) - 1, 0, BINS - 1)
        count = np.bincount(which, minlength=BINS)
        kept = count > 1
        mean = np.bincount(which, z, BINS)[kept] / count[kept]
        middle = ((edges[1:] + edges[:-1]) / 2)[kept]
        panel.errorbar(middle, mean, 1 / np.sqrt(count[kept]), fmt="o-", ms=3, lw=1, color=ORANGE, capsize=2)
        panel.axhline(0, color="k", lw=0.8)
        panel.set_xlabel(f"nominal {part.parameter} (of full scale)")
        panel.set_ylim(-6.2, 6.2)
        panel.spines[["top", "right"]].set_visible(False)
        panel.grid(alpha=0.25)
    panels[0].set_ylabel("measured - predicted (standard errors)")
    return figure
