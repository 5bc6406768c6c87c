from dataclasses import replace

import numpy as np
import pytest

from jackfield.emulator.randomness import Randomness
from jackfield.emulator.scope_keysight import KeysightScope

from .conftest import Ramp

SETUP = (
    "*RST;*CLS;:CHAN1:DISP ON;PROB 1;COUP DC;IMP ONEM;SCAL 0.5;OFFS 0;"
    ":CHAN2:DISP ON;SCAL 0.5;:TIM:REF LEFT;POS 0;RANG 10ms;:TRIG:MODE EDGE;:TRIG:EDGE:SOUR EXT;LEV 0.75;SLOP POS;"
    ":ACQ:TYPE NORM;:WAV:SOUR CHAN1;FORM BYTE;POIN:MODE RAW;:WAV:POIN 10000"
)


@pytest.fixture
def scope() -> KeysightScope:
    scope = KeysightScope(Randomness("jf16", "ideal", 1))
    ask(scope, SETUP)
    assert ask(scope, "SYST:ERR?") == b'+0,"No error"'
    return scope


def ask(scope: KeysightScope, message: str) -> bytes:
    return scope.core.execute(message) or b""


def read(scope: KeysightScope) -> tuple[np.ndarray, list[float]]:
    preamble = [float(field) for field in ask(scope, ":WAV:PRE?").split(b",")]
    answer = ask(scope, ":WAV:DATA?")
    assert answer[:2] == b"#8"
    assert int(answer[2:10]) == len(answer) - 10
    return np.frombuffer(answer[10:], "u1" if preamble[0] == 0 else ">u2"), preamble


def test_it_triggers_only_if_armed(scope: KeysightScope, ramp: Ramp) -> None:
    scope.trigger(ramp)
    assert ask(scope, ":TER?") == b"0"
    assert ask(scope, ":WAV:DATA?") == b""
    assert ask(scope, "SYST:ERR?").startswith(b"-230")
    ask(scope, ":SINGle")
    assert ask(scope, ":AER?;:AER?;:OPER:COND?") == b"1;0;40"
    scope.trigger(ramp)
    assert ask(scope, ":OPER:COND?;:TER?;:TER?") == b"0;1;0"
    assert ask(scope, ":WAV:POIN?") == b"10000"


@pytest.mark.parametrize("spoiled", [":TRIG:LEV 3.5", ":TRIG:LEV -1", ":TRIG:SOUR CHAN3", ":STOP"])
def test_it_misses_the_pulse_if_set_wrongly(scope: KeysightScope, ramp: Ramp, spoiled: str) -> None:
    ask(scope, f":SING;{spoiled}")
    scope.trigger(ramp)
    assert ask(scope, ":TER?") == b"0"


def test_run_keeps_running_and_takes_the_last(scope: KeysightScope, ramp: Ramp) -> None:
    ask(scope, ":RUN")
    scope.trigger(ramp)
    scope.trigger(replace(ramp, key="ramp 2"))
    assert ask(scope, ":OPER:COND?") == b"40"
    second, _ = read(scope)
    scope.trigger(ramp)
    assert not np.array_equal(read(scope)[0], second)


@pytest.mark.parametrize("form", ["BYTE", "WORD"])
@pytest.mark.parametrize("kind", ["NORM", "HRES"])
def test_volts_and_times_are_those_of_the_shot(scope: KeysightScope, ramp: Ramp, form: str, kind: str) -> None:
    ask(scope, f":ACQ:TYPE {kind};:WAV:FORM {form};:SING")
    scope.trigger(ramp)
    codes, (code_form, code_kind, points, count, dt, t0, xref, dv, v0, vref) = read(scope)
    assert (code_form, code_kind, points, count, xref) == (form == "WORD", 3 if kind == "HRES" else 0, 10000, 1, 0)
    assert t0 == pytest.approx(-1e-3)
    assert points * dt == pytest.approx(10e-3)
    t, volts = t0 + dt * np.arange(points), (codes.astype(float) - vref) * dv + v0
    fitted = np.polynomial.Polynomial.fit(t[t > 0], volts[t > 0], 1).convert().coef
    assert fitted[1] == pytest.approx(100.0, rel=0.02)
    assert abs(fitted[0]) < 0.04 + 2e-3
    noise = np.std(volts[t > 0] - np.polynomial.Polynomial(fitted)(t[t > 0])) / (4.0 / 252)
    assert noise < 0.15 if (form, kind) == ("WORD", "HRES") else 0.3 < noise < 1.0


def test_what_is_beyond_the_screen_is_flagged_not_told(scope: KeysightScope) -> None:
    ask(scope, ":SING")
    scope.trigger(Ramp(slope_V_per_s=0.0, level_V=2.5))
    assert set(read(scope)[0]) == {255}
    ask(scope, ":WAV:FORM WORD")
    assert set(read(scope)[0]) == {65535}
    ask(scope, ":SING;:WAV:FORM BYTE")
    scope.trigger(Ramp(slope_V_per_s=0.0, level_V=-2.5))
    assert set(read(scope)[0]) == {1}
    assert set(np.frombuffer(ask(scope, ":WAV:FORM WORD;DATA?")[10:], ">u2")) == {1}


def test_settings_snap_and_show_in_short_form(scope: KeysightScope) -> None:
    assert float(ask(scope, ":CHANnel1:RANGe 1.7;RANGe?")) == pytest.approx(4.0)
    assert float(ask(scope, ":CHANnel1:SCALe 60mV;SCALe?")) == pytest.approx(0.1)
    assert float(ask(scope, ":CHANnel1:PROBe 10;SCALe?")) == pytest.approx(1.0)
    assert ask(scope, ":CHANnel1:IMPedance FIFTy;IMPedance?;COUPling?;BWLimit 1;BWLimit?") == b"FIFT;DC;1"
    assert ask(scope, ":ACQuire:TYPE HRESolution;TYPE?;:WAVeform:BYTeorder LSBFirst;BYTeorder?") == b"HRES;LSBF"
    ask(scope, ":CHAN5:SCAL 1")
    assert ask(scope, "SYST:ERR?").startswith(b"-114")


def test_byte_order_and_sign(scope: KeysightScope, ramp: Ramp) -> None:
    ask(scope, ":WAV:FORM WORD;:SING")
    scope.trigger(ramp)
    plain = np.frombuffer(ask(scope, ":WAV:DATA?")[10:], ">u2")
    swapped = np.frombuffer(ask(scope, ":WAV:BYT LSBF;DATA?")[10:], "<u2")
    signed = np.frombuffer(ask(scope, ":WAV:UNS OFF;DATA?")[10:], "<i2")
    assert np.array_equal(plain, swapped)
    assert np.array_equal(signed.astype(int), plain.astype(int) - 32768)
    assert ask(scope, ":WAV:PRE?").endswith(b",0")


def test_a_wrong_attenuation_or_load_shows_in_the_volts(scope: KeysightScope) -> None:
    flat = Ramp(slope_V_per_s=0.0, level_V=0.5)
    means = []
    for spoil in ("PROB 1", "IMP FIFT", "COUP AC"):
        ask(scope, f"{SETUP};:CHAN1:{spoil};:SING")
        scope.trigger(flat)
        codes, preamble = read(scope)
        means.append(float(np.mean((codes - preamble[9]) * preamble[7])))
    assert means[0] == pytest.approx(0.5, abs=0.051)
    assert means[1] == pytest.approx(0.25, abs=0.046)
    assert means[2] == pytest.approx(0.0, abs=0.041)


def test_one_seed_gives_the_same_codes_and_another_does_not(ramp: Ramp) -> None:
    records = []
    for seed in (1, 1, 2):
        scope = KeysightScope(Randomness("jf16", "ideal", seed))
        ask(scope, SETUP + ";:SING")
        scope.trigger(ramp)
        records.append(read(scope)[0])
    assert np.array_equal(records[0], records[1])
    assert not np.array_equal(records[0], records[2])


def test_a_command_is_never_answered(scope: KeysightScope) -> None:
    for command in (":TRIGger:MODE EDGE", ":TIMebase:MODE MAIN", ":ACQuire:POINts 1000", ":WAVeform:SOURce CHANnel2"):
        assert scope.core.execute(command) is None
    assert ask(scope, "SYST:ERR?") == b'+0,"No error"'
