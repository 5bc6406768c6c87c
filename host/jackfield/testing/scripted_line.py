"""A line on which every write is answered by a function, with a clock that only waiting moves."""

from collections.abc import Callable

from jackfield.link import AbstractTransport

__all__ = ["ScriptedLine"]


class ScriptedLine(AbstractTransport):
    """`answer` gets the bytes of each write and returns what comes back, which arrives in pieces of 7 bytes."""

    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        self._answer = answer
        self._waiting = bytearray()
        self._now = 0.0

    @property
    def name(self) -> str:
        return "line"

    @property
    def byte_s(self) -> float:
        return 0.0

    def now(self) -> float:
        return self._now

    def write(self, data: bytes) -> None:
        self._waiting += self._answer(data)

    def read(self, timeout_s: float) -> bytes:
        if not self._waiting:
            self._now += timeout_s + 1e-9  # rounding must not stop the clock
        piece = bytes(self._waiting[:7])
        del self._waiting[:7]
        return piece

    def close(self) -> None:
        pass
