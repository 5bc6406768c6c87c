"""Pictures and one self-contained HTML page from result objects; no network, no scripts."""

from jackfield.report.content import CellMap, Outputs, ReportContent, Spread, Trace
from jackfield.report.density import density_figure
from jackfield.report.page import render

__all__ = ["CellMap", "Outputs", "ReportContent", "Spread", "Trace", "density_figure", "render"]
