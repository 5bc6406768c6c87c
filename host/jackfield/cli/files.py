"""Files written whole: under `.part`, then renamed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jackfield.errors import DesignError

__all__ = ["existing", "writing"]


def existing(path: Path, what: str) -> Path:
    """`path`, where something is there; raises DesignError naming `what` was asked otherwise."""
    if not path.exists():
        raise DesignError(f"{path} does not exist; name {what}")
    return path


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to; it gets its name when the block ends well and is removed otherwise."""
    part = path.with_name(path.name + ".part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
