"""Keysight DAQ970A and 34970A/34972A scanners: "DAQ970A/DAQ973A Programming Guide", CONFigure, ROUTe, R? chapters.

A scan runs in the background; R? takes its readings from the memory as they come, as one block of text.
"""

import time
from collections.abc import Mapping
from typing import ClassVar, final

from jackfield.bench.benchfile import ScannerEntry
from jackfield.bench.scanner import AbstractScanner
from jackfield.bench.visa import VisaSession
from jackfield.errors import InstrumentError

__all__ = ["KeysightDAQ970A"]

OVERLOAD_V = 9.9e37


@final
class KeysightDAQ970A(AbstractScanner):
    """DC volts on the channels of the bench file, range 1 V."""

    idn_pattern: ClassVar[str] = r"(keysight|agilent|hewlett)[^,]*,\s*(daq97\da|3497\da)"

    def __init__(self, session: VisaSession, entry: ScannerEntry) -> None:
        self._session = session
        self._entry = entry
        self._configured = 0
        session.identify(self.idn_pattern)

    @property
    def identity(self) -> str:
        """The answer to `*IDN?`."""
        return self._session.identity

    def scan(self) -> Mapping[str, float]:
        """Volts by the name of the jack; raises InstrumentError on overload or where readings do not come."""
        if self._configured != self._session.generation:
            self._configure()
        jacks = [channel.jack for channel in self._entry.channels]
        self._session.write("ABORt")
        self._session.write("INITiate")
        volts: list[float] = []
        deadline = time.monotonic() + self._session.timeout_s
        while len(volts) < len(jacks):
            block = self._session.query_block(f"R? {len(jacks) - len(volts)}")
            volts += self._numbers(block) if block else []
            if len(volts) < len(jacks) and time.monotonic() > deadline:
                raise InstrumentError(f"the scanner gave {len(volts)} of {len(jacks)} readings in time; repeat")
        for jack, value in zip(jacks, volts, strict=False):
            if not abs(value) < OVERLOAD_V:
                raise InstrumentError(
                    f"the scanner is overloaded on jack {jack!r}; check its cable and that the board is on"
                )
        if len(volts) > len(jacks):
            raise InstrumentError(f"the scanner gave {len(volts)} readings for {len(jacks)} channels; repeat")
        return dict(zip(jacks, volts, strict=True))

    def _numbers(self, block: bytes) -> list[float]:
        try:
            return [float(field) for field in block.decode("ascii").split(",")]
        except (UnicodeDecodeError, ValueError) as error:
            raise InstrumentError(f"the scanner's readings {block!r} are not readable; repeat") from error

    def _configure(self) -> None:
        channels = ",".join(str(channel.channel) for channel in self._entry.channels)
        self._session.write("*CLS")
        self._session.configure(
            "ABORt",
            f"CONFigure:VOLTage:DC 1,(@{channels})",
            f"SENSe:VOLTage:DC:NPLC {self._entry.nplc:g},(@{channels})",
            f"INPut:IMPedance:AUTO ON,(@{channels})",
            "FORMat:READing:UNIT OFF",
            "FORMat:READing:CHANnel OFF",
            "FORMat:READing:TIME OFF",
            f"ROUTe:SCAN (@{channels})",
            "TRIGger:SOURce IMMediate",
            "TRIGger:COUNt 1",
        )
        self._configured = self._session.generation

    def close(self) -> None:
        """Leave the instrument; never raises."""
        self._session.close()
