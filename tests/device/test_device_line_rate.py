"""Both sides agree on a faster line, and find each other again where that fails."""

from typing import Any

import pytest

from jackfield.device import Jackfield1Board
from jackfield.emulator.digital import DigitalBoard
from jackfield.errors import LinkError
from jackfield.testing import LoopbackTransport

Rig = Any  # tests/device/conftest.py


class Line(LoopbackTransport):
    """Bytes are noise at the other end while the two rates differ; each wait for an answer takes its time."""

    def __init__(self, board: DigitalBoard, clock: Any, fastest: int) -> None:
        super().__init__(board)
        self._digital, self._clock, self._fastest = board, clock, fastest
        self.baud = 115_200

    @property
    def byte_s(self) -> float:
        return 10 / self.baud

    @property
    def can_change_baud(self) -> bool:
        return True

    def set_baud(self, baud: int) -> None:
        if baud > self._fastest:
            raise LinkError(f"{baud} baud is too fast")
        self.baud = baud

    def now(self) -> float:
        return float(self._clock.now)

    def write(self, data: bytes) -> None:
        heard = self._digital.receive(self._through(data))
        self._ready += self._through(heard)
        self._ready += self._through(self._digital.tick())

    def read(self, timeout_s: float) -> bytes:
        self._ready += self._through(self._digital.tick())
        data, self._ready = bytes(self._ready), bytearray()
        self._clock.now += 0 if data else timeout_s + 1e-6
        return data

    def _through(self, data: bytes) -> bytes:
        return data if self.baud == self._digital.baud or not data else b"\xa5noise\0"


def connected(rig: Rig, fastest: int = 10**9) -> tuple[Line, Jackfield1Board]:
    line = Line(rig.new_board(), rig.clock, fastest)
    return line, Jackfield1Board(line, rig.spec)


def test_the_highest_rate_while_it_lasts_and_the_first_again_at_the_end(rig: Rig) -> None:
    line, board = connected(rig)
    assert line.baud == rig.digital.baud == 921_600
    assert board.apply(rig.image(1)).verified
    board.close()
    assert line.baud == rig.digital.baud == 115_200


def test_an_adapter_that_cannot_leaves_both_at_the_first_rate(rig: Rig) -> None:
    line, board = connected(rig, fastest=230_400)
    assert line.baud == rig.digital.baud == 115_200
    assert board.apply(rig.image(1)).verified


def test_a_board_that_started_anew_is_found_at_its_first_rate(rig: Rig) -> None:
    line, board = connected(rig)
    rig.digital._power_up()
    assert rig.digital.baud == 115_200
    with pytest.raises(LinkError, match="stopped answering"):
        board.apply(rig.image(1))
    assert board.apply(rig.image(1)).verified
    assert line.baud == rig.digital.baud == 115_200


def test_the_next_host_is_understood_though_the_last_one_was_killed(rig: Rig) -> None:
    connected(rig)
    assert rig.digital.baud == 921_600
    rig.clock.now += 60
    line = Line(rig.digital, rig.clock, 10**9)
    board = Jackfield1Board(line, rig.spec)
    assert board.apply(rig.image(1)).verified
    assert line.baud == rig.digital.baud == 921_600
