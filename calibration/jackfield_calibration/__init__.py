"""Calibration of a board: routines say what to set and read, estimators make values, verification sets `good`."""

from jackfield_calibration.calibrate import LEVELS, calibrate, make_plan
from jackfield_calibration.fingerprint import MATCH, Fingerprint, fingerprint_cells, likeness, read_fingerprint
from jackfield_calibration.observer import Evidence, Observer, Standing
from jackfield_calibration.plan import Plan, PlannedStep
from jackfield_calibration.record_edit import TableDifference, compare, merged
from jackfield_calibration.record_use import VALID_DAYS, VALID_K, BoardNow, check_fingerprint, check_record
from jackfield_calibration.update import make_update_plan, update

__all__ = [
    "LEVELS",
    "MATCH",
    "VALID_DAYS",
    "VALID_K",
    "BoardNow",
    "Evidence",
    "Fingerprint",
    "Observer",
    "Plan",
    "PlannedStep",
    "Standing",
    "TableDifference",
    "calibrate",
    "check_fingerprint",
    "check_record",
    "compare",
    "fingerprint_cells",
    "likeness",
    "make_plan",
    "make_update_plan",
    "merged",
    "read_fingerprint",
    "update",
]
