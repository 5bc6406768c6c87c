"""The checks before the first reading: is there a place, may we write there, is there room."""

import os
import re
import shutil
from pathlib import Path

from jackfield.errors import CalibrationError, DesignError

__all__ = ["check_name", "check_room", "check_writable"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def check_name(text: str, what: str) -> str:
    """`text`, where it can be part of a folder's name on every platform; raises DesignError otherwise."""
    if len(text) > 80 or not _NAME.fullmatch(text) or text.endswith("."):
        raise DesignError(
            f"{what} {text!r} cannot be part of a folder's name; use up to 80 letters, digits, "
            "'.', '_' and '-', the first one a letter or digit"
        )
    return text


def check_writable(folder: Path) -> None:
    """Raise CalibrationError where `folder` is no directory that can be written."""
    if not folder.is_dir():
        raise CalibrationError(f"{folder} is not a folder; remove that file or name another with --runs DIR")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise CalibrationError(
            f"{folder} cannot be written by this user; change its rights or name another with --runs DIR"
        )


def check_room(folder: Path, needed_bytes: int) -> None:
    """Raise CalibrationError where the disk under `folder` has less than `needed_bytes` free."""
    free = shutil.disk_usage(folder).free
    if free < needed_bytes:
        raise CalibrationError(
            f"the run needs {needed_bytes / 1e6:.1f} MB, {folder} has {free / 1e6:.1f} MB free; "
            "free some space or name another disk with --runs DIR"
        )
