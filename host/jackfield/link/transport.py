"""The seam between frames and whatever carries bytes to a board."""

import time
from abc import ABC, abstractmethod
from typing import Self

from jackfield.errors import LinkError

__all__ = ["AbstractTransport"]


class AbstractTransport(ABC):
    """A two-way stream of bytes with deadlines. Every failure is a LinkError that names the port."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What a message calls it: the URL."""

    @property
    @abstractmethod
    def byte_s(self) -> float:
        """Seconds that one byte spends on the line (10 bits at the baud rate), 0 where nothing paces it."""

    def now(self) -> float:
        """Seconds on the clock that timeouts are counted on; it never runs backwards."""
        return time.monotonic()

    @property
    def can_change_baud(self) -> bool:
        """Whether `set_baud` may be used: there is a rate, and nobody has fixed it."""
        return False

    def set_baud(self, baud: int) -> None:
        """Go on at another rate; raises LinkError where the line has none or cannot."""
        raise LinkError(f"{self.name} has no line rate that could be {baud} baud; leave it as it is")

    def pulse_dtr(self, low_s: float) -> None:  # noqa: B027 - most lines have no DTR
        """Drop DTR for `low_s` seconds, which resets some boards; nothing where the line has none."""

    @property
    def found_again(self) -> bool:
        """Whether the line has gone in a way that it may come back by itself: an adapter that was unplugged."""
        return False

    def reconnect(self, patience_s: float) -> None:
        """Open the line again at its first rate, within `patience_s`; raises LinkError where that fails."""
        raise LinkError(f"{self.name} cannot be opened again; connect anew (waited {patience_s:g} s)")

    @abstractmethod
    def write(self, data: bytes) -> None:
        """Hand over all of `data`; raises LinkError where the line is gone or does not take it in time."""

    @abstractmethod
    def read(self, timeout_s: float) -> bytes:
        """What has arrived, waiting up to `timeout_s` for the first byte; b"" if nothing did.

        Raises LinkError where the line is gone.
        """

    @abstractmethod
    def close(self) -> None:
        """Give the line back; closing twice is allowed."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
