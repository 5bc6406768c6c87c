"""Runs of a LUCIDAC: sample rates, missing and damaged data, errors."""

import json
from typing import Any

import numpy as np
import pytest

from jackfield.device.json_lines import JsonLines
from jackfield.device.lucidac_run import RunPlan, play
from jackfield.errors import BoardError, DesignError, LinkError
from jackfield.testing import ScriptedLine

PLAN = RunPlan.of(1e-3, False, 2, 4)


def notices(run: str, *said: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"type": kind, "msg": {"id": run, **content}} for kind, content in said]


def played(*said: tuple[str, dict[str, Any]]) -> np.ndarray[Any, Any]:
    def answer(line: bytes) -> bytes:
        request = json.loads(line)
        ack = {"type": "start_run", "msg": {}, "code": 0}
        rows = [ack, *notices(request["msg"]["id"], *said)]
        return b"".join(json.dumps(row).encode() + b"\n" for row in rows)

    line = ScriptedLine(answer)
    return play(JsonLines(line), line.now, PLAN)


def data(*rows: list[Any]) -> tuple[str, dict[str, Any]]:
    return "run_data", {"data": list(rows)}


DONE = ("run_state_change", {"new": "DONE"})


def test_rates_are_those_the_converters_have() -> None:
    assert RunPlan.of(1e-3, False, 8, 16).rate == 16_000 or RunPlan.of(1e-3, False, 8, 16).rate * 1e-3 >= 16
    assert RunPlan.of(1e-3, False, 8, 10_000).rate == 125_000
    with pytest.raises(DesignError, match="too short for two samples of 8 channels"):
        RunPlan.of(10e-6, False, 8, 16)


def test_data_may_come_after_done() -> None:
    found = played(data([0.0, 0.1], [0.2, 0.3]), DONE, data([0.4, 0.5], [0.6, 0.7]))
    assert found[-1].tolist() == [0.6, 0.7]


def test_missing_samples_are_no_reading() -> None:
    with pytest.raises(LinkError, match="3 of 4 samples"):
        played(data([0.0, 0.1], [0.2, 0.3], [0.4, 0.5]), DONE)
    with pytest.raises(LinkError, match="does not say that the run has ended"):
        played(data(*[[0.0, 0.0]] * 4))


@pytest.mark.parametrize("row", [[0.1], [0.1, "x"], [0.1, None], "no row"])
def test_damaged_rows_are_no_reading(row: Any) -> None:
    with pytest.raises(LinkError, match="not rows of 2 numbers"):
        played(data([0.0, 0.1], row), DONE)


def test_an_error_of_the_run_is_the_boards() -> None:
    with pytest.raises(BoardError, match="overload of M0"):
        played(("run_state_change", {"new": "ERROR", "reason": "overload of M0"}))
