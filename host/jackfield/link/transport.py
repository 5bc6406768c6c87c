"""The seam between frames and whatever carries bytes to a board."""

from abc import ABC, abstractmethod
from typing import Self

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
