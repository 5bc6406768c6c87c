"""What is not good is shown once, however many quantities it spoils."""

import numpy as np

from jackfield.board import CalibrationRecord, Table
from jackfield.cli.record import failing, reasons


def _table(good: tuple[bool, bool], reason: tuple[str, str]) -> Table:
    one = np.ones(2)
    return Table(("A1", "A2"), one, one, one, np.ones(2, dtype=np.int64), np.array(good), reason)


def test_quantities_that_fail_alike_share_a_line() -> None:
    dead = _table((True, False), ("ok", "dead"))
    names = ("gain_scale", "gain_zero_S", "threshold_offset_V", "current_offset_A")
    tables = dict.fromkeys(names, dead) | {"leak_S": _table((False, True), ("noisy", "ok"))}
    record = CalibrationRecord({}, tables)
    assert len(failing(record)) == 5
    assert reasons(record) == [
        ("dead", 1, "A2", "gain_scale, gain_zero_S and 2 more"),
        ("noisy", 1, "A1", "leak_S"),
    ]
