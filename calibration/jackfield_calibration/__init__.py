"""Calibration of a board: routines say what to set and read, estimators make values, verification sets `good`."""

from jackfield_calibration.calibrate import calibrate, make_plan
from jackfield_calibration.fingerprint import MATCH, Fingerprint, fingerprint_cells, likeness, read_fingerprint
from jackfield_calibration.graph import LEVELS, PARTS
from jackfield_calibration.observer import Evidence, Observer, Standing
from jackfield_calibration.patch_calibration import PatchFit, calibrate_patch, fit_patch, gains_of
from jackfield_calibration.plan import Plan, PlannedStep
from jackfield_calibration.record_edit import TableDifference, compare, merged
from jackfield_calibration.record_use import VALID_DAYS, VALID_K, BoardNow, check_fingerprint, check_record
from jackfield_calibration.refinement import make_refine_plan, refine
from jackfield_calibration.sweep import Axis, SweepResult, sweep
from jackfield_calibration.sweep_board import BoardTarget
from jackfield_calibration.sweep_names import parse_set
from jackfield_calibration.sweep_plan import SweepPlan
from jackfield_calibration.update import make_update_plan, update

__all__ = [
    "LEVELS",
    "MATCH",
    "PARTS",
    "VALID_DAYS",
    "VALID_K",
    "Axis",
    "BoardNow",
    "BoardTarget",
    "Evidence",
    "Fingerprint",
    "Observer",
    "PatchFit",
    "Plan",
    "PlannedStep",
    "Standing",
    "SweepPlan",
    "SweepResult",
    "TableDifference",
    "calibrate",
    "calibrate_patch",
    "check_fingerprint",
    "check_record",
    "compare",
    "fingerprint_cells",
    "fit_patch",
    "gains_of",
    "likeness",
    "make_plan",
    "make_refine_plan",
    "make_update_plan",
    "merged",
    "parse_set",
    "read_fingerprint",
    "refine",
    "sweep",
    "update",
]
