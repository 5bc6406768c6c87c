"""The line breaks around the one request of an upload that changes the board: nothing is left in doubt in silence."""

from collections.abc import Callable
from typing import Any

import pytest

from jackfield.device import Jackfield1Board
from jackfield.emulator.settings import Settings
from jackfield.errors import BoardError, LinkError
from jackfield.link import messages as m
from jackfield.testing import LoopbackTransport

Rig = Any  # tests/device/conftest.py
Holds = Callable[[Settings | None, Any], None]
APPLY = m.LAYOUTS[m.Apply].number


class Line(LoopbackTransport):
    """Calls `at_apply` instead of carrying an apply; carries nothing while `broken`. Waiting is free."""

    broken = False
    found_again = False
    at_apply: Callable[[bytes], None] | None = None
    reconnections = 0
    _now = 0.0

    def now(self) -> float:
        return self._now

    def write(self, data: bytes) -> None:
        if data[1] == APPLY and self.at_apply is not None:
            self.at_apply(data)
        elif not self.broken:
            super().write(data)

    def read(self, timeout_s: float) -> bytes:
        data = b"" if self.broken else super().read(timeout_s)
        self._now += 0.0 if data else timeout_s
        return data

    def carry(self, data: bytes) -> None:
        """Past `at_apply`."""
        super().write(data)

    def reconnect(self, patience_s: float) -> None:
        self.reconnections += 1
        self.broken = self.found_again = False


@pytest.fixture
def line(rig: Rig) -> Line:
    return Line(rig.digital)


@pytest.fixture
def board(rig: Rig, line: Line) -> Jackfield1Board:
    board = Jackfield1Board(line, rig.spec)
    board.apply(rig.image(1))
    return board


def test_an_answer_that_is_lost_is_asked_for(rig: Rig, board: Jackfield1Board, line: Line, holds: Holds) -> None:
    def arrives_unheard(data: bytes) -> None:
        line.at_apply = None
        line.carry(data)
        line._ready.clear()

    line.at_apply = arrives_unheard
    assert board.apply(rig.image(2)).verified
    holds(rig.analog.settings, rig.image(2))
    assert rig.analog.calls.count("configure") == 2
    assert board.apply(rig.image(2)).kind == "none"


@pytest.mark.parametrize("arrives", [True, False])
def test_behind_a_cable_that_was_pulled_it_is_asked_for_and_sent_again(
    rig: Rig, board: Jackfield1Board, line: Line, holds: Holds, arrives: bool
) -> None:
    def pulled(data: bytes) -> None:
        line.at_apply = None
        if arrives:
            line.carry(data)
            line._ready.clear()
        line.broken = line.found_again = True
        raise LinkError("the cable was pulled")

    line.at_apply = pulled
    assert board.apply(rig.image(2)).verified
    holds(rig.analog.settings, rig.image(2))
    assert (line.reconnections, rig.analog.calls.count("configure")) == (1, 2)


@pytest.mark.parametrize("arrives", [True, False])
def test_a_line_that_ends_there_leaves_either_image_whole_and_says_so(
    rig: Rig, board: Jackfield1Board, line: Line, holds: Holds, arrives: bool
) -> None:
    def ends(data: bytes) -> None:
        line.broken = True
        if arrives:
            line.carry(data)

    line.at_apply = ends
    with pytest.raises(LinkError, match="it runs this image or the one before, whole in either case; connect again"):
        board.apply(rig.image(2))
    assert line.now() < 30
    holds(rig.analog.settings, rig.image(2 if arrives else 1))
    line.broken, line.at_apply = False, None
    assert board.apply(rig.image(2)).verified
    holds(rig.analog.settings, rig.image(2))


def test_a_board_that_lost_its_power_there_is_not_told_to_apply(rig: Rig, board: Jackfield1Board, line: Line) -> None:
    def starts_anew(data: bytes) -> None:
        line.at_apply = None
        line._board = rig.new_board()
        line.carry(data)

    line.at_apply = starts_anew
    with pytest.raises(LinkError, match="started anew and lost its configuration"):
        board.apply(rig.image(2))
    assert board.apply(rig.image(2)).kind == "whole"


def test_a_refused_apply_changes_nothing(rig: Rig, board: Jackfield1Board, line: Line, holds: Holds) -> None:
    def runs_meanwhile(data: bytes) -> None:
        rig.digital._pending = 0, m.Run(9, 0, 0, 1, 0, 0, 0, 0, b""), rig.program(), []
        line.carry(data)

    line.at_apply = runs_meanwhile
    with pytest.raises(BoardError, match="run 9 is still going; nothing was changed"):
        board.apply(rig.image(2))
    holds(rig.analog.settings, rig.image(1))
