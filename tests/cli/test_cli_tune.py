"""`jackfield tune`: the ladder on an emulated bench, resumed, for this board alone, flash untouched."""

import contextlib
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

from jackfield.session import open_bench

from .conftest import COMMAND, Jackfield


@pytest.fixture
def tuned(jackfield: Jackfield, bench: Path, model: Path, tmp_path: Path) -> dict[str, object]:
    words = ("tune", model, "--bench", bench, "--passes", 128, "--inputs", 16, "--runs", tmp_path, "--json")
    ran = jackfield(*words, "-o", tmp_path / "tuned.jfi")
    assert ran.status == 0, ran.err
    return ran.values


def test_the_ladder_and_its_costs(
    tuned: dict[str, object], jackfield: Jackfield, bench: Path, model: Path, tmp_path: Path
) -> None:
    ladder: list[dict[str, float]] = tuned["ladder"]  # type: ignore[assignment]
    assert [rung["rung"] for rung in ladder] == ["float", "quantised", "board_raw", "board_tuned"]
    assert [rung["passes"] for rung in ladder] == [0, 0, 16, 128 + 16]
    assert ladder[-1]["output_error_V"] > 0
    with open_bench(bench) as opened:
        assert opened.board.status().erases == 0
    again = ("--bench", bench, "--resume", str(tuned["run"]), "--inputs", 16, "--json", "-o", tmp_path / "again.jfi")
    other = jackfield("tune", model, "--passes", 256, *again)
    assert other.status == 1
    assert "was begun with passes = 128" in other.err
    assert jackfield("tune", model, "--passes", 128, *again).status == 0
    assert (tmp_path / "again.jfi").read_bytes() == (tmp_path / "tuned.jfi").read_bytes()
    stranger = "emulator://jf96?profile=ideal&seed=8"
    asked = ("evaluate", model, "--image", tmp_path / "tuned.jfi", "--inputs", 4, "--bench", stranger)
    refused = jackfield(*asked)
    assert refused.status == 1
    assert "--other-board" in refused.err
    assert jackfield(*asked, "--other-board").status == 0


def test_boards_of_a_record_need_a_record(jackfield: Jackfield, bench: Path, model: Path, tmp_path: Path) -> None:
    ran = jackfield("tune", model, "--bench", bench, "--aware", "record", "-o", tmp_path / "t.jfi")
    assert ran.status == 1
    assert "no record is given" in ran.err


def test_a_killed_tuning_ends_with_the_same_codes(jackfield: Jackfield, model: Path, tmp_path: Path) -> None:
    """On a board with noise and mismatch, which repeats itself for one seed."""
    words = ["tune", str(model), "--bench", "emulator://jf96?profile=cmos&seed=3", "--passes", "192", "--inputs", "4"]
    whole, killed = tmp_path / "whole.jfi", tmp_path / "killed.jfi"
    assert jackfield(*words, "--runs", tmp_path / "whole", "-o", whole).status == 0
    process = subprocess.Popen([*COMMAND, *words, "--runs", str(tmp_path / "killed"), "-o", str(killed)])
    folder = _read(tmp_path / "killed", 1, process)
    process.kill()
    process.wait()
    assert not killed.exists()
    assert jackfield(*words, "--resume", folder, "-o", killed).status == 0
    assert killed.read_bytes() == whole.read_bytes()


def _read(runs: Path, batches: int, process: "subprocess.Popen[bytes]") -> Path:
    """The run folder, once so many of its 3 batches have been read."""
    deadline = time.monotonic() + 240
    while True:
        assert time.monotonic() < deadline
        with contextlib.suppress(subprocess.TimeoutExpired):
            raise AssertionError(f"the tuning ended with {process.wait(timeout=0.002)} before it could be killed")
        for file in runs.glob("*/readings.sqlite"):
            with contextlib.suppress(sqlite3.OperationalError), contextlib.closing(sqlite3.connect(file)) as journal:
                count = "SELECT count(*) FROM readings WHERE key LIKE 'forward %'"
                if journal.execute(count).fetchone()[0] >= batches:
                    return file.parent
