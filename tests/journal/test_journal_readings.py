"""The readings file opens with plain SQL, and a disk that fills up is a clear error."""

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from jackfield.errors import CalibrationError
from jackfield.journal.readings import Readings


def test_plain_sql_reads_the_numbers(tmp_path: Path) -> None:
    readings = Readings(tmp_path / "readings.sqlite")
    readings.store("cells/0", {"volts": np.array([[1.5, -2.0]])})
    connection = sqlite3.connect(tmp_path / "readings.sqlite")
    row = connection.execute(
        "SELECT dtype, shape, data FROM arrays JOIN readings ON reading = id WHERE key = 'cells/0' AND name = 'volts'"
    ).fetchone()
    notes = connection.execute("SELECT text FROM notes WHERE name = 'schema'").fetchone()
    connection.close()
    readings.close()
    assert row[:2] == ("float64", "1,2")
    np.testing.assert_array_equal(np.frombuffer(row[2], dtype="<f8"), [1.5, -2.0])
    assert "little endian" in notes[0]


def test_a_full_disk_loses_nothing_and_says_how_to_go_on(tmp_path: Path) -> None:
    readings = Readings(tmp_path / "readings.sqlite")
    readings.store("small", {"x": np.zeros(4)})
    readings._connection.execute("PRAGMA max_page_count = 20")
    with pytest.raises(CalibrationError, match="--resume"):
        readings.store("large", {"x": np.zeros(100_000)})
    assert readings.load("large") is None
    found = readings.load("small")
    readings.close()
    assert found is not None
    assert found["x"].shape == (4,)


def test_other_dtypes_are_refused(tmp_path: Path) -> None:
    readings = Readings(tmp_path / "readings.sqlite")
    with pytest.raises(TypeError, match="complex128"):
        readings.store("k", {"x": np.zeros(2, dtype=np.complex128)})
    readings.close()
