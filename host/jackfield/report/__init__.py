"""Pictures and self-contained HTML pages from result objects; no network, no scripts."""

from jackfield.report.content import CellMap, Outputs, ReportContent, Spread, Trace
from jackfield.report.density import density_figure
from jackfield.report.page import render
from jackfield.report.sweep import Sweep, sweep_picture

__all__ = [
    "CellMap",
    "Outputs",
    "ReportContent",
    "Spread",
    "Sweep",
    "Trace",
    "density_figure",
    "render",
    "sweep_picture",
]
