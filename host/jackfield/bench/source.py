"""What a bench asks of a source-measure unit."""

from abc import ABC, abstractmethod
from typing import ClassVar, final

from jackfield.errors import InstrumentError
from jackfield.units import format_quantity

__all__ = ["AbstractSource"]


class AbstractSource(ABC):
    """A source that drives only within limits given in the bench file.

    Raises InstrumentError at once where a limit is missing.
    """

    idn_pattern: ClassVar[str]

    def __init__(self, limit_A: float | None, limit_V: float | None) -> None:
        if limit_A is None or limit_V is None:
            raise InstrumentError("a source is to be used without limits; give limit_A and limit_V in the bench file")
        self.limit_A = limit_A
        self.limit_V = limit_V

    @final
    def drive(self, volts: float) -> None:
        """Put `volts` on the output; raises InstrumentError beyond `limit_V`."""
        if abs(volts) > self.limit_V:
            raise InstrumentError(
                f"{format_quantity(volts, 'V')} is asked of a source limited to {format_quantity(self.limit_V, 'V')}; "
                "ask for less or raise limit_V in the bench file"
            )
        self._drive(volts)

    @abstractmethod
    def _drive(self, volts: float) -> None:
        """Set the current limit to `limit_A`, then the output to `volts`, then switch it on."""

    @abstractmethod
    def off(self) -> None:
        """Switch the output off."""

    @abstractmethod
    def close(self) -> None:
        """Leave the instrument switched off; never raises."""
