"""A run folder `<UTC>-<verb>-<board id>/`, `-2` and so on behind it for further runs of a second.

Its run.toml says what was asked, readings.sqlite what was read.
"""

import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import filelock
from numpy.typing import NDArray

from jackfield.errors import CalibrationError, DesignError
from jackfield.journal.folder import check_name, check_room, check_writable
from jackfield.journal.readings import Readings
from jackfield.journal.text import toml_lines, write_whole

__all__ = ["Run"]

Array = NDArray[Any]
Detail = str | int | float | bool


class Run:
    """One run, open for reading and writing; a killed process opens the same folder and goes on.

    A context manager that closes the folder. One process at a time holds it.
    """

    def __init__(self, folder: Path, details: Mapping[str, Any], lock: filelock.BaseFileLock) -> None:
        self.folder = folder
        self.details = dict(details)
        self._lock = lock
        self._readings = Readings(folder / "readings.sqlite")

    @classmethod
    def create(
        cls,
        root: Path,
        verb: str,
        board_id: str,
        *,
        details: Mapping[str, Detail] | None = None,
        needed_bytes: int = 0,
        started: datetime | None = None,
    ) -> Self:
        """A new folder under `root`, with `details` in its run.toml; the clock is read here and nowhere else.

        Raises DesignError for a name that makes no folder, CalibrationError where the folder cannot be written
        or the disk lacks `needed_bytes`.
        """
        moment = (started or datetime.now(UTC)).astimezone(UTC)
        name = f"{moment:%Y%m%dT%H%M%SZ}-{check_name(verb, 'verb')}-{check_name(board_id, 'board id')}"
        try:
            _make_root(root)
            check_room(root, needed_bytes)
            folder = _new_folder(root / name)
        except OSError as error:
            raise CalibrationError(f"{root / name} cannot be made: {error}; use --runs DIR") from error
        utc = f"{moment:%Y-%m-%dT%H:%M:%SZ}"
        head: dict[str, Any] = {"verb": verb, "board_id": board_id, "started_utc": utc}
        write_whole(folder / "run.toml", toml_lines(head | dict(details or {})))
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path, *, needed_bytes: int = 0) -> Self:
        """The run in `folder`; raises CalibrationError where it is none, another process holds it, or the disk lacks
        `needed_bytes`.
        """
        try:
            details = tomllib.loads((folder / "run.toml").read_text(encoding="utf-8"))
        except (OSError, tomllib.TOMLDecodeError) as error:
            raise CalibrationError(f"{folder} is not a run folder: {error}; name one under runs/") from error
        check_writable(folder)
        check_room(folder, needed_bytes)
        lock = filelock.FileLock(folder / "run.lock")
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout as error:
            raise CalibrationError(f"{folder} is in use by another process; end that one first") from error
        try:
            return cls(folder, details, lock)
        except BaseException:
            lock.release()
            raise

    def store(self, key: str, arrays: Mapping[str, Array]) -> None:
        """Write one reading (float64, int64 or bool arrays); it is on disk when this returns.

        Raises CalibrationError where the disk is full or `key` is taken.
        """
        self._readings.store(key, arrays)

    def reading(self, key: str) -> dict[str, Array] | None:
        """The arrays stored under `key`, or None where that was not read yet."""
        return self._readings.load(key)

    def keys(self) -> list[str]:
        """Keys of all readings, in the order they came."""
        return self._readings.keys()

    def check_details(self, wanted: Mapping[str, Detail]) -> None:
        """Raise DesignError where this run was begun with other `wanted` details than these."""
        for name, value in wanted.items():
            if self.details.get(name) != value:
                raise DesignError(
                    f"{self.folder} was begun with {name} = {self.details.get(name)!r}, asked is {value!r}; "
                    "resume with what it was begun with, or start a new run"
                )

    def close(self) -> None:
        """Close the folder and let other processes have it."""
        self._readings.close()
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _make_root(root: Path) -> None:
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CalibrationError(f"{root} cannot be made: {error}; name another with --runs DIR") from error
    check_writable(root)


def _new_folder(wanted: Path) -> Path:
    """`wanted`, or with -2, -3, ... behind it where the second has runs already."""
    folder, number = wanted, 1
    while True:
        try:
            folder.mkdir()
        except FileExistsError:
            number += 1
            folder = wanted.with_name(f"{wanted.name}-{number}")
        else:
            return folder
