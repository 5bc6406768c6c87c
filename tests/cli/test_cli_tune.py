"""`jackfield tune`: the ladder on an emulated bench, resumed, for this board alone, flash untouched."""

from pathlib import Path

import pytest

from jackfield.session import open_bench

from .conftest import Jackfield


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
