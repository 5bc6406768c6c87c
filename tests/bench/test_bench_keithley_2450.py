"""The source drives within its limits, and is off before and after, whatever happens."""

from typing import Any

import pytest

from jackfield.bench import Keithley2450, SourceEntry, VisaSession
from jackfield.errors import InstrumentError

ENTRY = SourceEntry("keithley-2450", "", "@py", 0.3, limit_A=1e-3, limit_V=1.0)


class Unit:
    """Answers for the fake instrument."""

    def __init__(self, instrument: Any) -> None:
        self.instrument, self.on, self.stuck = instrument, True, False
        self.limit, self.reading, self.tripped = b"1.000000E-03\n", b"2.500000E-04\n", b"0\n"
        instrument.answer = self.answer

    def answer(self, line: str) -> bytes | None:
        if line in (":OUTPut ON", ":OUTPut OFF"):
            self.on = line.endswith("ON") or self.stuck
        answers = {
            "*IDN?": b"KEITHLEY INSTRUMENTS,MODEL 2450,04096331,1.7.3b\n",
            ":OUTPut?": b"1\n" if self.on else b"0\n",
            ":SOURce:VOLTage:ILIMit?": self.limit,
            ":SOURce:VOLTage:ILIMit:TRIPped?": self.tripped,
            ":READ?": self.reading,
        }
        return answers.get(line) or self.instrument.obey(line)


@pytest.fixture
def unit(instrument: Any) -> Unit:
    return Unit(instrument)


@pytest.fixture
def source(instrument: Any, unit: Unit) -> Any:
    source = Keithley2450(VisaSession(instrument.resource, timeout_s=0.3), ENTRY)
    yield source
    source.close()


def test_off_then_limits_then_volts_then_on(instrument: Any, source: Keithley2450) -> None:
    source.drive(0.5)
    assert [line for line in instrument.received if line != ":SYSTem:ERRor?"] == [
        "*IDN?",
        ":OUTPut OFF",
        ":OUTPut?",
        "*CLS",
        ":SOURce:FUNCtion VOLTage",
        ":SOURce:VOLTage:RANGe:AUTO ON",
        ":SENSe:FUNCtion 'CURRent'",
        ":SENSe:CURRent:RANGe:AUTO ON",
        ":SOURce:VOLTage:ILIMit 1.000000e-03",
        ":SOURce:VOLTage 5.000000e-01",
        ":SOURce:VOLTage:ILIMit?",
        ":OUTPut ON",
    ]
    assert source.read_A() == 250e-6


def test_beyond_its_limits_nothing_is_sent(instrument: Any, source: Keithley2450) -> None:
    with pytest.raises(InstrumentError, match=r"1.5 V is asked of a source limited to 1 V"):
        source.drive(1.5)
    assert instrument.received == ["*IDN?"]


def test_a_limit_that_was_not_taken_keeps_it_off(unit: Unit, source: Keithley2450) -> None:
    unit.limit = b"1.050000E+00\n"
    with pytest.raises(InstrumentError, match=r"limit of 1.05 A where 0.001 A are asked; its output stays off"):
        source.drive(0.5)
    assert not unit.on


@pytest.mark.parametrize(("reading", "tripped"), [(b"9.900000E+37\n", b"0\n"), (b"1.000000E-03\n", b"1\n")])
def test_at_the_limit_there_is_no_reading(unit: Unit, source: Keithley2450, reading: bytes, tripped: bytes) -> None:
    source.drive(0.5)
    unit.reading, unit.tripped = reading, tripped
    with pytest.raises(InstrumentError, match=r"at its limit of 1 mA; look for a short circuit"):
        source.read_A()


def test_an_output_that_stays_on_is_said(unit: Unit, source: Keithley2450) -> None:
    unit.stuck = True
    with pytest.raises(InstrumentError, match=r"its output is still on; switch it off by hand"):
        source.off()


def test_closing_switches_off(unit: Unit, source: Keithley2450) -> None:
    source.drive(0.5)
    assert unit.on
    source.close()
    assert not unit.on
    source.close()
