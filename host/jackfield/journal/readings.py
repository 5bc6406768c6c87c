"""The readings of a run in one SQLite file (WAL), readable without jackfield.

    readings(id INTEGER PRIMARY KEY, key TEXT UNIQUE)            one row a reading, in the order they came
    arrays(reading INTEGER, name TEXT, dtype TEXT, shape TEXT, data TEXT)   its arrays: a JSON list of numbers,
                                                                 last axis fastest, what is not finite as null
                                                                 (NaN) or as text; shape as in "4,96", dtype
                                                                 one of float64, int64, bool (0 or 1)
    notes(name TEXT PRIMARY KEY, text TEXT)                      this description

JSON because SQLite's own `json_each` opens it: every number of a run can be had by plain SQL. A reading is committed
and synchronised to disk before `store` returns.
"""

import json
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from jackfield.errors import CalibrationError

__all__ = ["Readings"]

Array = NDArray[Any]
_Result = TypeVar("_Result")

_KINDS = ("float64", "int64", "bool")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS readings(id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS arrays(
    reading INTEGER NOT NULL REFERENCES readings(id), name TEXT NOT NULL, dtype TEXT NOT NULL,
    shape TEXT NOT NULL, data TEXT NOT NULL, PRIMARY KEY (reading, name));
CREATE TABLE IF NOT EXISTS notes(name TEXT PRIMARY KEY, text TEXT NOT NULL);
"""
_NOTE = (
    "readings: one row a reading, in the order they came. arrays: the arrays of a reading; data is a JSON list, the "
    "last axis fastest, NaN as null; shape as in 4,96; dtype float64, int64 or bool (0 or 1). For instance: "
    "SELECT readings.key, item.key AS place, item.value AS volts FROM readings JOIN arrays "
    "ON arrays.reading = readings.id, json_each(data) AS item WHERE name = 'values_V'"
)


class Readings:
    """The open file; one writer at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = self._translate(lambda: sqlite3.connect(path, isolation_level=None))
        self._translate(self._prepare)

    def _prepare(self) -> None:
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.executescript(_SCHEMA)
        self._connection.execute("INSERT OR REPLACE INTO notes VALUES ('schema', ?)", (_NOTE,))

    def store(self, key: str, arrays: Mapping[str, Array]) -> None:
        """Write one reading; on disk when this returns. Raises CalibrationError where it cannot."""
        rows = [(name, *_encode(name, array)) for name, array in sorted(arrays.items())]
        self._translate(lambda: self._insert(key, rows))

    def _insert(self, key: str, rows: list[tuple[str, str, str, str]]) -> None:
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            number = self._connection.execute("INSERT INTO readings(key) VALUES (?)", (key,)).lastrowid
            self._connection.executemany("INSERT INTO arrays VALUES (?, ?, ?, ?, ?)", [(number, *row) for row in rows])

    def load(self, key: str) -> dict[str, Array] | None:
        """The arrays stored under `key`, or None."""
        return self._translate(lambda: self._select(key))

    def _select(self, key: str) -> dict[str, Array] | None:
        found = self._connection.execute("SELECT id FROM readings WHERE key = ?", (key,)).fetchone()
        if found is None:
            return None
        query = "SELECT name, dtype, shape, data FROM arrays WHERE reading = ?"
        rows = self._connection.execute(query, found)
        return {name: _decode(dtype, shape, data) for name, dtype, shape, data in rows}

    def keys(self) -> list[str]:
        """The keys stored so far, in the order they came."""
        return [
            key
            for (key,) in self._translate(
                lambda: self._connection.execute("SELECT key FROM readings ORDER BY id").fetchall()
            )
        ]

    def close(self) -> None:
        """Close the file; what was stored stays."""
        self._connection.close()

    def _translate(self, action: Callable[[], _Result]) -> _Result:
        try:
            return action()
        except sqlite3.IntegrityError as error:
            raise CalibrationError(f"a reading of that name is already in {self._path}: {error}") from error
        except sqlite3.Error as error:
            raise CalibrationError(
                f"{self._path} cannot be used: {error}; nothing stored so far is lost: free the disk or mend "
                "its rights, then go on with --resume"
            ) from error


def _encode(name: str, array: Array) -> tuple[str, str, str]:
    plain = np.asarray(array)
    dtype = plain.dtype.name
    if dtype not in _KINDS:
        raise TypeError(f"array {name!r} has dtype {dtype}; a reading holds {', '.join(_KINDS)}")
    items = (plain.astype(np.int64) if dtype == "bool" else plain).ravel().tolist()
    if dtype == "float64" and not np.isfinite(plain).all():
        items = [item if np.isfinite(item) else None if np.isnan(item) else repr(item) for item in items]
    return dtype, ",".join(str(length) for length in plain.shape), json.dumps(items, allow_nan=False)


def _decode(dtype: str, shape: str, data: str) -> Array:
    lengths = tuple(int(length) for length in shape.split(",") if length)
    items = np.array(json.loads(data), dtype=np.float64 if dtype == "float64" else np.int64)  # null becomes NaN
    return items.astype(dtype).reshape(lengths)
