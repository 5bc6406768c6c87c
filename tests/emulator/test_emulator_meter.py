import struct

import numpy as np
import pytest

from jackfield.emulator.meter import Meter
from jackfield.emulator.randomness import Randomness


class Jack:
    volts = 0.8
    run = "run 1"

    def __call__(self) -> tuple[float, str]:
        return self.volts, self.run


@pytest.fixture
def jack() -> Jack:
    return Jack()


@pytest.fixture
def meter(jack: Jack) -> Meter:
    return Meter(Randomness("jf16", "ideal", 3), jack)


def ask(meter: Meter, message: str) -> bytes:
    return meter.core.execute(message) or b""


def test_reading_is_within_its_specification(meter: Meter) -> None:
    value = float(ask(meter, "CONF:VOLT:DC 1;:VOLT:DC:NPLC 100;:READ?"))
    assert abs(value - 0.8) < 0.8 * 30e-6 + 5e-6 + 5 * 5e-8
    assert value != 0.8
    assert ask(meter, "SYST:ERR?") == b'+0,"No error"'


def test_a_longer_integration_is_quieter(meter: Meter) -> None:
    spread = {}
    for nplc in (0.02, 100):
        answer = ask(meter, f"CONF:VOLT:DC 1;:VOLT:DC:NPLC {nplc};:SAMP:COUN 400;:FORM:DATA REAL,64;:READ?")
        assert answer[:6] == b"#43200"
        spread[nplc] = float(np.std(struct.unpack(">400d", answer[6:])))
    assert spread[0.02] == pytest.approx(5e-7 / 0.02**0.5, rel=0.15)
    assert spread[100] == pytest.approx(5e-8, rel=0.15)


def test_overload_auto_range_and_bus_trigger(meter: Meter, jack: Jack) -> None:
    jack.volts = 1.3
    assert float(ask(meter, "CONF:VOLT:DC 1;:READ?")) == 9.9e37
    assert float(ask(meter, "VOLT:RANG:AUTO ON;:READ?")) == pytest.approx(1.3, rel=1e-4)
    assert float(ask(meter, "VOLT:RANG?")) == 10.0
    ask(meter, "TRIG:SOUR BUS;:INIT")
    assert ask(meter, "FETC?") == b""
    assert ask(meter, "SYST:ERR?").startswith(b"-230")
    assert float(ask(meter, "*TRG;:FETC?")) == pytest.approx(1.3, rel=1e-4)
    ask(meter, "READ?")
    assert ask(meter, "SYST:ERR?").startswith(b"-214")


def test_noise_is_a_function_of_run_and_reading(jack: Jack) -> None:
    first, second = (Meter(Randomness("jf16", "ideal", 3), jack) for _ in range(2))
    assert ask(first, "READ?") == ask(second, "READ?")
    assert ask(first, "READ?") != ask(second, "READ?;:READ?")[:16]
    jack.run = "run 2"
    assert ask(first, "READ?") == ask(second, "READ?")
