"""Record folders `NAME.record/`: written under `.part` and renamed, read back as texts."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from jackfield.errors import CalibrationError
from jackfield.journal.folder import check_writable
from jackfield.journal.text import write_whole

__all__ = ["load_record", "save_record"]


class _Files(Protocol):
    def to_files(self) -> Mapping[str, str]: ...


def save_record(record: _Files, path: Path) -> Path:
    """Write the files of `record` (a CalibrationRecord) to the folder `path`, whole or not at all.

    Returns `path`. Raises CalibrationError where it exists or cannot be written.
    """
    part = path.with_name(path.name + ".part")
    if path.exists():
        raise CalibrationError(f"{path} exists and records are never overwritten; name another one")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        check_writable(path.parent)
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        for name, text in record.to_files().items():
            write_whole(part / name, text)
        part.rename(path)
    except OSError as error:
        raise CalibrationError(f"{path} cannot be written: {error}; name another place") from error
    return path


def load_record(path: Path) -> dict[str, str]:
    """The texts in record folder `path` by file name, for `CalibrationRecord.from_files`.

    Raises CalibrationError where `path` is no record folder.
    """
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
