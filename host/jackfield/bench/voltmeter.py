"""What a bench asks of a voltmeter."""

from abc import ABC, abstractmethod
from typing import ClassVar

__all__ = ["AbstractVoltmeter"]


class AbstractVoltmeter(ABC):
    """A meter on one jack of the board."""

    idn_pattern: ClassVar[str]

    @property
    @abstractmethod
    def identity(self) -> str:
        """The answer to `*IDN?`."""

    @abstractmethod
    def read_volts(self) -> float:
        """One reading in volts; raises InstrumentError on overload."""

    @abstractmethod
    def close(self) -> None:
        """Leave the instrument; never raises."""
