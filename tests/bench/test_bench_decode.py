"""Decoding made-up records whose truth is known."""

import time
from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import lfilter

from jackfield.bench import Waveform, decode, decode_watch
from jackfield.board import BoardSpec, RunProgram, schedule
from jackfield.errors import InstrumentError

REFERENCE_V = 0.8
SETTLING_S = 0.5e-6


def small_board() -> BoardSpec:
    folder = files("jackfield_boards")
    texts = {name: folder.joinpath(name).read_text("utf-8") for name in ("jf16.toml", "jf16_reach.csv")}
    return BoardSpec.from_toml(texts.pop("jf16.toml"), texts)


SPEC = small_board()


def record(
    program: RunProgram,
    values: NDArray[np.float64],
    rng: np.random.Generator,
    *,
    ratio: float = 1 + 60e-6,
    noise: float = 1e-3,
    correlation: float = 0.0,
    step_s: float = 0.35e-6,
) -> list[Waveform]:
    """What an instrument with gain 1.02, offset 13 mV and a clock off by `ratio` makes of `values[input, node]`."""
    plan = schedule(SPEC, program)
    t = (np.arange(int((plan.total_s + 60e-6) / step_s)) * step_s - 20e-6 - 0.3e-6) / ratio
    waveforms, column = [], 0
    for nodes in program.scan:
        levels = np.zeros((len(values), plan.slot_start_s.shape[1] + 1))  # the last: ground again
        levels[:, 1] = REFERENCE_V
        levels[:, 2 : 2 + len(nodes)] = values[:, column : column + len(nodes)]
        starts = np.append(plan.slot_start_s, plan.slot_start_s[:, -1:] + plan.slot_s, axis=1).ravel()
        shown = np.concatenate([[0.0], levels.ravel()])
        segment = np.searchsorted(starts, t, side="right")
        since = t - np.concatenate([[-1.0], starts])[segment]
        before = np.concatenate([[0.0], shown[:-1]])[segment]
        volts = shown[segment] + (before - shown[segment]) * np.exp(-since / SETTLING_S)
        column += len(nodes)
        white = rng.standard_normal(len(t)) * noise * np.sqrt(1 - correlation**2)
        raw = 1.02 * volts + 0.013 + lfilter([1.0], [1.0, -correlation], white)
        waveforms.append(Waveform(-20e-6, step_s, raw.astype(np.float32), None, None, 1e-5))
    return waveforms


def program(count: int = 20) -> RunProgram:
    return RunProgram(steps=((0, 100),), scan=((1, 3, 5, 7, 9), (2, 4, 6)), count=count)


@pytest.mark.parametrize("correlation", [0.0, 0.6, 0.9])
def test_values_agree_within_their_standard_errors(correlation: float) -> None:
    rng = np.random.default_rng(1)
    values = rng.uniform(-0.9, 0.9, (20, 8))
    read = decode(record(program(), values, rng, correlation=correlation), SPEC, program(), REFERENCE_V)
    z = (read.values_V - values) / read.se_V
    assert read.nodes == (1, 3, 5, 7, 9, 2, 4, 6)
    assert 0.75 < np.sqrt(np.mean(z**2)) < 1.25
    assert abs(np.mean(z)) < 0.5
    assert read.clock_ratio == pytest.approx(1 - 60e-6, abs=15e-6)
    assert not read.clipped.any()
    assert not read.railed.any()


def test_standard_errors_shrink_with_the_noise_and_the_check_can_fail() -> None:
    rng = np.random.default_rng(2)
    values = rng.uniform(-0.9, 0.9, (20, 8))
    quiet = decode(record(program(), values, rng, noise=1e-4), SPEC, program(), REFERENCE_V)
    loud = decode(record(program(), values, rng, noise=1e-3), SPEC, program(), REFERENCE_V)
    assert np.median(loud.se_V) == pytest.approx(10 * np.median(quiet.se_V), rel=0.2)
    spoiled = (quiet.values_V + 1e-3 - values) / quiet.se_V
    assert np.sqrt(np.mean(spoiled**2)) > 3


def test_scatter_between_slots_enters_the_standard_error() -> None:
    rng = np.random.default_rng(3)
    values = rng.uniform(-0.9, 0.9, (60, 8))
    waveforms = record(program(60), values, rng, noise=1e-4)
    plan = schedule(SPEC, program(60))
    for waveform in waveforms:
        for start in plan.slot_start_s.ravel():
            at = int((start * (1 + 60e-6) + 20e-6) / waveform.step_s)
            waveform.volts[at : at + 40] += rng.standard_normal() * 2e-3
    read = decode(waveforms, SPEC, program(60), REFERENCE_V)
    z = (read.values_V - values) / read.se_V
    assert 0.8 < np.sqrt(np.mean(z**2)) < 1.2


def test_rounding_without_dither_is_not_taken_for_certainty() -> None:
    rng = np.random.default_rng(4)
    values = rng.uniform(-0.9, 0.9, (20, 8))
    coarse = 15e-3
    waveforms = [
        replace(w, volts=(np.rint(w.volts / coarse) * coarse).astype(np.float32), resolution_V=coarse)
        for w in record(program(), values, rng, noise=1e-5)
    ]
    read = decode(waveforms, SPEC, program(), REFERENCE_V)
    z = (read.values_V - values) / read.se_V
    assert 0.5 < np.sqrt(np.mean(z**2)) < 1.5


def test_clipped_and_railed_are_different_flags() -> None:
    rng = np.random.default_rng(5)
    values = rng.uniform(-0.9, 0.9, (20, 8))
    values[4, 2], values[7, 6] = 0.995, -0.99
    waveforms = record(program(), values, rng)
    slot = schedule(SPEC, program()).slot_start_s[3, 2 + 1]
    clipped = np.zeros(len(waveforms[0].volts), dtype=np.bool_)
    clipped[int((slot + 20e-6 + 15e-6) / waveforms[0].step_s)] = True
    waveforms[0] = replace(waveforms[0], clipped=clipped)
    read = decode(waveforms, SPEC, program(), REFERENCE_V)
    assert np.argwhere(read.railed).tolist() == [[4, 2], [7, 6]]
    assert np.argwhere(read.clipped).tolist() == [[3, 1]]


def test_a_clipped_reference_flags_the_whole_probe() -> None:
    rng = np.random.default_rng(6)
    values = rng.uniform(-0.9, 0.9, (20, 8))
    waveforms = record(program(), values, rng)
    slot = schedule(SPEC, program()).slot_start_s[0, 1]
    clipped = np.zeros(len(waveforms[1].volts), dtype=np.bool_)
    clipped[int((slot + 20e-6 + 15e-6) / waveforms[1].step_s)] = True
    read = decode([waveforms[0], replace(waveforms[1], clipped=clipped)], SPEC, program(), REFERENCE_V)
    assert read.clipped[:, 5:].all()
    assert not read.clipped[:, :5].any()


def test_a_clock_far_off_is_followed_over_a_long_batch() -> None:
    rng = np.random.default_rng(7)
    values = rng.uniform(-0.9, 0.9, (64, 8))
    long = replace(program(64), steps=((0, 1500),))
    read = decode(record(long, values, rng, ratio=1 - 150e-6), SPEC, long, REFERENCE_V)
    assert np.abs(read.values_V - values).max() < 6 * read.se_V.max()
    assert read.clock_ratio == pytest.approx(1 + 150e-6, abs=5e-6)


def test_no_reference_edge_short_record_and_holes_are_errors() -> None:
    rng = np.random.default_rng(8)
    waveforms = record(program(), np.zeros((20, 8)), rng)
    flat = replace(waveforms[0], volts=np.zeros_like(waveforms[0].volts))
    with pytest.raises(InstrumentError, match=r"probe 1 shows no step from ground to the reference of 0.8 V"):
        decode([flat, waveforms[1]], SPEC, program(), REFERENCE_V)
    short = [replace(w, volts=w.volts[:1000]) for w in waveforms]
    with pytest.raises(InstrumentError, match=r"longer window"):
        decode(short, SPEC, program(), REFERENCE_V)
    holed = replace(waveforms[0], holes=np.ones(len(waveforms[0].volts), dtype=np.bool_))
    with pytest.raises(InstrumentError, match=r"holes"):
        decode([holed, waveforms[1]], SPEC, program(), REFERENCE_V)


def test_watch_gives_the_live_trace_in_board_time() -> None:
    rng = np.random.default_rng(9)
    watch = RunProgram(steps=((0, 300),), scan=((1,), (2,)), mode="watch")
    plan = schedule(SPEC, watch)
    step_s = 0.5e-6
    t = np.arange(int((plan.total_s + 60e-6) / step_s)) * step_s - 20e-6
    live = np.where(t < plan.watch_start_s, 0.0, 0.7 * np.exp(-(t - plan.watch_start_s) / 100e-6))
    volts = np.where((t >= plan.slot_s) & (t < 2 * plan.slot_s), REFERENCE_V, live)
    noisy = [
        Waveform(-20e-6, step_s, (volts * 1.01 + 0.02 + noise).astype(np.float32), None, None, 1e-5)
        for noise in rng.standard_normal((2, len(t))) * 1e-3
    ]
    trace = decode_watch(noisy, SPEC, watch, REFERENCE_V)
    assert trace.volts.shape == (2, len(trace.t_s))
    assert trace.t_s[0] == pytest.approx(1e-6, abs=1e-6)
    assert trace.t_s[-1] == pytest.approx(299e-6, abs=1e-6)
    assert np.abs(trace.volts - 0.7 * np.exp(-trace.t_s / 100e-6)).max() < 8e-3


def test_a_batch_of_64_inputs_and_50_slots_decodes_in_milliseconds() -> None:
    rng = np.random.default_rng(10)
    big = RunProgram(steps=((0, 100),), scan=(tuple(range(1, 17)) * 3, tuple(range(1, 17)) * 3), count=64)
    waveforms = record(big, rng.uniform(-0.9, 0.9, (64, 96)), rng)
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        decode(waveforms, SPEC, big, REFERENCE_V)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.05, f"{1e3 * min(seconds):.1f} ms"
