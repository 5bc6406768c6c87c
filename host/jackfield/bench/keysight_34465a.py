"""Keysight Truevolt 34460A/61A/65A/70A: "Truevolt Series Operating and Service Guide", SCPI chapter.

Subsystems CONFigure (VOLTage:DC), SENSe:VOLTage:DC (NPLC, IMPedance:AUTO), TRIGger, SAMPle; READ?; overload is 9.9E37.
"""

from typing import ClassVar, final

from jackfield.bench.benchfile import MeterEntry
from jackfield.bench.visa import VisaSession
from jackfield.bench.voltmeter import AbstractVoltmeter
from jackfield.errors import InstrumentError

__all__ = ["Keysight34465A"]

OVERLOAD_V = 9.9e37


@final
class Keysight34465A(AbstractVoltmeter):
    """A 6.5-digit meter on DC volts, range 1 V, high input impedance."""

    idn_pattern: ClassVar[str] = r"(keysight|agilent)[^,]*,\s*344(60|61|65|70)A"

    def __init__(self, session: VisaSession, entry: MeterEntry) -> None:
        self._session = session
        self._entry = entry
        self._configured = 0
        session.identify(self.idn_pattern)

    @property
    def identity(self) -> str:
        """The answer to `*IDN?`."""
        return self._session.identity

    def read_volts(self) -> float:
        """One reading in volts; raises InstrumentError on overload."""
        if self._configured != self._session.generation:
            self._configure()
        volts = self._session.query_number(":READ?")
        if not abs(volts) < OVERLOAD_V:
            raise InstrumentError(
                f"the meter on jack {self._entry.jack!r} is overloaded; check its cable and that the board is on"
            )
        return volts

    def _configure(self) -> None:
        self._session.write("*CLS")
        self._session.configure(
            ":CONFigure:VOLTage:DC 1",
            f":SENSe:VOLTage:DC:NPLC {self._entry.nplc:g}",
            ":SENSe:VOLTage:DC:IMPedance:AUTO ON",
            ":TRIGger:SOURce IMMediate",
            ":SAMPle:COUNt 1",
        )
        self._configured = self._session.generation

    def close(self) -> None:
        """Leave the instrument; never raises."""
        self._session.close()
