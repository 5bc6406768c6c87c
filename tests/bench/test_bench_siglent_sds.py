"""The Siglent dialect: a WAVEDESC written by hand, settings read back, codes of 8 and 12 bits."""

import struct
from typing import Any

import numpy as np
import pytest

from jackfield.bench import Acquisition, ChannelEntry, ScopeEntry, SiglentSDS, TriggerEntry, VisaSession
from jackfield.errors import InstrumentError

WANTED = Acquisition(-20e-6, 480e-6, 1000, 4.0)


def entry() -> ScopeEntry:
    channel = ChannelEntry(1, 1, 1.0, "DC", 1e6, False)
    trigger = TriggerEntry("EXT", 1.5, "rising")
    return ScopeEntry("siglent-sds", "", "@py", 0.3, mode="high-resolution", channels=(channel,), trigger=trigger)


def wavedesc(bits: int, codes_a_division: float, probe: float = 1.0) -> bytes:
    """At the offsets of the guide: points 116, V/div 156, offset 160, codes/div 164, bits 172, step 176, probe 328."""
    told = bytearray(346)
    told[:8] = b"WAVEDESC"
    told[116:120] = (10_000).to_bytes(4, "little")
    told[156:168] = struct.pack("<fff", 0.5, 0.25, codes_a_division)
    told[172:174] = bits.to_bytes(2, "little")
    told[176:180] = struct.pack("<f", 0.1e-6)
    told[328:332] = struct.pack("<f", probe)
    return b"#9000000346" + bytes(told) + b"\n"


class Scope:
    """Keeps what it is set to and tells it; the record is one code per sample, `codes` from the window's start on."""

    def __init__(self, instrument: Any, told: bytes, codes: bytes, width: int, model: bytes = b"SDS2104X Plus") -> None:
        self.instrument, self.told, self.codes, self.width = instrument, told, codes, width
        self.settings: dict[str, str] = {}
        self.answers = {
            "*IDN?": b"Siglent Technologies," + model + b",SDS2,1.5\n",
            ":CHANnel1:PROBe?": b"1.00E+00\n",
            ":CHANnel1:COUPling?": b"DC\n",
            ":TRIGger:STATus?": b"Ready\n",
            ":WAVeform:PREamble?": told,
            ":WAVeform:MAXPoint?": b"3000\n",
        }
        instrument.answer = self.answer

    def answer(self, line: str) -> bytes | None:
        if line in self.answers:
            return self.answers[line]
        if line == ":WAVeform:DATA?":
            count = int(self.settings[":WAVeform:POINt"])
            return b"#9%09d" % (count * self.width) + (self.codes * count)[: count * self.width] + b"\n"
        header, _, value = line.partition(" ")
        if header.endswith("?"):
            return self.settings.get(header[:-1], "").encode() + b"\n"
        self.settings[header] = value
        return None


def test_volts_by_hand_in_pieces_that_it_bounds(instrument: Any) -> None:
    scope = Scope(instrument, wavedesc(8, 25.0), bytes([0, 50, 0x80, 0x7F, 206]), 1)
    driver = SiglentSDS(VisaSession(instrument.resource, timeout_s=1.0), entry())
    driver.configure(WANTED)
    assert scope.settings[":TIMebase:DELay"] == "0.00E+00"
    assert scope.settings[":TIMebase:SCALe"] == "1.00E-04"  # ten of them hold 480 us on both sides of the trigger
    assert scope.settings[":ACQuire:TYPE"] == "NORMal"
    assert scope.settings[":TRIGger:EDGE:SOURce"] == "EX"
    driver.arm()
    waveform = driver.read()[1]
    # the record begins at -500 us: sample 4800 is at -20 us, two more before it, one more after 480 us
    assert waveform.start_s == pytest.approx(-20.2e-6, abs=1e-10)
    assert len(waveform.volts) == 5003
    assert waveform.volts[:5] == pytest.approx([-0.25, 0.75, -2.81, 2.29, -1.25], abs=1e-6)
    assert waveform.clipped is not None
    assert waveform.clipped[:5].tolist() == [False, False, True, True, False]
    starts = [line for line in instrument.received if line.startswith((":WAVeform:STARt ", ":WAVeform:POINt "))]
    assert starts[-4:] == [
        ":WAVeform:STARt 4798",
        ":WAVeform:POINt 3000",
        ":WAVeform:STARt 7798",
        ":WAVeform:POINt 2003",
    ]
    driver.close()


def test_twelve_bits_at_the_upper_end_of_sixteen(instrument: Any) -> None:
    codes = struct.pack("<4h", 0, 7680, 2047 << 4, -(2048 << 4))
    scope = Scope(instrument, wavedesc(12, 7680.0, probe=10.0), codes, 2, b"SDS2104X HD")
    driver = SiglentSDS(VisaSession(instrument.resource, timeout_s=1.0), entry())
    driver.configure(WANTED)
    assert scope.settings[":ACQuire:TYPE"] == "ERES,2.0"
    waveform = driver.read()[1]
    assert scope.settings[":WAVeform:WIDTh"] == "WORD"
    assert waveform.volts[:2] == pytest.approx([-2.5, 2.5])
    assert waveform.clipped is not None
    assert waveform.clipped[:4].tolist() == [False, False, True, True]
    assert waveform.resolution_V == pytest.approx(16 * 5.0 / 7680)
    driver.close()


def test_what_does_not_read_back_is_refused(instrument: Any) -> None:
    scope = Scope(instrument, wavedesc(8, 25.0), b"\0", 1)
    driver = SiglentSDS(VisaSession(instrument.resource, timeout_s=1.0), entry())
    scope.answers[":CHANnel1:SCALe?"] = b"1.00E+01\n"
    with pytest.raises(InstrumentError, match=r"has '1.00E\+01' after :CHANnel1:SCALe 5.00E-01"):
        driver.configure(WANTED)
    driver.close()


@pytest.mark.parametrize(
    "told", [b"#15hello\n", wavedesc(8, 25.0).replace(b"WAVEDESC", b"TEMPLATE"), wavedesc(3, 25.0)]
)
def test_a_preamble_that_is_none(instrument: Any, told: bytes) -> None:
    scope = Scope(instrument, wavedesc(8, 25.0), b"\0", 1)
    driver = SiglentSDS(VisaSession(instrument.resource, timeout_s=0.3), entry())
    driver.configure(WANTED)
    scope.answers[":WAVeform:PREamble?"] = told
    with pytest.raises(InstrumentError, match="preamble"):
        driver.read()
    driver.close()


def test_it_gets_into_step_again_without_ese(instrument: Any) -> None:
    scope = Scope(instrument, wavedesc(8, 25.0), b"\0", 1)
    session = VisaSession(instrument.resource, timeout_s=0.3)
    driver = SiglentSDS(session, entry())
    instrument.answer = lambda line: None
    with pytest.raises(InstrumentError, match="did not answer"):
        driver.configure(WANTED)
    instrument.answer = scope.answer
    instrument.received.clear()
    driver.configure(WANTED)
    assert not [line for line in instrument.received if line.startswith("*ESE")]
    nonces = [line for line in instrument.received[:6] if line.startswith(":WAVeform:STARt ")]
    assert len(nonces) == 3
    assert nonces[-1] == ":WAVeform:STARt 0"
    assert np.all([0 < int(line.split()[1]) < 256 for line in nonces[:2]])
    driver.close()
