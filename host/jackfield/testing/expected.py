"""An exchange as a test: what a driver must send, and what it gets for it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from jackfield.link import AbstractTransport

__all__ = ["ExpectedTransport", "expected_exchange"]

Driver = TypeVar("Driver")
Line = tuple[bytes | None, bytes | None]


class ExpectedTransport(AbstractTransport):
    """Plays a recorded exchange of `(sent, answered)` lines.

    A line with sent None speaks up by itself once the line before is used up; with answered None it stays silent.
    A driver may send a line in pieces. AssertionError where it sends anything else.
    """

    def __init__(self, exchange: Sequence[Line]) -> None:
        self._lines = list(exchange)
        self._partial = b""
        self._ready = bytearray()
        self._speak_up()

    @property
    def name(self) -> str:
        return "expected exchange"

    @property
    def byte_s(self) -> float:
        return 0.0

    def write(self, data: bytes) -> None:
        self._partial += data
        while self._partial:
            assert self._lines, f"sent {self._partial!r} after the last line of the exchange"
            sent, answered = self._lines[0]
            assert sent is not None
            common = min(len(sent), len(self._partial))
            assert self._partial[:common] == sent[:common], f"sent {self._partial!r}, expected {sent!r}"
            if len(self._partial) < len(sent):
                return
            self._partial = self._partial[len(sent) :]
            self._ready += answered or b""
            del self._lines[0]
            self._speak_up()

    def read(self, timeout_s: float) -> bytes:
        """What is ready; silence is instant, whatever the timeout."""
        data, self._ready = bytes(self._ready), bytearray()
        return data

    def close(self) -> None:
        """Nothing to give back."""

    def check_used(self) -> None:
        """AssertionError where a line was not used, in full."""
        assert not self._partial, f"sent {self._partial!r}, the beginning of a line only"
        assert not self._lines, f"{len(self._lines)} lines were not used, the first: {self._lines[0]!r}"

    def _speak_up(self) -> None:
        while self._lines and self._lines[0][0] is None:
            self._ready += self._lines.pop(0)[1] or b""


@contextmanager
def expected_exchange(driver: Callable[[AbstractTransport], Driver], exchange: Sequence[Line]) -> Iterator[Driver]:
    """The driver that `driver(transport)` makes, on a line that plays `exchange`; unused lines fail at the end.

    with expected_exchange(MyBoard, [(b"*ID?\\n", b"MY-BOARD 7\\n")]) as board:
        assert board.identity == "MY-BOARD 7"
    """
    transport = ExpectedTransport(exchange)
    yield driver(transport)
    transport.check_used()
