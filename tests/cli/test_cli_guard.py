"""Failures of a verb become one message and an exit status."""

import errno
import json

import pytest
import typer

from jackfield.cli.guard import explain, guarded
from jackfield.errors import CalibrationError, DesignError


def _fails_with(error: BaseException) -> None:
    def verb(as_json: bool = False, verbose: bool = False) -> None:
        raise error

    guarded(verb)(as_json=True)


@pytest.mark.parametrize(
    ("error", "status"),
    [(DesignError("asked; possible; do"), 1), (FileNotFoundError(2, "No such file"), 1), (KeyboardInterrupt(), 130)],
)
def test_statuses(error: BaseException, status: int, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as end:
        _fails_with(error)
    assert end.value.exit_code == status
    printed = capsys.readouterr()
    assert "Traceback" not in printed.err
    assert set(json.loads(printed.out)["error"]) == {"kind", "message"}


def test_what_is_our_own_fault_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        _fails_with(ZeroDivisionError())


def test_verbose_shows_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    def verb(verbose: bool = False) -> None:
        raise DesignError("asked")

    with pytest.raises(typer.Exit):
        guarded(verb)(verbose=True)
    assert "Traceback" in capsys.readouterr().err


def test_a_full_disk_is_named_through_whatever_wraps_it() -> None:
    wrapped = CalibrationError("the database failed")
    wrapped.__cause__ = OSError(errno.ENOSPC, "No space left on device", "runs/x")
    assert "the disk is full while writing runs/x" in explain(wrapped)


def test_other_file_errors_name_the_file() -> None:
    assert explain(PermissionError(errno.EACCES, "Permission denied", "a.jfi")).startswith("a.jfi: Permission denied")


@pytest.mark.parametrize("error", [DesignError("asked"), KeyboardInterrupt()])
def test_a_board_that_could_not_be_left_safe_is_told(error: BaseException, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        error.add_note("then leaving the board safe failed: the port is gone")
    with pytest.raises(typer.Exit):
        _fails_with(error)
    assert capsys.readouterr().err.count("then leaving the board safe failed: the port is gone\n") == 1
