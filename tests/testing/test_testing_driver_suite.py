"""Every driver of ours passes the suite, and a careless one does not."""

from contextlib import suppress

import pytest

from jackfield.bench import VisaSession
from jackfield.emulator import Faults, Meter, Randomness
from jackfield.errors import InstrumentError
from jackfield.testing.driver_cases import CASES, case_of
from jackfield.testing.driver_suite import DriverCase, check_driver, numbered_readings
from jackfield.testing.numbered import NumberedPulse, NumberedVolts


@pytest.mark.parametrize("driver", CASES)
def test_our_drivers_pass(driver: str) -> None:
    if driver.startswith("pymeasure:"):
        pytest.importorskip("pymeasure")
    assert check_driver(case_of(driver), readings=2) == []


class CarelessMeter:
    """Believes the first line that comes, and repeats its last reading where none does."""

    def __init__(self, session: VisaSession) -> None:
        self._session = session
        self._last = 0.0

    def read_volts(self) -> float:
        with suppress(InstrumentError):
            self._last = float(self._session.query(":READ?"))
        return self._last

    def close(self) -> None:
        self._session.close()


def test_a_careless_driver_fails() -> None:
    jack = NumberedVolts()
    case = DriverCase(
        "careless",
        Meter(Randomness("suite", "ideal", 1), jack),
        CarelessMeter,
        lambda meter: jack.number_of(meter.read_volts()),
        lambda: jack.number,
    )
    problems = check_driver(case, readings=6)
    assert any("missing" in problem and "wrong readings" in problem for problem in problems), problems
    assert any("overload" in problem for problem in problems), problems
    assert problems[-1] == "it takes an instrument that says 'NOBODY,NOTHING,0,0' for its own"


def test_every_kind_of_fault_is_met_and_counted() -> None:
    found = numbered_readings(case_of("keysight-34465a"), 30, Faults(missing=0.1, dropped=0.1, overload=0.1), "hislip")
    assert (found.right, found.wrong) == (30, 0)
    assert found.refused >= 3
    assert {kind for kind, count in found.met.items() if count} == {"missing", "dropped", "overload"}
    assert 0 < found.longest_s < 10.0


def test_numbers_survive_the_way_through_volts() -> None:
    jack = NumberedVolts()
    for expected in (1, 2, 3):
        volts, _ = jack()
        assert jack.number_of(volts * (1 + 30e-6) + 5e-6) == expected
    jack.number = 8999
    assert [jack.number_of(jack()[0]) for _ in range(2)] == [9000, 1]


def test_a_pulse_shows_its_digits() -> None:
    pulse = NumberedPulse(4071)
    volts = pulse.volts(1, 0.0, 1e-6, 400, 0.0)
    assert volts[[50, 150, 250, 350]] == pytest.approx([-0.1, -0.9, 0.5, -0.7])
    assert not pulse.volts(2, 0.0, 1e-6, 400, 0.0).any()
    assert not pulse.volts(1, -20e-6, 1e-6, 20, 0.0).any()
