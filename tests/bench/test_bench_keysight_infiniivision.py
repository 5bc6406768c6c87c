"""The oscilloscope driver, exchange by exchange."""

import struct
from typing import Any

import numpy as np
import pytest

from jackfield.bench import (
    Acquisition,
    ChannelEntry,
    KeysightInfiniiVision,
    ScopeEntry,
    TriggerEntry,
    VisaSession,
)
from jackfield.errors import InstrumentError

PREAMBLE = b"1,3,6,1,5.0E-07,-2.0E-05,0,6.25E-05,0.0,32768\n"
CODES = (32768, 32768 + 12800, 1, 0xFFFF, 0, 0x0200)
WANTED = Acquisition(-20e-6, 980e-6, 1500, 4.0)


def entry(**changes: Any) -> ScopeEntry:
    channel = ChannelEntry(1, 2, 1.0, "DC", 1e6, True)
    trigger = TriggerEntry("EXT", 1.5, "rising")
    values: dict[str, Any] = {
        "driver": "keysight-infiniivision",
        "resource": "",
        "backend": "@py",
        "timeout_s": 0.3,
        "mode": "high-resolution",
        "channels": (channel,),
        "trigger": trigger,
    }
    return ScopeEntry(**(values | changes))


class Scope:
    """Answers for the fake instrument: armed by :SINGle, triggered by `trigger`."""

    def __init__(self, instrument: Any) -> None:
        self.instrument = instrument
        self.armed_event, self.running = False, False
        self.arms, self.attenuation = True, b"+1.00000E+000\n"
        instrument.answer = self.answer

    def trigger(self) -> None:
        self.running = False

    def answer(self, line: str) -> bytes | None:
        if line == ":SINGle":
            self.armed_event = self.running = self.arms
        if line == ":AER?":
            was, self.armed_event = self.armed_event, False
            return b"+1\n" if was else b"+0\n"
        if line == ":WAVeform:DATA?":
            return b"#800000012" + struct.pack("<6H", *CODES) + b"\n"
        answers = {
            "*IDN?": b"KEYSIGHT TECHNOLOGIES,DSO-X 3034T,MY1,07.50\n",
            ":CHANnel1:PROBe?": self.attenuation,
            ":CHANnel1:COUPling?": b"DC\n",
            ":OPERegister:CONDition?": b"+8\n" if self.running else b"+0\n",
            ":WAVeform:PREamble?": PREAMBLE,
        }
        return answers.get(line) or self.instrument.obey(line)


@pytest.fixture
def scope(instrument: Any) -> Scope:
    return Scope(instrument)


@pytest.fixture
def driver(instrument: Any, scope: Scope) -> Any:
    driver = KeysightInfiniiVision(VisaSession(instrument.resource, timeout_s=0.3), entry())
    yield driver
    driver.close()


def sent(instrument: Any) -> list[str]:
    lines = [line for line in instrument.received if line != ":SYSTem:ERRor?"]
    instrument.received.clear()
    return lines


def test_the_whole_order(instrument: Any, scope: Scope, driver: KeysightInfiniiVision) -> None:
    driver.configure(WANTED)
    assert sent(instrument) == [
        "*IDN?",
        "*CLS",
        ":CHANnel1:DISPlay ON",
        ":CHANnel1:IMPedance ONEMeg",
        ":CHANnel1:BWLimit ON",
        ":CHANnel1:OFFSet 0",
        ":CHANnel1:PROBe?",
        ":CHANnel1:COUPling?",
        ":CHANnel1:SCALe 0.5",
        ":TRIGger:MODE EDGE",
        ":TRIGger:SWEep NORMal",
        ":TRIGger:EDGE:SOURce EXTernal",
        ":TRIGger:EDGE:LEVel 1.5",
        ":TRIGger:EDGE:SLOPe POSitive",
        ":ACQuire:TYPE HRESolution",
        ":TIMebase:MODE MAIN",
        ":TIMebase:REFerence LEFT",
        ":TIMebase:RANGe 1.000000000e-03",
        ":TIMebase:POSition 8.000000000e-05",
        ":WAVeform:FORMat WORD",
        ":WAVeform:BYTeorder LSBFirst",
        ":WAVeform:UNSigned 1",
        ":WAVeform:POINts:MODE RAW",
        ":WAVeform:POINts 1502",
    ]
    driver.arm()
    scope.trigger()
    driver.wait(1.0)
    waveform = driver.read()[1]
    assert sent(instrument) == [
        ":SINGle",
        ":AER?",
        ":OPERegister:CONDition?",
        ":WAVeform:SOURce CHANnel1",
        ":WAVeform:PREamble?",
        ":WAVeform:DATA?",
    ]
    assert (waveform.start_s, waveform.step_s) == (-20e-6, 0.5e-6)
    assert waveform.volts[:2] == pytest.approx([0.0, 0.8])
    assert waveform.clipped is not None
    assert waveform.holes is not None
    assert waveform.clipped.tolist() == [False, False, True, True, False, False]
    assert waveform.holes.tolist() == [False, False, False, False, True, False]
    assert waveform.volts.dtype == np.float32


def test_what_is_set_already_is_not_sent_again(instrument: Any, driver: KeysightInfiniiVision) -> None:
    driver.configure(WANTED)
    sent(instrument)
    driver.configure(WANTED)
    assert sent(instrument) == []
    driver.configure(Acquisition(-20e-6, 980e-6, 1500, 8.0))
    assert sent(instrument) == [":CHANnel1:SCALe 1"]


def test_after_a_fault_everything_is_sent_again(instrument: Any, scope: Scope, driver: KeysightInfiniiVision) -> None:
    driver.configure(WANTED)
    instrument.answer = lambda line: None
    with pytest.raises(InstrumentError, match=r"did not answer"):
        driver.arm()
    instrument.answer = scope.answer
    sent(instrument)
    scope.arms = False
    with pytest.raises(InstrumentError, match=r"not armed"):
        driver.arm()
    scope.arms = True
    sent(instrument)
    driver.configure(WANTED)
    assert ":TRIGger:EDGE:LEVel 1.5" in sent(instrument)


def test_not_armed_and_not_triggered(instrument: Any, scope: Scope, driver: KeysightInfiniiVision) -> None:
    driver.configure(WANTED)
    scope.arms = False
    with pytest.raises(InstrumentError, match=r"not armed 0.3 s after the single acquisition was asked; leave"):
        driver.arm()
    scope.arms = True
    driver.arm()
    with pytest.raises(InstrumentError, match=r"saw no trigger within 0.1 s although the board ran; check the cable"):
        driver.wait(0.1)
    assert ":STOP" in sent(instrument)


def test_another_attenuation_than_the_file_is_an_error(scope: Scope, driver: KeysightInfiniiVision) -> None:
    scope.attenuation = b"+1.00000E+001\n"
    with pytest.raises(InstrumentError, match=r"channel 1 has attenuation 10, the bench file says 1; change it"):
        driver.configure(WANTED)


def test_fewer_points_than_announced(instrument: Any, scope: Scope, driver: KeysightInfiniiVision) -> None:
    instrument.answer = lambda line: b"#14\x00\x80\x00\x80\n" if line == ":WAVeform:DATA?" else scope.answer(line)
    with pytest.raises(InstrumentError, match=r"6 points announced, 2 came"):
        driver.read()
    instrument.answer = lambda line: b"#13\x00\x80\x00\n" if line == ":WAVeform:DATA?" else scope.answer(line)
    with pytest.raises(InstrumentError, match=r"6 points announced, 1.5 came"):
        driver.read()
    instrument.answer = lambda line: b"1,3,6\n" if line == ":WAVeform:PREamble?" else scope.answer(line)
    with pytest.raises(InstrumentError, match=r"preamble .* is not readable"):
        driver.read()


def test_another_instrument_or_trigger_source_is_refused(instrument: Any) -> None:
    session = VisaSession(instrument.resource, timeout_s=0.3)
    with pytest.raises(InstrumentError, match=r"is 'ACME,FAKE 1,0,1.0', its driver expects"):
        KeysightInfiniiVision(session, entry())
    with pytest.raises(InstrumentError, match=r"choose from EXT, CH1"):
        KeysightInfiniiVision(session, entry(trigger=TriggerEntry("LINE", 1.0, "rising")))
    session.close()
