import pytest

from jackfield.link import AbstractTransport
from jackfield.testing import ExpectedTransport, expected_exchange


class Driver:
    """Asks a board in lines."""

    def __init__(self, line: AbstractTransport) -> None:
        self.line = line

    def ask(self, text: bytes) -> bytes:
        self.line.write(text[:1])
        self.line.write(text[1:])
        return self.line.read(0)


def test_an_exchange_is_played() -> None:
    with expected_exchange(Driver, [(b"ID?", b"X7"), (None, b"!"), (b"GO", None), (b"", b"")][:3]) as driver:
        assert driver.ask(b"ID?") == b"X7!"
        assert driver.ask(b"GO") == b""


def test_anything_else_fails() -> None:
    with (
        pytest.raises(AssertionError, match=r"sent b'N', expected b'ID\?'"),
        expected_exchange(Driver, [(b"ID?", b"X7")]) as driver,
    ):
        driver.ask(b"NO")


def test_unused_lines_fail() -> None:
    with (
        pytest.raises(AssertionError, match="2 lines were not used, the first"),
        expected_exchange(Driver, [(b"A", None), (b"B", None)]),
    ):
        pass


def test_half_a_line_and_a_line_too_many_fail() -> None:
    transport = ExpectedTransport([(b"AB", None)])
    transport.write(b"A")
    with pytest.raises(AssertionError, match="the beginning of a line only"):
        transport.check_used()
    with pytest.raises(AssertionError, match="after the last line"):
        transport.write(b"BC")
