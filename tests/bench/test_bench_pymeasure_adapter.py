"""pymeasure's drivers as instruments of the bench, and unmodified on our emulated instruments."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from jackfield.bench import (
    AbstractSource,
    AbstractVoltmeter,
    MeterEntry,
    SourceEntry,
    VisaSession,
    pymeasure_instrument,
)
from jackfield.emulator import Faults, Instrument, Meter, Randomness, SourceMeasureUnit
from jackfield.errors import DesignError, InstrumentError
from jackfield.testing.driver_suite import served

pytest.importorskip("pymeasure")

RANDOMNESS = Randomness("pymeasure", "ideal", 1)


@contextmanager
def opened(instrument: Instrument) -> Iterator[VisaSession]:
    with served(instrument, Faults(), 1) as (resources, _):
        session = VisaSession(resources["hislip"], timeout_s=1.0)
        yield session
        session.close()


def meter_entry(driver: str) -> MeterEntry:
    return MeterEntry(driver, "", "@py", 1.0, "reference", 10.0)


def test_a_voltmeter_through_our_session() -> None:
    meter = Meter(RANDOMNESS, lambda: (0.8, "run"))
    with opened(meter) as session:
        driver = pymeasure_instrument(session, meter_entry("pymeasure:agilent.Agilent34410A.voltage_dc"))
        assert isinstance(driver, AbstractVoltmeter)
        assert driver.identity.startswith("Keysight Technologies,34465A")
        assert driver.read_volts() == pytest.approx(0.8, rel=1e-4)
        meter.overload_next = True
        with pytest.raises(InstrumentError, match="overloaded"):
            driver.read_volts()
        driver.close()


def test_a_source_through_our_session() -> None:
    unit = SourceMeasureUnit(RANDOMNESS)
    with opened(unit) as session:
        entry = SourceEntry("pymeasure:keithley.Keithley2450", "", "@py", 1.0, limit_A=2e-3, limit_V=1.0)
        driver = pymeasure_instrument(session, entry)
        assert isinstance(driver, AbstractSource)
        driver.drive(0.5)
        assert unit.output
        assert unit.terminals == (0.5, pytest.approx(500e-6))
        with pytest.raises(InstrumentError, match="limited to 1 V"):
            driver.drive(2.0)
        driver.close()
        assert not unit.output


@pytest.mark.parametrize(
    ("driver", "complaint"),
    [
        ("pymeasure:agilent.Agilent34410A.temperature", "has no property 'temperature'"),
        ("pymeasure:agilent.Agilent99999X.voltage_dc", "cannot be had"),
        ("pymeasure:nobody.Nothing.volts", "cannot be had"),
        ("pymeasure:", "cannot be had"),
    ],
)
def test_what_pymeasure_has_not(driver: str, complaint: str) -> None:
    with opened(Meter(RANDOMNESS, lambda: (0.8, "run"))) as session, pytest.raises(DesignError, match=complaint):
        pymeasure_instrument(session, meter_entry(driver))


def test_its_own_errors_become_ours() -> None:
    """A driver that asks what the instrument does not answer: pymeasure's or pyvisa's error, never theirs."""
    with opened(SourceMeasureUnit(RANDOMNESS)) as session:
        session.timeout_s = 0.1
        driver = pymeasure_instrument(session, meter_entry("pymeasure:keithley.Keithley2450.buffer_points"))
        assert isinstance(driver, AbstractVoltmeter)
        with pytest.raises(InstrumentError):
            driver.read_volts()


def test_its_keysight_and_keithley_drivers_run_unmodified(monkeypatch: pytest.MonkeyPatch) -> None:
    scripts = Path(__file__).parents[2] / "hil_scripts"
    monkeypatch.setattr(sys, "path", [str(scripts), *sys.path])
    import pymeasure.instruments.keithley.keithley2450 as theirs
    from benchmarks import _pymeasure_drivers as drivers

    monkeypatch.setattr(theirs.time, "sleep", lambda seconds: None)  # it ramps down in 30 steps of 20 ms
    errors: dict[str, Any] = {"keysight": drivers.keysight_error(), "keithley": drivers.keithley_error()}
    assert errors["keysight"] < 0.05
    assert errors["keithley"] < 1e-3
