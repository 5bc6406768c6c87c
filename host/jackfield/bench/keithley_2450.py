"""Keithley 2450 source-measure unit: "Model 2450 Interactive SourceMeter Instrument Reference Manual", SCPI commands.

SOURce, SENSe, OUTPut and READ? in the SCPI command set (not SCPI 2400), sourcing voltage, measuring current.
"""

from contextlib import suppress
from typing import ClassVar, final

from jackfield.bench.benchfile import SourceEntry
from jackfield.bench.source import AbstractSource
from jackfield.bench.visa import VisaSession
from jackfield.errors import InstrumentError
from jackfield.units import format_quantity

__all__ = ["Keithley2450"]

OVERFLOW_A = 9.9e37


@final
class Keithley2450(AbstractSource):
    """Voltage within the bench file's limits; the output is switched off before anything else is set."""

    idn_pattern: ClassVar[str] = r"keithley[^,]*,\s*model\s*24(50|60|61|70)"

    def __init__(self, session: VisaSession, entry: SourceEntry) -> None:
        super().__init__(entry.limit_A, entry.limit_V)
        self._session = session
        self._configured = 0
        session.identify(self.idn_pattern)

    @property
    def identity(self) -> str:
        """The answer to `*IDN?`."""
        return self._session.identity

    def _drive(self, volts: float) -> None:
        if self._configured != self._session.generation:
            self._configure()
        self._session.configure(f":SOURce:VOLTage:ILIMit {self.limit_A:.6e}", f":SOURce:VOLTage {volts:.6e}")
        limit_A = self._session.query_number(":SOURce:VOLTage:ILIMit?")
        if limit_A > self.limit_A * (1 + 1e-6):
            raise InstrumentError(
                f"the source has a limit of {format_quantity(limit_A, 'A')} where {self.limit_A:g} A are asked; "
                "its output stays off"
            )
        self._session.configure(":OUTPut ON")

    def read_A(self) -> float:
        """The current that flows out of the output, in amperes; raises InstrumentError where the limit is reached."""
        amperes = self._session.query_number(":READ?")
        if not abs(amperes) < OVERFLOW_A or int(self._session.query_number(":SOURce:VOLTage:ILIMit:TRIPped?")):
            raise InstrumentError(
                f"the source is at its limit of {format_quantity(self.limit_A, 'A')}; "
                "look for a short circuit, or ask for less"
            )
        return amperes

    def off(self) -> None:
        """Switch the output off and make sure of it."""
        self._session.write(":OUTPut OFF")
        if int(self._session.query_number(":OUTPut?")):
            raise InstrumentError(f"{self._session.resource} says its output is still on; switch it off by hand")

    def _configure(self) -> None:
        self.off()
        self._session.write("*CLS")
        self._session.configure(
            ":SOURce:FUNCtion VOLTage",
            ":SOURce:VOLTage:RANGe:AUTO ON",
            ":SENSe:FUNCtion 'CURRent'",
            ":SENSe:CURRent:RANGe:AUTO ON",
        )
        self._configured = self._session.generation

    def close(self) -> None:
        """Leave the instrument switched off; never raises."""
        with suppress(InstrumentError):
            self.off()
        self._session.close()
