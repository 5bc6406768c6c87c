import sys
import time
from collections.abc import Callable

import pytest
import serial

from jackfield.board import BoardSpec
from jackfield.device import Jackfield1Board
from jackfield.emulator.board_port import BoardPort
from jackfield.emulator.digital import DigitalBoard
from jackfield.emulator.faults import Faults
from jackfield.emulator.loop import Loop
from jackfield.emulator.randomness import Randomness
from jackfield.link import open_transport

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a pty")


RATE = 115_200


class Quiet:
    def configure(self, *_: object) -> None: ...

    def run(self, *_: object) -> None: ...

    def safe(self) -> None: ...


class Echo:
    """Says what it hears, and at each tick what it heard before."""

    def __init__(self) -> None:
        self.due = b""
        self.baud = RATE

    def receive(self, data: bytes) -> bytes:
        self.due += data.upper()
        return data

    def tick(self) -> bytes:
        due, self.due = self.due, b""
        if due == b"F":  # faster, behind the answer
            self.baud = 921_600
            return b""
        return due


def open_port(loop: Loop, faults: Faults, baud: int) -> str:
    echo: DigitalBoard = Echo()  # type: ignore[assignment]
    port = BoardPort(loop, echo, faults, Randomness("jf16", "ideal", 1), baud)
    loop.start()  # type: ignore[attr-defined]
    return port.url.removeprefix("serial://")


def test_the_line_is_raw_and_answers_come_before_what_they_announce(loop: Loop) -> None:
    with serial.Serial(open_port(loop, Faults(), 0), RATE, timeout=5) as line:
        line.write(b"\x03\x04\r\nab\x00")
        assert line.read(14) == b"\x03\x04\r\nab\x00\x03\x04\r\nAB\x00"


def test_bytes_are_paced_both_ways(loop: Loop) -> None:
    with serial.Serial(open_port(loop, Faults(), 115_200), RATE, timeout=10) as line:
        begin = time.monotonic()
        line.write(bytes(1000))
        assert line.read(2000) == bytes(2000)
        took = time.monotonic() - begin
    assert took >= 0.95 * 2000 * 10 / 115_200


def test_a_paced_line_follows_the_rate_that_was_agreed(loop: Loop) -> None:
    with serial.Serial(open_port(loop, Faults(), 9600), RATE, timeout=10) as line:
        line.write(b"f")
        assert line.read(1) == b"f"
        line.baudrate = 921_600
        begin = time.monotonic()
        line.write(bytes(2000))
        assert line.read(4000) == bytes(4000)
        assert time.monotonic() - begin < 0.5 * 4000 * 10 / 9600


def test_a_port_can_be_opened_again(loop: Loop) -> None:
    name = open_port(loop, Faults(), 0)
    for _ in range(3):
        with serial.Serial(name, RATE, timeout=5) as line:
            line.write(b"x")
            assert line.read(2) == b"xX"


def test_it_hangs_up_when_told(loop: Loop) -> None:
    name = open_port(loop, Faults(hangup=4), 0)
    with serial.Serial(name, RATE, timeout=5) as line:
        line.write(b"1234")
        with pytest.raises(serial.SerialException):
            line.read(1)


def test_at_another_rate_nobody_understands_the_other(loop: Loop) -> None:
    echo = Echo()
    board: DigitalBoard = echo  # type: ignore[assignment]
    port = BoardPort(loop, board, Faults(), Randomness("jf16", "ideal", 1), 0)
    loop.start()  # type: ignore[attr-defined]
    with serial.Serial(port.url.removeprefix("serial://"), RATE, timeout=5) as line:
        line.write(b"right")
        assert line.read(10) == b"rightRIGHT"
        line.baudrate = 921_600
        line.write(b"wr\0ng")
        heard = line.read(10)
        assert [byte == 0 for byte in heard[:5]] == [False, False, True, False, False]
        assert not set(heard[:5]) & set(b"wrng")
        line.baudrate = RATE
        line.write(b"right")
        assert line.read(10) == b"rightRIGHT"


def test_the_next_host_is_understood_though_the_last_one_was_killed(loop: Loop, jf16: BoardSpec) -> None:
    """It begins at the first rate, the board listens at the highest until it has heard garbage for a while."""
    board = DigitalBoard(jf16, Quiet(), time.monotonic, "5A31-0007")
    port = BoardPort(loop, board, Faults(), Randomness("jf16", "ideal", 1), 0)
    loop.start()  # type: ignore[attr-defined]
    line = open_transport(port.url)
    Jackfield1Board(line, jf16)
    assert board.baud == 921_600
    line.close()  # without a word to the board
    with Jackfield1Board(open_transport(port.url), jf16) as second:
        assert second.status().broken_frames >= 3
        assert board.baud == 921_600
    _await(lambda: board.baud == RATE)  # the board's answer leaves first: the host may be quicker than the change


def _await(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end, "waited for 10 s in vain"
        time.sleep(0.01)
