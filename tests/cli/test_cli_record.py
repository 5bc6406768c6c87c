"""`jackfield record`: what is not good is shown once; records are compared, combined and taken back."""

from pathlib import Path

import numpy as np
import pytest

from jackfield.board import CalibrationRecord, Table
from jackfield.cli.record import failing, reasons
from jackfield.journal import load_record, save_record

from .conftest import Jackfield


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


def _record(gain: float) -> CalibrationRecord:
    value, se, reads = np.array([gain, 1.0]), np.full(2, 0.01), np.ones(2, dtype=np.int64)
    rows = Table(("A1", "A2"), value, np.zeros(2), se, reads, np.ones(2, dtype=np.bool_), ("ok", "ok"))
    given = {"board_id": "b1", "spec_digest": "d1", "started_utc": "2026-01-01T00:00:00Z"}
    return CalibrationRecord(given, {"gain_scale": rows, "current_offset_A": rows})


@pytest.fixture
def records(tmp_path: Path) -> tuple[Path, Path]:
    return save_record(_record(1.0), tmp_path / "b.record"), save_record(_record(1.5), tmp_path / "n.record")


def test_diff_says_what_moved(jackfield: Jackfield, records: tuple[Path, Path]) -> None:
    found = jackfield("record", "diff", *records, "--json").values
    assert {(row["quantity"], row["index"]) for row in found["moved"]} == {
        ("gain_scale", "A1"),
        ("current_offset_A", "A1"),
    }
    assert found["moved"][0]["z"] == pytest.approx(0.5 / np.hypot(0.01, 0.01))
    said = jackfield("record", "diff", *records)
    assert said.status == 0
    assert "A1" in said.out


def test_a_part_is_applied_and_taken_back(jackfield: Jackfield, records: tuple[Path, Path]) -> None:
    board, new = records
    before = load_record(board)
    assert jackfield("record", "apply", new, board, "--only", "gain_scale", "--only", "A1").status == 0
    changed = CalibrationRecord.from_files(load_record(board))
    assert changed.tables["gain_scale"].value.tolist() == [1.5, 1.0]
    assert changed.tables["current_offset_A"].value.tolist() == [1.0, 1.0]
    shown = jackfield("record", "show", board, "--json").values
    assert shown["history"] == [shown["provenance"]["parent"][:16]]
    assert jackfield("record", "rollback", board).status == 0
    assert load_record(board) == before
    assert not list(board.parent.glob("*.part")) + list(board.parent.glob("*.old"))
    assert jackfield("record", "rollback", board, "--to", changed.digest[:12]).status == 0
    assert CalibrationRecord.from_files(load_record(board)).digest == changed.digest


def test_there_is_nothing_to_go_back_to(jackfield: Jackfield, records: tuple[Path, Path]) -> None:
    ran = jackfield("record", "rollback", records[0])
    assert ran.status == 1
    assert "held nothing else before" in ran.err
    ran = jackfield("record", "apply", records[1], records[0], "--only", "A77")
    assert ran.status == 1
    assert "A77" in ran.err
