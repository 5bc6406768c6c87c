"""Record folders `NAME.record/`: written under `.part` and renamed, read back as texts.

What a record held before it was replaced stays in it, under `history/<start of its digest>/`, so that any change can
be taken back and the folder can be moved about.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from jackfield.errors import CalibrationError
from jackfield.journal.folder import check_writable
from jackfield.journal.text import write_whole

__all__ = ["load_record", "record_history", "replace_record", "save_record"]

_HISTORY = "history"
_DIGITS = 16


class _Files(Protocol):
    @property
    def digest(self) -> str: ...

    def to_files(self) -> Mapping[str, str]: ...


def save_record(record: _Files, path: Path) -> Path:
    """Write the files of `record` (a CalibrationRecord) to the folder `path`, whole or not at all.

    Returns `path`. Raises CalibrationError where it exists or cannot be written.
    """
    if path.exists():
        raise CalibrationError(f"{path} exists and records are never overwritten; name another one")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _written(record, path).rename(path)
    except OSError as error:
        raise CalibrationError(f"{path} cannot be written: {error}; name another place") from error
    return path


def replace_record(path: Path, old: _Files, new: _Files) -> Path:
    """Let record folder `path`, which holds `old`, hold `new`; `old` goes into its history.

    Returns `path`. Raises CalibrationError where it cannot be written; then it is as before.
    """
    before = path.with_name(path.name + ".old")
    try:
        part = _written(new, path)
        if (path / _HISTORY).is_dir():
            shutil.copytree(path / _HISTORY, part / _HISTORY)
        kept = part / _HISTORY / old.digest[:_DIGITS]
        if not kept.exists():
            kept.mkdir(parents=True)
            for name, text in old.to_files().items():
                write_whole(kept / name, text)
        shutil.rmtree(before, ignore_errors=True)
        path.rename(before)
        part.rename(path)
    except OSError as error:
        raise CalibrationError(f"{path} cannot be replaced: {error}; free the disk or change its rights") from error
    shutil.rmtree(before, ignore_errors=True)
    return path


def record_history(path: Path) -> dict[str, Path]:
    """The records that `path` held before, by the start of their digest; each folder opens with `load_record`."""
    folder = path / _HISTORY
    return {entry.name: entry for entry in sorted(folder.iterdir())} if folder.is_dir() else {}


def load_record(path: Path) -> dict[str, str]:
    """The texts in record folder `path` by file name, for `CalibrationRecord.from_files`.

    Raises CalibrationError where `path` is no record folder.
    """
    before = path.with_name(path.name + ".old")
    if not path.exists() and before.is_dir():
        raise CalibrationError(f"{path} was being replaced when its process ended; rename {before} to {path}")
    if not (path / "record.toml").is_file():
        raise CalibrationError(f"{path} is not a record; name a folder NAME.record that `calibrate` wrote")
    try:
        return {
            file.name: file.read_text(encoding="utf-8")
            for file in sorted(path.iterdir())
            if file.suffix in (".toml", ".csv")
        }
    except (OSError, UnicodeDecodeError) as error:
        raise CalibrationError(f"{path} cannot be read: {error}") from error


def _written(record: _Files, path: Path) -> Path:
    """The files of `record` in a folder beside `path`, to be renamed."""
    part = path.with_name(path.name + ".part")
    check_writable(path.parent)
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    try:
        for name, text in record.to_files().items():
            write_whole(part / name, text)
    except OSError:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return part
