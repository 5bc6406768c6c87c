"""The readings file opens with plain SQL, and a disk that fills up is a clear error."""

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from jackfield.errors import CalibrationError
from jackfield.journal.readings import Readings


def test_plain_sql_reads_the_numbers(tmp_path: Path) -> None:
    readings = Readings(tmp_path / "readings.sqlite")
    readings.store("cells/0", {"values_V": np.array([[1.5, -2.0], [np.nan, 0.1]])})
    connection = sqlite3.connect(tmp_path / "readings.sqlite")
    (note,) = connection.execute("SELECT text FROM notes WHERE name = 'schema'").fetchone()
    rows = connection.execute(note[note.index("SELECT") :]).fetchall()
    connection.close()
    readings.close()
    assert rows == [("cells/0", 0, 1.5), ("cells/0", 1, -2.0), ("cells/0", 2, None), ("cells/0", 3, 0.1)]


def test_every_number_comes_back_bit_by_bit(tmp_path: Path) -> None:
    odd = np.array([0.1, 1 / 3, -0.0, 5e-324, 1.7976931348623157e308, np.nan, np.inf, -np.inf])
    readings = Readings(tmp_path / "readings.sqlite")
    readings.store("k", {"x": odd, "n": np.array([2**62, -1]), "b": np.array([[True], [False]]), "e": np.zeros((0, 3))})
    found = readings.load("k")
    readings.close()
    assert found is not None
    assert found["x"].tobytes() == odd.tobytes()
    assert found["n"].tolist() == [2**62, -1]
    assert found["b"].tolist() == [[True], [False]]
    assert found["b"].dtype == np.bool_
    assert found["e"].shape == (0, 3)


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
