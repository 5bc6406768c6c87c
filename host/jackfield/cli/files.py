"""Files written whole: under `.part`, then renamed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jackfield.errors import DesignError

__all__ = ["creatable", "existing", "new_file", "vacant", "writable", "writing"]


def existing(path: Path, what: str) -> Path:
    """`path`, where something is there; raises DesignError naming `what` was asked otherwise."""
    if not path.exists():
        raise DesignError(f"{path} does not exist; name {what}")
    return path


def writable(path: Path) -> Path:
    """`path`, where a file of that name can be written now; raises DesignError otherwise.

    Asked before a board runs, so that nothing is measured in vain.
    """
    folder = path.absolute().parent
    if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        why = "it is a folder" if path.is_dir() else f"{folder} is no folder that this user may write to"
        raise DesignError(f"{path} cannot be written: {why}; name another place")
    return path


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to; it gets its name when the block ends well and is removed otherwise."""
    part = writable(path).with_name(path.name + ".part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def vacant(path: Path, what: str) -> Path:
    """`path`, where nothing is there yet and its folder can be written; raises DesignError otherwise.

    Asked before long work, so that nothing is lost for want of a place.
    """
    if path.exists():
        raise DesignError(f"{path} exists; {what} is never overwritten: name another one")
    return creatable(path)


def new_file(path: Path, what: str) -> Path:
    """`path`, where a file can be written into a folder that is there, and none is yet; else raises DesignError."""
    return vacant(writable(path), what)


def creatable(path: Path) -> Path:
    """`path`, where it and the folders above it can be made now; raises DesignError otherwise."""
    folder = path.absolute().parent
    while not folder.exists():
        folder = folder.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise DesignError(f"{path} cannot be written: {folder} is closed to this user; name another place")
    return path
