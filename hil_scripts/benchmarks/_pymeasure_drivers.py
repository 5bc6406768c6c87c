"""pymeasure's own drivers at work on emulated instruments; importing this needs pymeasure."""

import warnings

import numpy as np
from pymeasure.instruments.keithley import Keithley2450
from pymeasure.instruments.keysight import KeysightDSOX1102G

from jackfield.emulator import Faults, KeysightScope, Randomness, SourceMeasureUnit
from jackfield.testing.driver_suite import served
from jackfield.testing.numbered import NumberedPulse

__all__ = ["keithley_error", "keysight_error"]

TERMINATIONS = {"read_termination": "\n", "write_termination": "\n"}
PULSE = 1357


def keysight_error() -> float:
    """How far the downloaded levels are from those on the jack, of 2 V."""
    scope = KeysightScope(Randomness("pymeasure", "ideal", 1))
    with served(scope, Faults(), 1) as (resources, _), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        driver = KeysightDSOX1102G(resources["hislip"], visa_library="@py", **TERMINATIONS)
        driver.factory_reset()
        driver.ch1.setup(bwlimit=True, coupling="dc", display=True, offset=0.0, probe_attenuation=1, scale=0.5)
        driver.timebase_setup(mode="main", offset=200e-6, horizontal_range=400e-6)
        driver.acquisition_type = "hresolution"
        driver.write(":TRIGger:EDGE:SOURce EXTernal;LEVel 1.5;SLOPe POSitive")
        assert driver.ch1.current_configuration["RANG"] == 4.0
        assert driver.timebase["MAIN:RANG"] == 400e-6
        driver.digitize("channel1")
        driver.ask("*OPC?")
        scope.trigger(NumberedPulse(PULSE))
        volts, preamble = driver.download_data("channel1", points=1000)
        driver.adapter.close()
    t = preamble["xorigin"] + preamble["xincrement"] * np.arange(len(volts))
    wanted = NumberedPulse(PULSE).volts(1, t[0], t[1] - t[0], len(t), 0.0)
    return float(np.median(np.abs(volts - wanted))) / 2.0


def keithley_error() -> float:
    """Relative error of the measured current; 1 where the output is not off in the end."""
    unit = SourceMeasureUnit(Randomness("pymeasure", "ideal", 1), load_ohm=2e3)
    with served(unit, Faults(), 1) as (resources, _):
        driver = Keithley2450(resources["hislip"], visa_library="@py", **TERMINATIONS)
        driver.reset()
        driver.apply_voltage(compliance_current=1e-3)
        driver.source_voltage = 0.5
        driver.enable_source()
        driver.measure_current(nplc=1)
        amperes = driver.current
        assert driver.source_enabled
        assert driver.compliance_current == 1e-3
        driver.shutdown()
        driver.ask("*OPC?")
        driver.adapter.close()
    return 1.0 if unit.output else abs(amperes / 250e-6 - 1)
