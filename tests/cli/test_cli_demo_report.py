"""What the demo says of bad cells is scored against the truth, not against itself."""

import numpy as np

from jackfield.board import BoardSpec, CalibrationRecord, Table
from jackfield.cli.demo_report import cell_score


def test_false_alarms_do_not_stand_in_for_misses(jf16: BoardSpec) -> None:
    names = tuple(str(cell) for cell in jf16.cells)
    refused = {"A2", "A3", "A9"}
    good = np.array([name not in refused for name in names])
    nothing = np.zeros(len(names))
    table = Table(names, nothing, nothing, nothing, nothing.astype(np.int64), good, ("ok",) * len(names))
    record = CalibrationRecord({"board_id": "1", "spec_digest": jf16.digest}, {"gain_scale": table})
    score = cell_score(record, jf16, np.arange(20), {"A2", "A4", "A40"})
    assert score == {"used": 20, "bad_found": 1, "bad_true": 2, "healthy_refused": 2}
