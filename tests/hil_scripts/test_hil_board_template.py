"""The template of a third party's board passes conformance; a board that lies does not."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jackfield.board import BoardSpec
from jackfield.device import AbstractBoard, CheckResult, conformance, dialects, driver_conformance
from jackfield.errors import BoardError
from jackfield.testing import ScriptedLine

FOLDER = Path(__file__).parents[2] / "hil_scripts" / "templates"


class Acme:
    """The board behind the template's lines."""

    def __init__(self, spec: BoardSpec) -> None:
        self.image = bytes(spec.payload_bytes).hex()
        self.scans = 0

    def answer(self, line: bytes) -> bytes:
        word, *rest = line.decode().split()
        if word == "SET":
            self.image = rest[0]
        if word == "RUN":
            self.scans = int(rest[1])
        answers = {"ID?": "acme-2,0007,1.0", "GET?": self.image, "DONE?": str(self.scans)}
        return answers.get(word, "OK").encode() + b"\n"


@pytest.fixture
def acme(monkeypatch: pytest.MonkeyPatch) -> tuple[Any, BoardSpec]:
    """The template as a module, its dialect registered."""
    spec = importlib.util.spec_from_file_location("acme_board", FOLDER / "acme_board.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    class Point:
        name = "acme-lines"

        @staticmethod
        def load() -> type[AbstractBoard]:
            return module.AcmeBoard

    monkeypatch.setattr(dialects, "entry_points", lambda group: [Point])
    return module, BoardSpec.from_toml((module.spec_folder() / "acme-2.toml").read_text())


def failing(board: Callable[[bytes], bytes], spec: BoardSpec) -> list[CheckResult]:
    return [result for result in conformance(ScriptedLine(board), spec) if result.failed]


def test_the_template_passes_conformance(acme: tuple[Any, BoardSpec]) -> None:
    _, spec = acme
    results = conformance(ScriptedLine(Acme(spec).answer), spec)
    assert [result for result in results if result.outcome != "passed"] == []
    assert len(results) == len(driver_conformance.CHECKS)


def test_a_board_that_forgets_fails(acme: tuple[Any, BoardSpec]) -> None:
    _, spec = acme
    board = Acme(spec)

    def forgets(line: bytes) -> bytes:
        return b"OK\n" if line.startswith(b"SET") else board.answer(line)

    assert {"holds_what_it_was_given", "goes_back"} <= {result.name for result in failing(forgets, spec)}


def test_a_board_that_plays_too_little_fails(acme: tuple[Any, BoardSpec]) -> None:
    _, spec = acme
    board = Acme(spec)
    found = failing(lambda line: b"1\n" if line.startswith(b"DONE") else board.answer(line), spec)
    assert [(result.name, result.reason) for result in found] == [("plays_inputs", "1 scans are reported of 2")]


def test_another_board_is_refused(acme: tuple[Any, BoardSpec]) -> None:
    module, spec = acme
    with pytest.raises(BoardError, match="'other' is connected, acme-2 is asked"):
        module.AcmeBoard(ScriptedLine(lambda line: b"other,1,1\n"), spec)
