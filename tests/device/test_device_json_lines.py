"""JSON lines: echoes, log lines, late and damaged answers."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from jackfield.device.json_lines import JsonLines
from jackfield.errors import BoardError, DesignError, LinkError
from jackfield.testing import ScriptedLine


def scripted(answer: Callable[[dict[str, Any]], bytes]) -> ScriptedLine:
    return ScriptedLine(lambda line: answer(json.loads(line)))


def reply(request: dict[str, Any], msg: Any = None, **more: Any) -> bytes:
    answer = {"id": request["id"], "type": request["type"], "msg": msg or {}, "code": 0}
    return json.dumps(answer | more).encode() + b"\n"


def test_echo_log_and_noise_are_no_answers() -> None:
    def answer(request: dict[str, Any]) -> bytes:
        echo = json.dumps(request).encode() + b"\r\n"
        log = b'{"type": "log", "msg": {"text": "hello"}}\n'
        return echo + log + b"\n" + b"half a li{\n" + reply(request, {"found": 1})

    lines = JsonLines(scripted(answer))
    assert lines.ask("ping", {"a": 1}) == {"found": 1}
    assert lines.unreadable == 1


def test_a_late_answer_is_not_taken_for_the_next() -> None:
    late: list[bytes] = []

    def answer(request: dict[str, Any]) -> bytes:
        if request["type"] == "first":
            late.append(reply(request, {"of": "first"}))
            return b""
        return late[0] + reply(request, {"of": "second"})

    lines = JsonLines(scripted(answer))
    with pytest.raises(LinkError, match="did not answer first within 2 s"):
        lines.ask("first", {})
    assert lines.ask("second", {}) == {"of": "second"}


def test_an_answer_to_the_same_question_asked_before_is_late_too() -> None:
    told: list[bytes] = []

    def answer(request: dict[str, Any]) -> bytes:
        told.append(reply(request, {"number": len(told)}))
        return b"" if len(told) == 1 else told[0] + told[1]

    lines = JsonLines(scripted(answer))
    with pytest.raises(LinkError, match="did not answer"):
        lines.ask("status", {})
    assert lines.ask("status", {}) == {"number": 1}


def test_a_refusal_says_why() -> None:
    lines = JsonLines(scripted(lambda request: reply(request, code=-2, error="no such entity")))
    with pytest.raises(BoardError, match="refuses set_circuit: no such entity"):
        lines.ask("set_circuit", {})


def test_a_line_that_would_be_cut_is_not_sent() -> None:
    lines = JsonLines(scripted(lambda request: reply(request)), longest=200)
    with pytest.raises(DesignError, match="cuts lines at 200"):
        lines.ask("set_circuit", {"much": "x" * 200})


def test_notices_wait_until_they_are_asked_for() -> None:
    def answer(request: dict[str, Any]) -> bytes:
        notices = [{"type": "run_data", "msg": {"id": run, "data": [[1.0]]}} for run in ("other", "mine")]
        return b"".join(json.dumps(notice).encode() + b"\n" for notice in notices) + reply(request)

    line = scripted(answer)
    lines = JsonLines(line)
    lines.ask("start_run", {})
    notice = lines.notice("mine", line.now() + 1)
    assert notice is not None
    assert notice["msg"]["id"] == "mine"
    assert lines.notice("mine", line.now() + 1) is None
