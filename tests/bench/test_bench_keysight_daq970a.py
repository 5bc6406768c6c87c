"""The scanner driver, exchange by exchange."""

from typing import Any

import pytest

from jackfield.bench import JackEntry, KeysightDAQ970A, ScannerEntry, VisaSession
from jackfield.errors import InstrumentError

JACKS = (JackEntry(101, "reference"), JackEntry(103, "probe 1"), JackEntry(104, "probe 2"))
ENTRY = ScannerEntry("keysight-daq970a", "", "@py", 0.3, 10.0, JACKS)


def answering(instrument: Any, blocks: list[bytes]) -> None:
    def answer(line: str) -> bytes | None:
        if line == "*IDN?":
            return b"Keysight Technologies,DAQ970A,MY1,A.02\n"
        return blocks.pop(0) if line.startswith("R? ") else instrument.obey(line)

    instrument.answer = answer


def test_readings_are_taken_as_they_come(instrument: Any) -> None:
    answering(instrument, [b"#215+8.00000000E-01\n", b"#10\n", b"#231-1.00000000E-03,+2.00000000E-03\n"])
    scanner = KeysightDAQ970A(VisaSession(instrument.resource, timeout_s=0.3), ENTRY)
    assert scanner.scan() == {"reference": 0.8, "probe 1": -1e-3, "probe 2": 2e-3}
    lines = [line for line in instrument.received if line != ":SYSTem:ERRor?"]
    assert lines == [
        "*IDN?",
        "*CLS",
        "ABORt",
        "CONFigure:VOLTage:DC 1,(@101,103,104)",
        "SENSe:VOLTage:DC:NPLC 10,(@101,103,104)",
        "INPut:IMPedance:AUTO ON,(@101,103,104)",
        "FORMat:READing:UNIT OFF",
        "FORMat:READing:CHANnel OFF",
        "FORMat:READing:TIME OFF",
        "ROUTe:SCAN (@101,103,104)",
        "TRIGger:SOURce IMMediate",
        "TRIGger:COUNt 1",
        "ABORt",
        "INITiate",
        "R? 3",
        "R? 2",
        "R? 2",
    ]
    scanner.close()


@pytest.mark.parametrize(
    ("block", "complaint"),
    [
        (b"#247+8.00000000E-01,+9.90000000E+37,+2.00000000E-03\n", "overloaded on jack 'probe 1'"),
        (b"#263+8.00000000E-01,+1.00000000E+00,+2.00000000E-03,+2.00000000E-03\n", "gave 4 readings for 3 channels"),
        (b"#15hello\n", "readings b'hello' are not readable"),
    ],
)
def test_what_is_no_reading_is_refused(instrument: Any, block: bytes, complaint: str) -> None:
    answering(instrument, [block])
    scanner = KeysightDAQ970A(VisaSession(instrument.resource, timeout_s=0.3), ENTRY)
    with pytest.raises(InstrumentError, match=complaint):
        scanner.scan()
    scanner.close()


def test_readings_that_never_come(instrument: Any) -> None:
    answering(instrument, [b"#10\n"] * 10_000)
    scanner = KeysightDAQ970A(VisaSession(instrument.resource, timeout_s=0.2), ENTRY)
    with pytest.raises(InstrumentError, match=r"gave 0 of 3 readings in time"):
        scanner.scan()
    scanner.close()
