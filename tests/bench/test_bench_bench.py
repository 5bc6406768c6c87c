"""Splitting, ranges, order and safety, with a board and an oscilloscope made of a few lines."""

from collections.abc import Mapping
from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest
from numpy.typing import NDArray

from jackfield.bench import AbstractDigitizer, AbstractSource, AbstractVoltmeter, Acquisition, Bench, Waveform, Wiring
from jackfield.board import BoardSpec, RunProgram, schedule
from jackfield.errors import BoardError, DesignError, InstrumentError


def small_board() -> BoardSpec:
    folder = files("jackfield_boards")
    texts = {name: folder.joinpath(name).read_text("utf-8") for name in ("jf16.toml", "jf16_reach.csv")}
    return BoardSpec.from_toml(texts.pop("jf16.toml"), texts)


SPEC = small_board()
PROGRAM = RunProgram(steps=((0, 100),), scan=((1, 2, 3), (4, 5)))


class EchoBoard:
    """Holds what was preset: node n of an input reads as its preset voltage."""

    def __init__(self, events: list[str]) -> None:
        self.events = events
        self.inputs = np.zeros((SPEC.run.inputs, SPEC.nodes.count), dtype=np.int64)
        self.program = PROGRAM
        self.lost_scans = 0
        self.numbers: list[int | None] = []

    def load_inputs(self, codes: NDArray[np.int64], first: int = 0) -> None:
        self.events.append(f"load {len(codes)}")
        self.inputs[first : first + len(codes)] = codes

    def start(self, program: RunProgram, run_number: int | None = None) -> None:
        self.events.append(f"start {program.first}+{program.count}")
        self.numbers.append(run_number)
        self.program = program

    def finish(self, timeout_s: float) -> int:
        assert timeout_s > 1
        return self.program.count - self.lost_scans

    def safe(self) -> None:
        self.events.append("safe")


class IdealScope(AbstractDigitizer):
    """Sees the echo board; clips below `clips_below` volts of screen."""

    idn_pattern = "ideal"
    identity = "ideal scope"
    channels: Mapping[int, int] = {1: 1, 2: 3}
    full_scales = (1.0, 4.0, 8.0, 16.0, 40.0, 80.0, 160.0)

    def __init__(self, board: EchoBoard) -> None:
        self.board = board
        self.points = 1_000_000
        self.clips_below = 0.0
        self.acquisition: Acquisition | None = None

    @property
    def most_points(self) -> int:
        return self.points

    def configure(self, acquisition: Acquisition) -> None:
        assert acquisition.points <= self.points
        self.acquisition = acquisition
        self.board.events.append(f"configure {acquisition.full_scale_V:g}")

    def arm(self) -> None:
        self.board.events.append("arm")

    def wait(self, timeout_s: float) -> None:
        self.board.events.append("wait")

    def read(self) -> dict[int, Waveform]:
        assert self.acquisition is not None
        program, wanted = self.board.program, self.acquisition
        plan = schedule(SPEC, program)
        step_s = (wanted.stop_s - wanted.start_s) / wanted.points
        t = wanted.start_s + step_s * np.arange(wanted.points)
        presets = SPEC.nodes.preset.value(self.board.inputs[program.first : program.first + program.count])
        waveforms = {}
        for channel, nodes in zip((1, 3), program.scan, strict=True):
            volts = np.zeros(len(t), dtype=np.float32)
            for k, starts in enumerate(plan.slot_start_s):
                for start, level in zip(starts, [0.0, 0.8, *presets[k, np.array(nodes) - 1]], strict=False):
                    volts[(t >= start) & (t < start + plan.slot_s)] = level
            clipped = np.abs(volts) > 0.5 if wanted.full_scale_V < self.clips_below else None
            waveforms[channel] = Waveform(wanted.start_s, step_s, volts, clipped, None, 1e-4)
        return waveforms

    def close(self) -> None:
        self.board.events.append("close scope")


class Meter(AbstractVoltmeter):
    """Always 0.8 V."""

    idn_pattern = "meter"
    identity = "meter"
    reads = 0

    def read_volts(self) -> float:
        self.reads += 1
        return 0.8

    def close(self) -> None:
        return


class Source(AbstractSource):
    """Fails to switch off if told so."""

    idn_pattern = "source"
    broken = False

    def __init__(self, events: list[str]) -> None:
        super().__init__(1e-3, 1.0)
        self.events = events

    def _drive(self, volts: float) -> None:
        self.events.append(f"drive {volts}")

    def off(self) -> None:
        self.events.append("off")
        if self.broken:
            raise InstrumentError("the source does not answer")

    def close(self) -> None:
        return


@pytest.fixture
def board() -> EchoBoard:
    return EchoBoard([])


@pytest.fixture
def scope(board: EchoBoard) -> IdealScope:
    return IdealScope(board)


@pytest.fixture
def bench(board: EchoBoard, scope: IdealScope) -> Bench[EchoBoard]:
    return Bench(board, scope, Meter(), Wiring(scope.channels), SPEC, (Source(board.events),))


def codes(count: int) -> NDArray[np.int64]:
    return np.random.default_rng(count).integers(300, 3700, (count, SPEC.nodes.count))


def test_the_order_of_one_run(bench: Bench[EchoBoard], board: EchoBoard) -> None:
    read = bench.measure(codes(3), PROGRAM)
    assert board.events == ["load 3", "configure 4", "arm", "start 0+3", "wait"]
    assert read.nodes == (1, 2, 3, 4, 5)
    assert np.abs(read.values_V - SPEC.nodes.preset.value(codes(3)[:, :5])).max() < 1e-3


def test_batches_follow_the_input_memory_and_the_record(
    bench: Bench[EchoBoard], board: EchoBoard, scope: IdealScope
) -> None:
    scope.points = 20_000
    read = bench.measure(codes(70), PROGRAM)
    starts = [event for event in board.events if event.startswith("start")]
    assert starts[0].startswith("start 0+")
    assert len(starts) > 2
    assert sum(int(event.partition("+")[2]) for event in starts) == 70
    assert [event for event in board.events if event.startswith("load")] == ["load 64", "load 6"]
    assert np.abs(read.values_V - SPEC.nodes.preset.value(codes(70)[:, :5])).max() < 1e-3
    assert read.ground_V.shape == (70, 2)


def test_runs_are_numbered_from_the_number_given(bench: Bench[EchoBoard], board: EchoBoard) -> None:
    bench.measure(codes(70), PROGRAM, run_number=500)
    bench.read(PROGRAM, run_number=7)
    bench.read(PROGRAM)
    assert board.numbers == [500, 501, 7, None]


def test_one_input_that_does_not_fit_is_refused(bench: Bench[EchoBoard], scope: IdealScope) -> None:
    scope.points = 500
    with pytest.raises(DesignError, match=r"the oscilloscope holds 500; scan fewer nodes"):
        bench.read(PROGRAM)


def test_a_clipped_record_is_taken_again_one_range_up(
    bench: Bench[EchoBoard], board: EchoBoard, scope: IdealScope
) -> None:
    scope.clips_below = 10.0
    assert not bench.read(PROGRAM).clipped.any()
    ranges = [event for event in board.events if event.startswith("configure")]
    assert ranges == ["configure 4", "configure 8", "configure 16"]


def test_after_four_repeats_the_flags_stay(bench: Bench[EchoBoard], board: EchoBoard, scope: IdealScope) -> None:
    scope.clips_below = 1e3
    assert bench.read(PROGRAM).clipped.all()
    assert sum(event.startswith("start") for event in board.events) == 5


def test_the_reference_is_measured_once(bench: Bench[EchoBoard]) -> None:
    bench.read(PROGRAM)
    bench.read(PROGRAM)
    assert bench.reference_V() == 0.8
    assert isinstance(bench.voltmeter, Meter)
    assert bench.voltmeter.reads == 1
    assert bench.identities == ("ideal scope", "meter")


def test_sources_go_off_before_the_board_whatever_fails(bench: Bench[EchoBoard], board: EchoBoard) -> None:
    bench.safe()
    assert board.events == ["off", "safe"]
    source = bench.sources[0]
    assert isinstance(source, Source)
    source.broken = True
    board.events.clear()
    with pytest.raises(InstrumentError, match=r"does not answer"):
        bench.safe()
    assert board.events == ["off", "safe"]


def test_lost_scans_wrong_modes_shapes_and_wiring_are_errors(
    bench: Bench[EchoBoard], board: EchoBoard, scope: IdealScope
) -> None:
    board.lost_scans = 1
    with pytest.raises(BoardError, match=r"0 scans of 1"):
        bench.read(PROGRAM)
    with pytest.raises(DesignError, match=r"mode 'run' is given where 'watch' is read"):
        bench.watch(PROGRAM)
    with pytest.raises(DesignError, match=r"shape \(3, 4\); board jf16 takes \[input, 16\]"):
        bench.measure(np.ones((3, 4), dtype=np.int64), PROGRAM)
    with pytest.raises(DesignError, match=r"node 17"):
        bench.read(replace(PROGRAM, scan=((17,), (1,))))
    with pytest.raises(DesignError, match=r"board probe 2 is on no oscilloscope channel"):
        Bench(board, scope, None, Wiring({1: 1}), SPEC)
