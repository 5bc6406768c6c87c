"""Calibration of a board: routines say what to set and read, estimators make values, verification sets `good`."""

from jackfield_calibration.calibrate import LEVELS, calibrate, make_plan
from jackfield_calibration.fingerprint import MATCH, Fingerprint, fingerprint_cells, likeness, read_fingerprint
from jackfield_calibration.observer import Evidence, Observer, Standing
from jackfield_calibration.plan import Plan, PlannedStep

__all__ = [
    "LEVELS",
    "MATCH",
    "Evidence",
    "Fingerprint",
    "Observer",
    "Plan",
    "PlannedStep",
    "Standing",
    "calibrate",
    "fingerprint_cells",
    "likeness",
    "make_plan",
    "read_fingerprint",
]
