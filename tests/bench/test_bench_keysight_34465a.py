"""The meter driver, exchange by exchange."""

from typing import Any

import pytest

from jackfield.bench import Keysight34465A, MeterEntry, VisaSession
from jackfield.errors import InstrumentError

ENTRY = MeterEntry("keysight-34465a", "", "@py", 0.3, "reference", 10.0)


def test_configured_once_then_read(instrument: Any) -> None:
    readings = [b"+8.00012345E-01\n", b"+8.00012346E-01\n", b"+9.90000000E+37\n"]
    answers = {"*IDN?": lambda: b"Keysight Technologies,34465A,MY1,A.02\n", ":READ?": lambda: readings.pop(0)}
    instrument.answer = lambda line: answers.get(line, lambda: instrument.obey(line))()
    meter = Keysight34465A(VisaSession(instrument.resource, timeout_s=0.3), ENTRY)
    assert meter.read_volts() == pytest.approx(0.800012345)
    assert meter.read_volts() == pytest.approx(0.800012346)
    assert instrument.received == [
        "*IDN?",
        "*CLS",
        ":CONFigure:VOLTage:DC 1",
        ":SENSe:VOLTage:DC:NPLC 10",
        ":SENSe:VOLTage:DC:IMPedance:AUTO ON",
        ":TRIGger:SOURce IMMediate",
        ":SAMPle:COUNt 1",
        ":SYSTem:ERRor?",
        ":READ?",
        ":READ?",
    ]
    with pytest.raises(InstrumentError, match=r"the meter on jack 'reference' is overloaded"):
        meter.read_volts()
    meter.close()
