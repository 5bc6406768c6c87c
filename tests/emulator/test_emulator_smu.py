import pytest

from jackfield.emulator.randomness import Randomness
from jackfield.emulator.smu import SourceMeasureUnit


@pytest.fixture
def unit() -> SourceMeasureUnit:
    return SourceMeasureUnit(Randomness("jf16", "ideal", 1), load_ohm=1e3)


def ask(unit: SourceMeasureUnit, message: str) -> bytes:
    return unit.core.execute(message) or b""


def test_ohm_holds_within_the_limits(unit: SourceMeasureUnit) -> None:
    ask(unit, ":SOUR:FUNC VOLT;:SOUR:VOLT:ILIM 1e-3;:SOURce:VOLTage 0.5;:SENS:FUNC 'CURR';:OUTP ON")
    assert float(ask(unit, "READ?")) == pytest.approx(0.5e-3, rel=1e-3)
    assert ask(unit, ":SOUR:VOLT:ILIM:TRIP?") == b"0"
    ask(unit, ":SOUR:VOLT 3")
    assert float(ask(unit, "READ?")) == pytest.approx(1e-3, rel=1e-3)
    assert ask(unit, ":SOURce:VOLTage:ILIMit:LEVel:TRIPped?") == b"1"
    assert float(ask(unit, "MEAS:VOLT?")) == pytest.approx(1.0, rel=1e-3)
    ask(unit, ":OUTP OFF")
    assert unit.terminals == (0.0, 0.0)


def test_current_within_a_voltage_limit(unit: SourceMeasureUnit) -> None:
    ask(unit, ":SOUR:FUNC CURR;:SOUR:CURR 2e-3;:SOUR:CURR:VLIM 5;:SENS:FUNC 'VOLT:DC';:OUTP ON")
    assert float(ask(unit, ":READ?")) == pytest.approx(2.0, rel=1e-3)
    ask(unit, ":SOUR:CURR:VLIM 1")
    assert float(ask(unit, ":READ?")) == pytest.approx(1.0, rel=1e-3)
    assert ask(unit, ":SENS:FUNC?") == b'"VOLT:DC"'


def test_another_function_or_a_reset_switches_off(unit: SourceMeasureUnit) -> None:
    for message in (":SOUR:FUNC CURR", "*RST"):
        ask(unit, ":OUTP ON")
        assert ask(unit, ":OUTPut:STATe?") == b"1"
        ask(unit, message)
        assert ask(unit, ":OUTP?") == b"0"


def test_an_overflow_is_one_reading_long(unit: SourceMeasureUnit) -> None:
    ask(unit, ":SOUR:VOLT 0.5;:SOUR:VOLT:ILIM 1e-3;:OUTP ON")
    unit.overload_next = True
    assert float(ask(unit, "READ?")) == 9.9e37
    assert float(ask(unit, "READ?")) == pytest.approx(0.5e-3, rel=1e-3)


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (":SOUR:VOLT 300", b"-222"),
        (":SOUR:VOLT:ILIM 2", b"-222"),
        (":SOUR:VOLT:ILIM 0", b"-222"),
        (":SOUR:FUNC RESISTANCE", b"-224"),
        (":OUTP MAYBE", b"-224"),
        (":SOURC:VOLT 1", b"-113"),
        ("READ?", b"5066"),
    ],
)
def test_what_is_wrong_goes_into_the_queue(unit: SourceMeasureUnit, message: str, error: bytes) -> None:
    assert ask(unit, message) == b""
    assert ask(unit, "SYST:ERR?").startswith(error)


def test_settings_are_kept_and_told(unit: SourceMeasureUnit) -> None:
    assert ask(unit, ":SENS:CURR:NPLC 5;NPLC?") == b"5.000000000E+00"
    assert ask(unit, ":SOUR:VOLT:RANG:AUTO 0;AUTO?") == b"0"
