"""A board in the same process, on a line that takes no time."""

from typing import Protocol

from jackfield.link import AbstractTransport

__all__ = ["LoopbackTransport"]


class _Board(Protocol):
    def receive(self, data: bytes) -> bytes:
        """Bytes from the host; bytes for the host."""

    def tick(self) -> bytes:
        """Do what is due; bytes for the host."""


class LoopbackTransport(AbstractTransport):
    """Connects a driver to a board's state machine, such as an emulated board's digital half."""

    def __init__(self, board: _Board) -> None:
        self._board = board
        self._ready = bytearray()

    @property
    def name(self) -> str:
        return "loopback"

    @property
    def byte_s(self) -> float:
        return 0.0

    def write(self, data: bytes) -> None:
        self._ready += self._board.receive(data)
        self._ready += self._board.tick()

    def read(self, timeout_s: float) -> bytes:
        """What is ready; silence is instant, whatever the timeout."""
        self._ready += self._board.tick()
        data, self._ready = bytes(self._ready), bytearray()
        return data

    def close(self) -> None:
        """Nothing to give back."""
