"""What a bench asks of a scanner: one slow meter that goes from jack to jack."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

__all__ = ["AbstractScanner"]


class AbstractScanner(ABC):
    """A multiplexer with a meter behind it."""

    idn_pattern: ClassVar[str]

    @property
    @abstractmethod
    def identity(self) -> str:
        """The answer to `*IDN?`."""

    @abstractmethod
    def scan(self) -> Mapping[str, float]:
        """Volts by the name of the jack, one reading each; raises InstrumentError on overload."""

    @abstractmethod
    def close(self) -> None:
        """Leave the instrument; never raises."""
