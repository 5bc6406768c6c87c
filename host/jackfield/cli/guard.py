"""What every verb shares when it fails: one message, the right exit status, no traceback."""

import errno
import traceback
from collections.abc import Callable
from functools import wraps
from typing import Any

import typer

from jackfield.cli.output import print_json
from jackfield.errors import JackfieldError

__all__ = ["guarded"]

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def guarded(function: Callable[..., None]) -> Callable[..., None]:
    """`function`, a verb, with its failures turned into messages and exit status 1 or 130.

    What the user can mend is printed as one line; `--verbose` adds the traceback, `--json` one object.
    """

    @wraps(function)
    def call(*values: Any, **options: Any) -> None:
        try:
            function(*values, **options)
        except (JackfieldError, OSError) as error:
            if options.get("verbose"):
                traceback.print_exc()
            _fail(type(error).__name__, explain(error), bool(options.get("as_json")))
            raise typer.Exit(1) from error
        except KeyboardInterrupt as error:
            message = _with_notes("interrupted; nothing half-written was left", error)
            _fail("Interrupted", message, bool(options.get("as_json")))
            raise typer.Exit(130) from error

    return call


def explain(error: JackfieldError | OSError) -> str:
    """A message for people: what was asked, what is possible, what to do; a line for what went wrong after it."""
    return _with_notes(_message(error), error)


def _with_notes(message: str, error: BaseException) -> str:
    """`message` and the notes on `error`, such as that a board could not be left safe."""
    return "\n".join([message, *dict.fromkeys(getattr(error, "__notes__", ()))])


def _message(error: JackfieldError | OSError) -> str:
    full = _full_disk(error)
    if full is not None:
        where = f" while writing {full.filename}" if full.filename else ""
        return f"the disk is full{where}; nothing half-written was left: free some space or name another place"
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}; name another file or change its rights"
    return str(error)


def _full_disk(error: BaseException | None) -> OSError | None:
    while error is not None:
        if isinstance(error, OSError) and error.errno in _FULL:
            return error
        error = error.__cause__
    return None


def _fail(kind: str, message: str, as_json: bool) -> None:
    typer.echo(f"error: {message}" if kind != "Interrupted" else message, err=True)
    if as_json:
        print_json({"error": {"kind": kind, "message": message}})
