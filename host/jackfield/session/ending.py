"""Leaving things safe, whatever ends the work."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from jackfield.errors import JackfieldError

__all__ = ["finally_do"]


@contextmanager
def finally_do(action: Callable[[], None], at_once: Callable[[], None] | None = None) -> Iterator[None]:
    """Do `action` when the block ends, also by an exception or Ctrl-C; where it fails too, it adds a note.

    A Ctrl-C during `action` itself goes to `at_once`, then on.
    """
    try:
        yield
    except BaseException as error:
        try:
            _do(action, at_once)
        except JackfieldError as failure:
            error.add_note(f"then leaving the board and its instruments safe failed: {failure}")
        raise
    else:
        _do(action, at_once)


def _do(action: Callable[[], None], at_once: Callable[[], None] | None) -> None:
    try:
        action()
    except KeyboardInterrupt:
        if at_once is not None:
            at_once()
        raise
