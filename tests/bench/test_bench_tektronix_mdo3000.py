"""The Tektronix dialect: header off, events in place of an error queue, codes to volts by hand."""

import struct
from typing import Any

import pytest

from jackfield.bench import Acquisition, ChannelEntry, ScopeEntry, TektronixMDO3000, TriggerEntry, VisaSession
from jackfield.errors import InstrumentError

WANTED = Acquisition(-20e-6, 380e-6, 1000, 5.0)
CODES = (0, 6400, -6400, 0x7F00, -0x8000)


def entry() -> ScopeEntry:
    channel = ChannelEntry(2, 1, 10.0, "DC", 50.0, True)
    trigger = TriggerEntry("EXT", 1.5, "falling")
    return ScopeEntry("tektronix-mdo3000", "", "@py", 0.3, mode="high-resolution", channels=(channel,), trigger=trigger)


class Scope:
    """Its record has five points of 80 us."""

    def __init__(self, instrument: Any) -> None:
        self.instrument = instrument
        self.events: list[bytes] = []
        told = {"BYT_Nr": "2", "NR_Pt": "5", "XINcr": "80E-6", "XZEro": "-20E-6", "PT_Off": "0"}
        told |= {"YMUlt": "7.8125E-5", "YOFf": "64.0", "YZEro": "0.1"}
        self.answers = {f"WFMOutpre:{name}?": text.encode() + b"\n" for name, text in told.items()} | {
            "*IDN?": b"TEKTRONIX,MDO3024,C021509,CF:91.1CT FV:v1.30\n",
            "*ESR?": b"0\n",
            "CH2:PRObe:GAIN?": b"100.0E-3\n",
            "CH2:COUPling?": b"DC\n",
            "TRIGger:STATE?": b"READY\n",
            "ACQuire:STATE?": b"0\n",
            "CURVe?": b"#210" + struct.pack("<5h", *CODES) + b"\n",
        }
        instrument.answer = self.answer

    def answer(self, line: str) -> bytes | None:
        if line == "EVMsg?":
            return self.events.pop(0) if self.events else b'0,"No events to report - queue empty"\n'
        return self.answers.get(line) or self.instrument.obey(line)


@pytest.fixture
def scope(instrument: Any) -> Scope:
    return Scope(instrument)


@pytest.fixture
def driver(instrument: Any, scope: Scope) -> Any:
    driver = TektronixMDO3000(VisaSession(instrument.resource, timeout_s=0.3), entry())
    yield driver
    driver.close()


def test_the_whole_order_and_volts_by_hand(instrument: Any, driver: TektronixMDO3000) -> None:
    driver.configure(WANTED)
    lines = [line for line in instrument.received if line not in ("*ESR?", "EVMsg?")]
    assert ":SYSTem:ERRor?" not in lines
    assert lines == [
        "*IDN?",
        "HEADer OFF",
        "*CLS",
        "SELect:CH2 ON",
        "CH2:TERmination FIFty",
        "CH2:BANdwidth TWEnty",
        "CH2:OFFSet 0",
        "CH2:POSition 0",
        "CH2:PRObe:GAIN?",
        "CH2:COUPling?",
        "CH2:SCAle 0.5",
        "TRIGger:A:TYPe EDGE",
        "TRIGger:A:EDGE:SOUrce AUX",
        "TRIGger:A:EDGE:SLOpe FALL",
        "TRIGger:A:LEVel 1.5",
        "TRIGger:A:MODe NORMal",
        "ACQuire:MODe HIRes",
        "HORizontal:DELay:MODe OFF",
        "HORizontal:SCAle 4.000000e-05",
        "HORizontal:RECOrdlength 1000",
        "HORizontal:POSition 5.000000",
        "ACQuire:STOPAfter SEQuence",
        "DATa:ENCdg SRIbinary",
        "DATa:WIDth 2",
    ]
    driver.arm()
    driver.wait(0.1)
    waveform = driver.read()[2]
    assert (waveform.start_s, waveform.step_s) == (-20e-6, 80e-6)
    assert waveform.volts[:3] == pytest.approx([0.095, 0.595, -0.405])
    assert waveform.clipped is not None
    assert waveform.clipped.tolist() == [False, False, False, True, True]


def test_events_are_the_error_queue(scope: Scope, driver: TektronixMDO3000) -> None:
    scope.events += [b'2222,"Data out of range; HORizontal:RECOrdlength 1000"\n']
    with pytest.raises(InstrumentError, match=r"refused SELect:CH2 ON.*2222,\"Data out of range"):
        driver.configure(WANTED)


def test_a_record_of_bytes_and_a_window_after_the_trigger_are_refused(scope: Scope, driver: TektronixMDO3000) -> None:
    driver.configure(WANTED)
    scope.answers["WFMOutpre:BYT_Nr?"] = b"1\n"
    with pytest.raises(InstrumentError, match="is not of a 16-bit record"):
        driver.read()
    with pytest.raises(InstrumentError, match="the trigger must be in it"):
        driver.configure(Acquisition(20e-6, 380e-6, 1000, 5.0))
