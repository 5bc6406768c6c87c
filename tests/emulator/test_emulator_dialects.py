"""The other dialects, by their manuals: short and long forms, errors, preambles, ends of the converter, read limits."""

import struct

import numpy as np
import pytest

from jackfield.emulator.randomness import Randomness
from jackfield.emulator.scope import AbstractScope
from jackfield.emulator.scope_rigol import RigolScope
from jackfield.emulator.scope_siglent import SiglentScope
from jackfield.emulator.scope_tektronix import TektronixScope

from .conftest import Ramp

RANDOMNESS = Randomness("jf16", "ideal", 1)
RIGOL = (
    ":CHAN1:DISP ON;:CHAN1:SCAL 0.5;OFFS 0;:CHAN4:DISP ON;SCAL 1;:TRIG:EDG:SOUR CHAN4;LEV 1.5;SLOP POS;"
    ":ACQ:TYPE NORM;:TIM:MAIN:SCAL 1e-3;OFFS 5e-3;:RUN;:ACQ:MDEP 600000;:STOP"
)
SIGLENT = (
    ":CHAN1:SWIT ON;:CHAN1:SCAL 0.5;OFFS 0;:TIM:SCAL 1e-3;DEL 0;:TRIG:EDGE:SOUR EX;LEV 1.5;SLOP RIS;"
    ":ACQ:TYPE NORM;MDEP 1M"
)
TEKTRONIX = (
    "HEAD OFF;:SEL:CH1 ON;:CH1:SCA 0.5;:HOR:SCA 1e-3;RECO 100000;POS 10;:TRIG:A:TYP EDGE;EDGE:SOU AUX;"
    ":TRIG:A:EDGE:SLO RIS;:TRIG:A:LEV 1.5;MOD NORM;:ACQ:STOPA SEQ;MOD SAM;:DAT:SOU CH1;ENC SRI;WID 2;STAR 1;STOP 100000"
)


def ask(scope: AbstractScope, message: str) -> bytes:
    return scope.core.execute(message) or b""


def payload(answer: bytes) -> bytes:
    digits = int(answer[1:2])
    assert int(answer[2 : 2 + digits]) == len(answer) - 2 - digits
    return answer[2 + digits :]


def slope_and_start(volts: np.ndarray, t: np.ndarray) -> tuple[float, float]:
    """Of the ramp, where it is on the screen, at and after the trigger."""
    part = (t > 0.2e-3) & (t < 8e-3)
    fitted = np.polynomial.Polynomial.fit(t[part], volts[part], 1).convert().coef
    return float(fitted[1]), float(fitted[0])


def shot(scope: AbstractScope, setup: str, arm: str, ramp: Ramp) -> None:
    ask(scope, setup)
    ask(scope, arm)
    scope.trigger(ramp)


def test_rigol_volts_and_times_are_those_of_the_shot(ramp: Ramp) -> None:
    scope = RigolScope(RANDOMNESS)
    shot(scope, RIGOL, ":SING", ramp)
    assert ask(scope, "SYST:ERR?") == b'+0,"No error"'
    ask(scope, ":WAVeform:SOURce CHANnel1;MODE RAW;FORMat BYTE;STARt 1;STOP 250000")
    form, kind, points, count, dt, t0, xref, dv, origin, middle = map(float, ask(scope, ":WAV:PRE?").split(b","))
    assert (form, kind, points, count, xref) == (0, 2, 600_000, 1, 0)
    assert (points * dt, t0) == (pytest.approx(12e-3), pytest.approx(-1e-3))
    codes = np.frombuffer(payload(ask(scope, ":WAV:DATA?")), "u1").astype(float)
    slope, start = slope_and_start((codes - origin - middle) * dv, t0 + dt * np.arange(len(codes)))
    assert slope == pytest.approx(100.0, rel=0.03)
    assert abs(start) < 0.05


def test_rigol_bounds_its_reads_and_its_memory(ramp: Ramp) -> None:
    scope = RigolScope(RANDOMNESS)
    shot(scope, RIGOL, ":SING", ramp)
    ask(scope, ":WAV:SOUR CHAN1;MODE RAW;FORM BYTE")
    for setup, error in (
        (":WAV:STAR 1;STOP 250001", b"-222"),
        (":WAV:STAR 400000;STOP 600001", b"-222"),
        (":WAV:STAR 10;STOP 9", b"-222"),
        (":WAV:STAR 1;STOP 10;:RUN", b"-221"),
    ):
        assert ask(scope, f"{setup};:WAV:DATA?") == b""
        assert ask(scope, ":SYSTem:ERRor?").startswith(error), setup
    for message, error in (
        (":RUN;:ACQ:MDEP 12000000", b"-224"),  # with two channels on there is half
        (":STOP;:ACQ:MDEP 60000", b"-221"),
        (":TRIG:EDG:SOUR EXT", b"-224"),
        (":CHAN1:IMP FIFT", b"-113"),
        (":CHANN1:SCAL 1", b"-113"),
    ):
        assert ask(scope, message) == b""
        assert ask(scope, ":SYST:ERR:NEXT?").startswith(error), message


def test_rigol_sees_the_pulse_on_its_channel_alone(ramp: Ramp) -> None:
    scope = RigolScope(RANDOMNESS)
    ask(scope, RIGOL)
    for spoiled in (":CHAN4:DISP OFF", ":TRIG:EDG:SOUR CHAN1", ":TRIG:EDG:LEV 3.5", ":STOP"):
        ask(scope, f"{RIGOL};:SING;{spoiled}")
        scope.trigger(ramp)
        ask(scope, ":WAV:SOUR CHAN1")
        assert ask(scope, ":WAV:PRE?") == b"", spoiled
        assert ask(scope, "SYST:ERR?").startswith(b"-230")
    shot(scope, RIGOL, ":SING", ramp)
    assert ask(scope, ":TRIG:STAT?") == b"STOP"
    ask(scope, ":WAV:SOUR CHAN4;MODE RAW;STAR 49990;STOP 50700")
    high = np.frombuffer(payload(ask(scope, ":WAV:DATA?")), "u1") > 127 + 20
    assert 480 < high.sum() < 520  # 10 us of 20 ns


@pytest.mark.parametrize(("level", "end"), [(9.0, 255), (-9.0, 0)])
def test_rigol_ends_of_the_converter(level: float, end: int) -> None:
    scope = RigolScope(RANDOMNESS)
    shot(scope, RIGOL, ":SING", Ramp(slope_V_per_s=0.0, level_V=level))
    ask(scope, ":WAV:SOUR CHAN1;MODE RAW;STAR 1;STOP 100")
    assert set(payload(ask(scope, ":WAV:DATA?"))) == {end}


def test_siglent_volts_and_times_are_those_of_the_shot(ramp: Ramp) -> None:
    scope = SiglentScope(RANDOMNESS)
    shot(scope, SIGLENT, ":TRIG:MODE SING", ramp)
    told = payload(ask(scope, ":WAVeform:SOURce C1;PREamble?"))
    assert len(told) == 346
    assert told[:8] == b"WAVEDESC"
    (points,), (scale, offset, codes_a_division) = (
        struct.unpack_from("<i", told, 116),
        struct.unpack_from("<3f", told, 156),
    )
    (bits,), (dt,) = struct.unpack_from("<h", told, 172), struct.unpack_from("<f", told, 176)
    assert (points, scale, offset, bits) == (1_000_000, 0.5, 0.0, 8)
    most = int(ask(scope, ":WAV:MAXP?"))
    ask(scope, f":WAV:STAR 500000;POIN {2 * most}")
    codes = np.frombuffer(payload(ask(scope, ":WAV:DATA?")), "i1").astype(float)
    assert len(codes) == most
    t = dt * np.arange(len(codes))  # from the trigger in the middle on
    slope, start = slope_and_start(codes / codes_a_division * scale - offset, t)
    assert slope == pytest.approx(100.0, rel=0.03)
    assert abs(start) < 0.05


def test_siglent_has_no_error_queue_and_few_common_commands(ramp: Ramp) -> None:
    scope = SiglentScope(RANDOMNESS)
    for message in ("*ESE 5;*ESE?", "*CLS", "SYST:ERR?", ":CHAN1:SCAL 1 V/div", ":NONSENSE?"):
        assert ask(scope, message) == b""
    assert ask(scope, "*IDN?").startswith(b"Siglent Technologies,SDS2504X Plus")
    assert ask(scope, ":TRIG:MODE SING;:TRIG:STAT?") == b"Ready"
    assert ask(scope, ":ACQ:TYPE ERES,2.0;TYPE?;:CHAN1:BWL 20M;BWL?") == b"ERES,2.0;20M"


@pytest.mark.parametrize(("level", "end"), [(9.0, 127), (-9.0, -128)])
def test_siglent_ends_of_the_converter(level: float, end: int) -> None:
    scope = SiglentScope(RANDOMNESS)
    shot(scope, SIGLENT, ":TRIG:MODE SING", Ramp(slope_V_per_s=0.0, level_V=level))
    ask(scope, ":WAV:SOUR C1;STAR 0;POIN 100")
    assert set(np.frombuffer(payload(ask(scope, ":WAV:DATA?")), "i1")) == {end}
    ask(scope, ":WAV:WIDT WORD")
    assert set(np.frombuffer(payload(ask(scope, ":WAV:DATA?")), "<i2")) == {end}


def test_tektronix_volts_and_times_are_those_of_the_shot(ramp: Ramp) -> None:
    scope = TektronixScope(RANDOMNESS)
    shot(scope, TEKTRONIX, "ACQuire:STATE RUN", ramp)
    assert ask(scope, "*ESR?;EVMsg?").endswith(b'0,"No events to report - queue empty"')
    names = ("BYT_Nr", "NR_Pt", "XINcr", "XZEro", "YMUlt", "YOFf", "YZEro")
    width, points, dt, t0, dv, offset, zero = (float(ask(scope, f"WFMOutpre:{name}?")) for name in names)
    assert (width, points, t0) == (2, 100_000, pytest.approx(-1e-3))
    codes = np.frombuffer(payload(ask(scope, "CURVe?")), "<i2").astype(float)
    assert len(codes) == points
    slope, start = slope_and_start((codes - offset) * dv + zero, t0 + dt * np.arange(len(codes)))
    assert slope == pytest.approx(100.0, rel=0.03)
    assert abs(start) < 0.06


def test_tektronix_answers_carry_their_header_until_it_is_off() -> None:
    scope = TektronixScope(RANDOMNESS)
    assert ask(scope, "CH1:SCAle?") == b":CH1:SCALE 5.000000000E+00"
    assert ask(scope, "*IDN?").startswith(b"TEKTRONIX,MDO3034")
    assert ask(scope, "HEADer OFF;:CH1:SCA?") == b"5.000000000E+00"
    ask(scope, "*RST")
    assert ask(scope, "HEAD?") == b":HEAD 1"


def test_tektronix_events_wait_for_esr() -> None:
    scope = TektronixScope(RANDOMNESS)
    ask(scope, "HEAD OFF;*CLS")
    ask(scope, "CH1:SCALEX 1")
    assert ask(scope, "EVMsg?") == b'1,"No events to report - new events pending *ESR?"'
    assert int(ask(scope, "*ESR?")) & 0x20
    assert ask(scope, "EVMsg?") == b'113,"Undefined header"'
    assert ask(scope, "EVMsg?") == b'0,"No events to report - queue empty"'
    for message, number in (("HOR:RECO 1500", b"222"), ("CH1:POS 2", b"222"), ("SYST:ERR?", b"113"), ("CURV?", b"230")):
        ask(scope, message)
        ask(scope, "*ESR?")
        assert ask(scope, "EVMsg?").startswith(number), message


@pytest.mark.parametrize(("level", "ends"), [(9.0, (32767, 127)), (-9.0, (-32768, -128))])
def test_tektronix_ends_of_the_converter_and_encodings(level: float, ends: tuple[int, int]) -> None:
    scope = TektronixScope(RANDOMNESS)
    shot(scope, TEKTRONIX, "ACQ:STATE RUN", Ramp(slope_V_per_s=0.0, level_V=level))
    assert set(np.frombuffer(payload(ask(scope, "CURV?")), "<i2")) == {ends[0]}
    assert set(np.frombuffer(payload(ask(scope, "DAT:ENC RIB;:CURV?")), ">i2")) == {ends[0]}
    assert set(np.frombuffer(payload(ask(scope, "DAT:WID 1;:CURV?")), "i1")) == {ends[1]}
    assert set(payload(ask(scope, "DAT:ENC RPB;:CURV?"))) == {ends[1] + 128}


@pytest.mark.parametrize(
    ("kind", "snaps"),
    [
        (RigolScope, ((":TIM:SCAL 3e-5;SCAL?", 5e-5), (":CHAN1:SCAL 0.3;SCAL?", 0.5))),
        (SiglentScope, ((":TIM:SCAL 3e-5;SCAL?", 5e-5), (":CHAN1:SCAL 0.3;SCAL?", 0.5))),
        (TektronixScope, (("HEAD OFF;:HOR:SCA 3e-5;SCA?", 4e-5), ("HEAD OFF;:CH1:SCA 0.3;SCA?", 0.5))),
    ],
)
def test_knobs_have_steps(kind: type[AbstractScope], snaps: tuple[tuple[str, float], ...]) -> None:
    scope = kind(RANDOMNESS)
    for message, value in snaps:
        assert float(ask(scope, message)) == pytest.approx(value)


@pytest.mark.parametrize("kind", [RigolScope, SiglentScope, TektronixScope])
def test_one_seed_gives_the_same_codes(kind: type[AbstractScope], ramp: Ramp) -> None:
    setup, arm, read = {
        RigolScope: (RIGOL, ":SING", ":WAV:SOUR CHAN1;MODE RAW;STAR 1;STOP 9999;DATA?"),
        SiglentScope: (SIGLENT, ":TRIG:MODE SING", ":WAV:SOUR C1;STAR 0;POIN 9999;DATA?"),
        TektronixScope: (TEKTRONIX, "ACQ:STATE RUN", "CURV?"),
    }[kind]
    records = []
    for seed in (1, 1, 2):
        scope = kind(Randomness("jf16", "ideal", seed))
        shot(scope, setup, arm, ramp)
        records.append(ask(scope, read))
    assert len(records[0]) > 9000
    assert records[0] == records[1]
    assert records[0] != records[2]
