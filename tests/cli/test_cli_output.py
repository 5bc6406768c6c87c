"""People's lines and the one JSON object do not mix."""

import json

import numpy as np
import pytest

from jackfield.cli.output import Output


def test_json_leaves_exactly_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output(as_json=True)
    output.say("line")
    output.table("title", ("a",), [(1,)])
    output.warn("careful")
    output.result({"x": np.float64(0.5), "y": np.array([1, 2]), "z": float("nan"), "w": (True, None)})
    printed = capsys.readouterr()
    assert json.loads(printed.out) == {"x": 0.5, "y": [1, 2], "z": None, "w": [True, None]}
    assert printed.err == "warning: careful\n"


def test_people_get_lines_and_tables(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output(as_json=False)
    output.say("line")
    output.table("title", ("a", "b"), [(1, "3.2 uS [x]")])
    output.result({"x": 1})
    printed = capsys.readouterr().out
    assert "line\n" in printed
    assert "3.2 uS [x]" in printed
    assert "{" not in printed


def test_no_bar_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with Output(as_json=False).progress("work") as advance:
        advance(1, 2)
    assert capsys.readouterr() == ("", "")


def test_a_narrow_terminal_cuts_nothing(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "30")
    Output(as_json=False).table("", ("quantity", "mean"), [("threshold_offset_V_of_a_cell", "0.0002808")])
    printed = capsys.readouterr().out
    assert "…" not in printed


def test_a_line_does_not_run_into_the_bar(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    output = Output(as_json=False)
    with output.progress("work") as advance:
        advance(1, 2)
        output.say("epoch 1")
        assert capsys.readouterr().out == "epoch 1\n"
        advance(2, 2)
    assert capsys.readouterr().out == ""
