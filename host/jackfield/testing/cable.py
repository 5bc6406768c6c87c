"""A board in the same process behind a serial cable whose time is only counted, never waited for."""

from typing import Final, Protocol, TextIO

from jackfield.errors import LinkError
from jackfield.link import AbstractTransport, Cable, CableOptions

__all__ = ["CableTransport"]

SILENCE_S: Final = 1e-6  # beyond a timeout, so that rounding never keeps its end away


class _Board(Protocol):
    def receive(self, data: bytes) -> bytes:
        """Bytes from the host; bytes for the host."""

    def tick(self) -> bytes:
        """Do what is due; bytes for the host."""


class CableTransport(AbstractTransport):
    """The cable of the bridge as a transport: the same pace, faults and record, on line time.

    Host and board take no line time of their own, so measurements are the same on every machine. After a
    hang-up everything raises LinkError until `plug_in` or `reconnect`.
    """

    def __init__(self, board: _Board, options: CableOptions, record: TextIO | None = None) -> None:
        self._board = board
        self._byte_s = 10 / options.baud if options.baud else 0.0
        self._cable = Cable(options, record)
        self._now = 0.0

    @property
    def name(self) -> str:
        return "cable"

    @property
    def byte_s(self) -> float:
        return self._byte_s

    @property
    def faults(self) -> int:
        """Faults so far."""
        return self._cable.faults

    def now(self) -> float:
        """Line time in seconds."""
        return self._now

    def write(self, data: bytes) -> None:
        self._check()
        self._cable.from_host(data, self._now)

    def read(self, timeout_s: float) -> bytes:
        """What arrives within `timeout_s` of line time; silence is instant."""
        end = self._now + timeout_s
        while True:
            self._check()
            next_at = self._cable.next_at
            if next_at is None or next_at > end:
                self._now = end + SILENCE_S
                return b""
            self._now = max(self._now, next_at)
            self._feed_board()
            arrived = self._cable.to_host(self._now)
            if arrived:
                return arrived

    def _feed_board(self) -> None:
        arrived = self._cable.to_board(self._now)
        if arrived:
            self._cable.from_board(self._board.receive(arrived) + self._board.tick(), self._now)

    def pull(self) -> None:
        """Pull the plug."""
        self._cable.cut()

    def plug_in(self) -> None:
        """Plug it in again."""
        self._cable.mend()

    @property
    def found_again(self) -> bool:
        return self._cable.hung_up

    def reconnect(self, patience_s: float) -> None:
        self.plug_in()

    def close(self) -> None:
        """Nothing to give back; the board stays connected."""

    def _check(self) -> None:
        if self._cable.hung_up:
            raise LinkError("the cable was pulled; plug it in again")
