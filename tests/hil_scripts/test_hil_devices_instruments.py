"""The rows about instruments, on small workloads."""

import sys
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="module")
def instruments() -> Any:
    folder = str(Path(__file__).parents[2] / "hil_scripts")
    sys.path.insert(0, folder)
    try:
        from benchmarks import _devices_instruments
    finally:
        sys.path.remove(folder)
    return _devices_instruments


def test_numbered_readings_under_faults(instruments: Any) -> None:
    row = instruments._wrong_readings("keysight-34465a", 90)
    assert row["holds"], row
    assert row["error"] == 0
    assert "93 numbered readings" in row["workload"]


def test_a_long_record_comes_whole_through_every_door(instruments: Any) -> None:
    rows = instruments._speed(1)
    assert [row["error"] for row in rows] == [0.0, 0.0, 0.0]  # how fast depends on the machine's other work
    assert [row["asked"] for row in rows] == [">= 100 MS/s", ">= 0 MS/s", ">= 30 MS/s"]


def test_a_missing_pymeasure_is_a_row_that_does_not_hold(instruments: Any) -> None:
    row = instruments._pymeasure_row("its drivers", None)
    assert not row["holds"]
    assert row["error"] is None
