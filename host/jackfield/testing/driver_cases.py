"""Our own drivers as cases of the suite, each with the emulated instrument of its dialect."""

from typing import Any, Final

from jackfield.bench import (
    ChannelEntry,
    JackEntry,
    MeterEntry,
    ScannerEntry,
    ScopeEntry,
    SourceEntry,
    TriggerEntry,
    instrument_driver,
)
from jackfield.emulator import SCOPES, Meter, Randomness, Scanner, ScpiCore, SourceMeasureUnit
from jackfield.testing.driver_suite import TIMEOUT_S, DriverCase
from jackfield.testing.numbered import NumberedPulse, NumberedVolts

__all__ = ["CASES", "case_of"]

AMPERES_A_NUMBER: Final = 2e-7
MOST_AMPERES: Final = 2000
SOURCE_V: Final = 0.5
PYMEASURE: Final = "pymeasure:agilent.Agilent34410A.voltage_dc"
CASES: Final = (*SCOPES, "keysight-34465a", "keysight-daq970a", "keithley-2450", PYMEASURE)


def case_of(driver: str, seed: int = 1) -> DriverCase:
    """The case of one driver, by its name in bench files."""
    if driver in SCOPES:
        return _scope(driver, seed)
    if driver == "keysight-daq970a":
        return _scanner(driver, seed)
    if driver == "keithley-2450":
        return _source(driver, seed)
    return _meter(driver, seed)


def _randomness(seed: int) -> Randomness:
    return Randomness("driver suite", "ideal", seed)


def _scope(driver: str, seed: int) -> DriverCase:
    scope = SCOPES[driver](_randomness(seed))
    trigger = "CH4" if scope.trigger_input == "CHAN4" else "EXT"
    channel = ChannelEntry(1, 1, 1.0, "DC", 1e6, False)
    reached = {"driver": driver, "resource": "", "backend": "@py", "timeout_s": TIMEOUT_S}
    entry = ScopeEntry(
        **reached,  # type: ignore[arg-type]
        mode="normal",
        channels=(channel,),
        trigger=TriggerEntry(trigger, 1.5, "rising"),
    )
    pulses = [0]

    def read(digitizer: Any) -> int:
        digitizer.configure(NumberedPulse.window)
        digitizer.arm()
        pulses[0] = pulses[0] % 9999 + 1
        scope.trigger(NumberedPulse(pulses[0]))
        digitizer.wait(5 * TIMEOUT_S)
        return NumberedPulse.number_of(digitizer.read()[1])

    make = instrument_driver(driver)
    return DriverCase(driver, scope, lambda session: make(session, entry), read, lambda: pulses[0], share=0.003)


def _meter(driver: str, seed: int) -> DriverCase:
    jack = NumberedVolts()
    entry = MeterEntry(driver, "", "@py", TIMEOUT_S, "reference", 1.0)
    make = instrument_driver(driver)
    return DriverCase(
        driver,
        Meter(_randomness(seed), jack),
        lambda session: make(session, entry),
        lambda meter: jack.number_of(meter.read_volts()),
        lambda: jack.number,
        choosy=not driver.startswith("pymeasure:"),
    )


def _scanner(driver: str, seed: int) -> DriverCase:
    jack = NumberedVolts()
    jacks = (JackEntry(101, "reference"), JackEntry(103, "probe 1"))
    entry = ScannerEntry(driver, "", "@py", TIMEOUT_S, 1.0, jacks)

    def read(scanner: Any) -> int:
        first, last = (jack.number_of(volts) for volts in scanner.scan().values())
        return last if first % 9000 + 1 == last else -1

    make = instrument_driver(driver)
    scanner = Scanner(_randomness(seed), lambda channel: jack())
    return DriverCase(driver, scanner, lambda session: make(session, entry), read, lambda: jack.number)


class _CountingUnit:
    """A source-measure unit whose load changes with every reading, so that the current carries its number."""

    def __init__(self, unit: SourceMeasureUnit) -> None:
        self._unit = unit
        self.number = 0

    @property
    def core(self) -> ScpiCore:
        return self  # type: ignore[return-value]

    @property
    def status_byte(self) -> int:
        return self._unit.core.status_byte

    @property
    def overload_next(self) -> bool:
        return self._unit.overload_next

    @overload_next.setter
    def overload_next(self, overloaded: bool) -> None:
        self._unit.overload_next = overloaded

    def execute(self, message: str) -> bytes | None:
        """As the core does."""
        if "READ?" in message.upper():
            self.number = self.number % MOST_AMPERES + 1
            self._unit.load_ohm = SOURCE_V / (self.number * AMPERES_A_NUMBER)
        return self._unit.core.execute(message)


def _source(driver: str, seed: int) -> DriverCase:
    unit = _CountingUnit(SourceMeasureUnit(_randomness(seed)))
    entry = SourceEntry(driver, "", "@py", TIMEOUT_S, limit_A=1e-2, limit_V=1.0)

    def read(source: Any) -> int:
        source.drive(SOURCE_V)
        return round(float(source.read_A()) / AMPERES_A_NUMBER)

    make = instrument_driver(driver)
    return DriverCase(
        driver,
        unit,
        lambda session: make(session, entry),
        read,
        lambda: unit.number,
        share=0.01,
    )
