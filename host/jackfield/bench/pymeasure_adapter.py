"""Instruments that pymeasure has drivers for: `driver = "pymeasure:PACKAGE.CLASS"` in the bench file.

pymeasure documentation, "Adapters" and "Instruments". Its driver talks through our session, so that locks,
deadlines, the log and what happens after a timeout are those of every other instrument. A voltmeter names the
property that it reads, `pymeasure:agilent.Agilent34410A.voltage_dc`; a source must have the methods and
properties of pymeasure's Keithley source-measure units.
"""

import importlib
import math
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ClassVar, final

from jackfield.bench.benchfile import InstrumentEntry, SourceEntry
from jackfield.bench.source import AbstractSource
from jackfield.bench.visa import VisaSession
from jackfield.bench.voltmeter import AbstractVoltmeter
from jackfield.errors import DesignError, InstrumentError

__all__ = ["PymeasureSource", "PymeasureVoltmeter", "pymeasure_instrument"]

OVERLOAD_V = 9.9e37
SOURCE_NEEDS = ("apply_voltage", "source_voltage", "enable_source", "disable_source")


def pymeasure_instrument(session: VisaSession, entry: InstrumentEntry) -> AbstractVoltmeter | AbstractSource:
    """A voltmeter or a source, as the bench file's table asks.

    Raises DesignError where pymeasure is not installed or has no such driver.
    """
    path = entry.driver.partition(":")[2]
    if isinstance(entry, SourceEntry):
        return PymeasureSource(session, entry, _driver(path, session))
    path, _, name = path.rpartition(".")
    return PymeasureVoltmeter(session, _driver(path, session), name)


def _driver(path: str, session: VisaSession) -> Any:
    package, _, name = path.rpartition(".")
    try:
        kind = getattr(importlib.import_module(f"pymeasure.instruments.{package}"), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise DesignError(
            f"driver 'pymeasure:{path}' cannot be had: {error}; write pymeasure:PACKAGE.CLASS (for a meter "
            ".PROPERTY behind it) and install pymeasure: pip install 'jackfield[pymeasure]'"
        ) from error
    session.identify(".")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # some of its drivers ask on this occasion what they are
        return _translated(session, lambda: kind(_adapter(session)))


def _adapter(session: VisaSession) -> Any:
    """Our session as one of pymeasure's adapters."""
    base = importlib.import_module("pymeasure.adapters").Adapter

    class SessionAdapter(base):  # type: ignore[misc, valid-type]
        def __init__(self) -> None:
            super().__init__()
            self._asked = ""

        def _write(self, command: str, **options: Any) -> None:
            self._asked = ""
            if "?" in command:
                self._asked = command  # goes out with its answer, under one deadline
            else:
                session.write(command)

        def _read(self, **options: Any) -> str:
            asked, self._asked = self._asked, ""
            if not asked:
                raise InstrumentError(f"{session.resource} is read without having been asked")
            return session.query(asked)

        def _read_bytes(self, count: int, break_on_termchar: bool = False, **options: Any) -> bytes:
            asked, self._asked = self._asked, ""
            data = session.query_block(asked)
            return b"#%d%d" % (len(str(len(data))), len(data)) + data

        def flush_read_buffer(self) -> None:
            """Nothing is ever left: an answer is read with its question."""

    return SessionAdapter()


def _translated(session: VisaSession, action: Callable[[], Any]) -> Any:
    """What `action` gives; whatever pymeasure raises becomes an InstrumentError."""
    try:
        return action()
    except InstrumentError:
        raise
    except Exception as error:  # its drivers raise what Python's conversions raise
        raise InstrumentError(
            f"{session.resource}: pymeasure's driver failed with {type(error).__name__}: {error}; "
            "check that it is the driver of this instrument"
        ) from error


@final
class PymeasureVoltmeter(AbstractVoltmeter):
    """The property `name` of a pymeasure driver, in volts."""

    idn_pattern: ClassVar[str] = "."

    def __init__(self, session: VisaSession, driver: Any, name: str) -> None:
        if not hasattr(type(driver), name):
            raise DesignError(
                f"{type(driver).__name__} of pymeasure has no property {name!r}; name one that gives volts"
            )
        self._session = session
        self._driver = driver
        self._name = name

    @property
    def identity(self) -> str:
        """The answer to `*IDN?`."""
        return self._session.identity

    def read_volts(self) -> float:
        """One reading in volts; raises InstrumentError on overload and where the driver gives no number."""
        value = _translated(self._session, lambda: float(getattr(self._driver, self._name)))
        if not math.isfinite(value) or abs(value) >= OVERLOAD_V:
            raise InstrumentError("the meter is overloaded; check its cable and that the board is on")
        return float(value)

    def close(self) -> None:
        """Leave the instrument; never raises."""
        self._session.close()


@final
class PymeasureSource(AbstractSource):
    """A pymeasure source-measure unit sourcing volts."""

    idn_pattern: ClassVar[str] = "."

    def __init__(self, session: VisaSession, entry: SourceEntry, driver: Any) -> None:
        super().__init__(entry.limit_A, entry.limit_V)
        missing = [name for name in SOURCE_NEEDS if not hasattr(type(driver), name)]
        if missing:
            raise DesignError(
                f"{type(driver).__name__} of pymeasure has no {missing[0]}; it cannot be used as a source"
            )
        self._session = session
        self._driver = driver

    @property
    def identity(self) -> str:
        """The answer to `*IDN?`."""
        return self._session.identity

    def _drive(self, volts: float) -> None:
        def steps() -> None:
            self._driver.apply_voltage(compliance_current=self.limit_A)
            self._driver.source_voltage = volts
            self._driver.enable_source()

        _translated(self._session, steps)
        self._complain()

    def off(self) -> None:
        """Switch the output off."""
        _translated(self._session, self._driver.disable_source)
        self._complain()

    def _complain(self) -> None:
        errors = self._session.drain_errors()
        if errors:
            raise InstrumentError(f"{self._session.resource} refused a setting: {'; '.join(errors)}")

    def close(self) -> None:
        """Leave the instrument switched off; never raises."""
        with suppress(InstrumentError):
            self.off()
        self._session.close()
