"""The page around the pictures."""

import base64
import io
from collections.abc import Mapping
from contextlib import AbstractContextManager
from html import escape

from matplotlib import rc_context
from matplotlib.figure import Figure

from jackfield.report.content import ReportContent
from jackfield.report.figures import (
    confusion_figure,
    ladder_figure,
    map_figure,
    outputs_figure,
    spread_figure,
    trace_figure,
)

__all__ = ["document", "facts_table", "plot_style", "render", "section"]


def plot_style() -> AbstractContextManager[None]:
    """All pictures of a page have the same letters."""
    return rc_context({"font.size": 10, "svg.hashsalt": "jackfield", "svg.fonttype": "path"})


_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1c2126; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.7rem; margin-bottom: .2rem; } h2 { font-size: 1.2rem; margin: 2.2rem 0 .4rem; }
p { margin: .3rem 0 .8rem; max-width: 46rem; color: #454d55; } img { max-width: 100%; height: auto; }
table { border-collapse: collapse; margin: .8rem 0; } td, th { padding: .25rem .9rem .25rem 0; text-align: left; }
tr { border-bottom: 1px solid #e3e6e9; } td.number { font-variant-numeric: tabular-nums; text-align: right; }
"""


def render(content: ReportContent) -> str:
    """The page as HTML text; the same content gives the same text."""
    with plot_style():
        body = "\n".join(_sections(content))
    return document(content.title, body)


def document(title: str, body: str) -> str:
    """The page around `body`, HTML."""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def facts_table(facts: Mapping[str, str]) -> str:
    """Names and texts as a table."""
    rows = [f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in facts.items()]
    return f"<table>{''.join(rows)}</table>"


def _sections(content: ReportContent) -> list[str]:
    parts = [f"<h1>{escape(content.title)}</h1>", facts_table(content.facts)]
    parts += section(
        "The ladder",
        "The same held-out inputs, from the trained model down to the board and back up by calibration.",
        ladder_figure(content.rungs),
    )
    if content.traces:
        parts += section(
            "Node trajectories",
            "Nodes of one input, read live by the probes while the board runs, against what the circuit asks for.",
            trace_figure(content.traces),
        )
    if content.spreads:
        parts += section(
            "Spread of the cells",
            "Error of each used cell as the board came, and what is left of it in fresh verification runs. "
            "The outermost bars hold all cells beyond the axis; cells that are not used for a defect are left out.",
            spread_figure(content.spreads),
        )
    if content.cells is not None:
        bad = [reason for reason in content.cells.reason if reason not in ("ok", "not_measured")]
        counts = ", ".join(f"{bad.count(reason)} {reason}" for reason in sorted(set(bad))) or "none"
        parts += section("Map of the board", f"Bad cells found: {counts}.", map_figure(content.cells))
    if content.outputs is not None:
        parts += section(
            "Predicted and measured outputs",
            "The twin is the circuit that the uploaded codes make on the board that the record describes. Narrower "
            "than the normal curve: its standard errors are larger than they need be; wider: too small; "
            "shifted: an error that all readings share.",
            outputs_figure(content.outputs),
        )
    if content.confusion is not None:
        parts += section(
            "Confusion matrix", "Answers of the calibrated board by label.", confusion_figure(content.confusion)
        )
    return parts


def section(title: str, text: str, figure: Figure) -> list[str]:
    """A heading, a text and a picture as HTML."""
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=130, metadata={"Software": None})
    data = base64.b64encode(out.getvalue()).decode()
    return [f"<h2>{title}</h2>", f"<p>{escape(text)}</p>", f'<img alt="{title}" src="data:image/png;base64,{data}">']
