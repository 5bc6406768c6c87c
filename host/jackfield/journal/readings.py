"""The readings of a run in one SQLite file (WAL), readable without jackfield.

    readings(id INTEGER PRIMARY KEY, key TEXT UNIQUE)            one row a reading, in the order they came
    arrays(reading INTEGER, name TEXT, dtype TEXT, shape TEXT, data BLOB)   its arrays: little endian, last
                                                                 axis fastest; shape as in "4,96", dtype one
                                                                 of float64, int64, bool (a byte an entry)
    notes(name TEXT PRIMARY KEY, text TEXT)                      this description

A reading is committed and synchronised to disk before `store` returns.
"""

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

_KINDS = {"float64": "<f8", "int64": "<i8", "bool": "|b1"}
_SCHEMA = """
CREATE TABLE IF NOT EXISTS readings(id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS arrays(
    reading INTEGER NOT NULL REFERENCES readings(id), name TEXT NOT NULL, dtype TEXT NOT NULL,
    shape TEXT NOT NULL, data BLOB NOT NULL, PRIMARY KEY (reading, name));
CREATE TABLE IF NOT EXISTS notes(name TEXT PRIMARY KEY, text TEXT NOT NULL);
"""
_NOTE = (
    "readings: one row a reading, in the order they came. arrays: the arrays of a reading; data is little "
    "endian, the last axis fastest; shape as in 4,96; dtype float64, int64 or bool (a byte an entry)."
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

    def _insert(self, key: str, rows: list[tuple[str, str, str, bytes]]) -> None:
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


def _encode(name: str, array: Array) -> tuple[str, str, bytes]:
    plain = np.asarray(array)
    dtype = plain.dtype.name
    if dtype not in _KINDS:
        raise TypeError(f"array {name!r} has dtype {dtype}; a reading holds {', '.join(_KINDS)}")
    return dtype, ",".join(str(length) for length in plain.shape), plain.astype(_KINDS[dtype]).tobytes()


def _decode(dtype: str, shape: str, data: bytes) -> Array:
    lengths = tuple(int(length) for length in shape.split(",") if length)
    return np.frombuffer(data, dtype=_KINDS[dtype]).astype(dtype).reshape(lengths)
