"""Pictures and self-contained HTML pages from result objects; no network, no scripts."""

from jackfield.report.calibration import BudgetLine, CalibrationContent, Residuals, render_calibration
from jackfield.report.content import CellMap, Outputs, ReportContent, Spread, Trace
from jackfield.report.density import density_figure
from jackfield.report.page import render
from jackfield.report.phasor import (
    PhasorContent,
    Raster,
    Scatter,
    Sensitivity,
    render_phasors,
    sensitivity_picture,
)
from jackfield.report.sweep import Sweep, sweep_picture

__all__ = [
    "BudgetLine",
    "CalibrationContent",
    "CellMap",
    "Outputs",
    "PhasorContent",
    "Raster",
    "ReportContent",
    "Residuals",
    "Scatter",
    "Sensitivity",
    "Spread",
    "Sweep",
    "Trace",
    "density_figure",
    "render",
    "render_calibration",
    "render_phasors",
    "sensitivity_picture",
    "sweep_picture",
]
