import sys
import time

import pytest
import serial

from jackfield.emulator.board_port import BoardPort
from jackfield.emulator.digital import DigitalBoard
from jackfield.emulator.faults import Faults
from jackfield.emulator.loop import Loop
from jackfield.emulator.randomness import Randomness

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a pty")


class Echo:
    """Says what it hears, and at each tick what it heard before."""

    def __init__(self) -> None:
        self.due = b""
        self.baud = 115_200

    def receive(self, data: bytes) -> bytes:
        self.due += data.upper()
        if data == b"f":  # faster, from now on
            self.baud = 921_600
        return data

    def tick(self) -> bytes:
        due, self.due = self.due, b""
        return due


def open_port(loop: Loop, faults: Faults, baud: int) -> str:
    echo: DigitalBoard = Echo()  # type: ignore[assignment]
    port = BoardPort(loop, echo, faults, Randomness("jf16", "ideal", 1), baud)
    loop.start()  # type: ignore[attr-defined]
    return port.url.removeprefix("serial://")


def test_the_line_is_raw_and_answers_come_before_what_they_announce(loop: Loop) -> None:
    with serial.Serial(open_port(loop, Faults(), 0), timeout=5) as line:
        line.write(b"\x03\x04\r\nab\x00")
        assert line.read(14) == b"\x03\x04\r\nab\x00\x03\x04\r\nAB\x00"


def test_bytes_are_paced_both_ways(loop: Loop) -> None:
    with serial.Serial(open_port(loop, Faults(), 115_200), timeout=10) as line:
        begin = time.monotonic()
        line.write(bytes(1000))
        assert line.read(2000) == bytes(2000)
        took = time.monotonic() - begin
    assert took >= 0.95 * 2000 * 10 / 115_200


def test_a_paced_line_follows_the_rate_that_was_agreed(loop: Loop) -> None:
    with serial.Serial(open_port(loop, Faults(), 9600), timeout=10) as line:
        line.write(b"f")
        assert line.read(2) == b"fF"
        begin = time.monotonic()
        line.write(bytes(2000))
        assert line.read(4000) == bytes(4000)
        assert time.monotonic() - begin < 0.5 * 4000 * 10 / 9600


def test_a_port_can_be_opened_again(loop: Loop) -> None:
    name = open_port(loop, Faults(), 0)
    for _ in range(3):
        with serial.Serial(name, timeout=5) as line:
            line.write(b"x")
            assert line.read(2) == b"xX"


def test_it_hangs_up_when_told(loop: Loop) -> None:
    name = open_port(loop, Faults(hangup=4), 0)
    with serial.Serial(name, timeout=5) as line:
        line.write(b"1234")
        with pytest.raises(serial.SerialException):
            line.read(1)
