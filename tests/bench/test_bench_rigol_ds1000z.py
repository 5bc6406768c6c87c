"""The Rigol dialect: the memory in pieces, codes to volts by hand."""

from typing import Any

import numpy as np
import pytest

from jackfield.bench import Acquisition, ChannelEntry, RigolDS1000Z, ScopeEntry, TriggerEntry, VisaSession
from jackfield.errors import DesignError, InstrumentError

IDENTITY = b"RIGOL TECHNOLOGIES,DS1054Z,DS1ZA1,00.04.04\n"
WANTED = Acquisition(-20e-6, 480e-6, 1000, 4.0)


def entry(source: str = "CH4", impedance: float = 1e6) -> ScopeEntry:
    channel = ChannelEntry(1, 1, 1.0, "DC", impedance, True)
    return ScopeEntry(
        "rigol-ds1000z", "", "@py", 0.3, mode="normal", channels=(channel,), trigger=TriggerEntry(source, 1.5, "rising")
    )


class Scope:
    """A memory of `depth` codes 0, 1, 2... modulo 256, in pieces as they are asked for."""

    def __init__(self, instrument: Any, depth: int = 6000) -> None:
        self.instrument, self.depth = instrument, depth
        self.step_s, self.start, self.stop = 0.1e-6, 1, 1
        self.short = 0
        instrument.answer = self.answer

    def answer(self, line: str) -> bytes | None:
        if line.startswith(":WAVeform:STARt "):
            self.start = int(line.split()[1])
        if line.startswith(":WAVeform:STOP "):
            self.stop = int(line.split()[1])
        if line == ":WAVeform:DATA?":
            codes = (np.arange(self.start - 1, self.stop - self.short) % 256).astype("u1").tobytes()
            return b"#9%09d" % len(codes) + codes + b"\n"
        answers = {
            "*IDN?": IDENTITY,
            ":CHANnel1:PROBe?": b"1\n",
            ":CHANnel1:COUPling?": b"DC\n",
            ":TRIGger:STATus?": b"WAIT\n",
            ":WAVeform:PREamble?": b"0,2,%d,1,%g,-2.0e-05,0,2.0e-02,5,127\n" % (self.depth, self.step_s),
        }
        return answers.get(line) or self.instrument.obey(line)


def sent(instrument: Any) -> list[str]:
    lines = [line for line in instrument.received if line != ":SYSTem:ERRor?"]
    instrument.received.clear()
    return lines


def test_the_whole_order_and_volts_by_hand(instrument: Any) -> None:
    Scope(instrument)
    driver = RigolDS1000Z(VisaSession(instrument.resource, timeout_s=0.3), entry())
    driver.configure(WANTED)
    assert sent(instrument) == [
        "*IDN?",
        "*CLS",
        ":CHANnel1:DISPlay ON",
        ":CHANnel1:BWLimit 20M",
        ":CHANnel1:OFFSet 0",
        ":CHANnel1:PROBe?",
        ":CHANnel1:COUPling?",
        ":CHANnel4:DISPlay ON",
        ":CHANnel4:OFFSet 0",
        ":CHANnel4:SCALe 1",
        ":CHANnel1:SCALe 0.5",
        ":TRIGger:MODE EDGE",
        ":TRIGger:EDGe:SOURce CHANnel4",
        ":TRIGger:EDGe:SLOPe POSitive",
        ":TRIGger:EDGe:LEVel 1.5",
        ":RUN",
        ":ACQuire:TYPE NORMal",
        ":TIMebase:MODE MAIN",
        ":TIMebase:MAIN:SCALe 5.000000e-05",
        ":TIMebase:MAIN:OFFSet 2.800000000e-04",
        ":ACQuire:MDEPth 6000",
        ":STOP",
    ]
    driver.arm()
    waveform = driver.read()[1]
    # 500 us of 0.1 us from -20 us on, and one sample more: 5001 of the 6000 points
    assert len(waveform.volts) == 5001
    assert (waveform.start_s, waveform.step_s) == (pytest.approx(-20e-6), 0.1e-6)
    assert waveform.volts[132] == 0.0
    assert waveform.volts[142] == pytest.approx(0.2)
    assert waveform.clipped is not None
    assert np.flatnonzero(waveform.clipped)[:4].tolist() == [0, 255, 256, 511]
    driver.close()


def test_no_read_is_longer_than_the_instrument_gives(instrument: Any) -> None:
    scope = Scope(instrument, depth=600_000)
    scope.step_s = 1e-9
    driver = RigolDS1000Z(VisaSession(instrument.resource, timeout_s=1.0), entry())
    driver.configure(Acquisition(-20e-6, 480e-6, 400_000, 4.0))
    sent(instrument)
    assert len(driver.read()[1].volts) == 500_001
    bounds = [line for line in sent(instrument) if ":STARt" in line or ":STOP " in line]
    assert bounds[1:] == [
        ":WAVeform:STARt 1",
        ":WAVeform:STOP 250000",
        ":WAVeform:STARt 250001",
        ":WAVeform:STOP 500000",
        ":WAVeform:STARt 500001",
        ":WAVeform:STOP 500001",
    ]
    scope.short = 1
    with pytest.raises(InstrumentError, match=r"points 1 to 250000 were asked for, 249999 came"):
        driver.read()
    driver.close()


def test_what_this_oscilloscope_has_not_is_said(instrument: Any) -> None:
    Scope(instrument)
    session = VisaSession(instrument.resource, timeout_s=0.3)
    with pytest.raises(InstrumentError, match=r"asked for 50 ohm, this oscilloscope has 1 Mohm alone"):
        RigolDS1000Z(session, entry(impedance=50.0)).configure(WANTED)
    with pytest.raises(DesignError, match=r"trigger is on CH1, which carries a board probe too"):
        RigolDS1000Z(session, entry(source="CH1")).configure(WANTED)
    with pytest.raises(DesignError, match=r"this oscilloscope holds 6000000"):
        RigolDS1000Z(session, entry()).configure(Acquisition(-20e-6, 480e-6, 9_000_000, 4.0))
    session.close()
