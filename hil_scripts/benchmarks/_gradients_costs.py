"""What a gradient costs on emulated boards: passes, reads, time of the board and of the whole bench."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from benchmarks._calibration_bench import open_here
from benchmarks._gradients_board import UNIT_S, resting
from benchmarks._gradients_circuits import implicit, row
from benchmarks._gradients_replay import DURATION, NUDGE, POINTS, passing
from benchmarks._rows import Row
from torch import Tensor

from jackfield.bench import Bench
from jackfield.compile import Twin, compile_circuit, twin
from jackfield.physics import Circuit
from jackfield.session import load_spec
from jackfield.tune import (
    BenchPlant,
    CenteredPropagation,
    CompensatedReplay,
    CoupledLearning,
    Estimator,
    Nudge,
    OneSidedPropagation,
    hardware_forward,
)

__all__ = ["cost_rows"]

SETTLE = 30.0
Counted = Callable[[], tuple[int, int]]


def cost_rows() -> list[Row]:
    """Estimators beside hardware forward and twin backward, on one circuit at rest and one transient."""
    return [*_at_rest(), *_passing()]


def _at_rest() -> list[Row]:
    spec = load_spec("jf16s")
    circuit, start, loss = resting(spec)
    bench = open_here(spec, "cmos", 0)[0]
    plant = _plant(bench, circuit)
    names = f"jf16s, at rest, 16 nodes, {len(start)} samples"
    found = [
        _row(one.name, names, bench, _measured(one, plant, start, loss))
        for one in (
            OneSidedPropagation(Nudge(peak=0.2)),
            CenteredPropagation(Nudge(peak=0.2)),
            CoupledLearning(Nudge(0.1)),
        )
    ]

    def model_backward() -> tuple[int, int]:
        passes, reads = plant.passes, plant.reads
        implicit(plant.circuit, plant.settle(start).values, loss)
        return plant.passes - passes, plant.reads - reads

    return [*found, _row("hardware forward, twin backward", names, bench, model_backward)]


def _passing() -> list[Row]:
    spec = load_spec("jf16w")
    circuit, start, loss = passing()
    bench = open_here(spec, "cmos", 0)[0]
    plant = _plant(bench, circuit)
    names = f"jf16w, transient, 10 nodes, {len(start)} samples"
    replay = CompensatedReplay(NUDGE, DURATION, points=POINTS)
    rows = [_row(replay.name, names, bench, _measured(replay, plant, start, loss))]
    whole = replace(circuit, inputs=tuple(range(1, circuit.nodes + 1)))
    model = twin(compile_circuit(whole, spec, volts_per_unit=1.0, seconds_per_unit=UNIT_S), spec)
    assert isinstance(model, Twin)
    layer = hardware_forward(bench, model)

    def model_backward() -> tuple[int, int]:
        loss(layer(start.numpy()).double()).mean().backward()
        assert layer.read is not None
        return len(start), layer.read.values_V.size

    rows.append(_row("hardware forward, twin backward", names, bench, model_backward))
    return rows


def _plant(bench: Bench[Any], circuit: Circuit) -> BenchPlant:
    return BenchPlant(bench, circuit, volts_per_unit=1.0, seconds_per_unit=UNIT_S, settle=SETTLE)


def _measured(estimator: Estimator, plant: BenchPlant, start: Tensor, loss: Any) -> Counted:
    def job() -> tuple[int, int]:
        found = estimator.estimate(plant, start, loss)
        return found.passes, found.reads

    return job


def _row(name: str, names: str, bench: Bench[Any], job: Counted) -> Row:
    """Passes in `ours`, reads in `theirs`; the second of two goes is counted."""
    job()
    busy, began = bench.board.busy_s, time.perf_counter()
    passes, reads = job()
    wall, busy = time.perf_counter() - began, bench.board.busy_s - busy
    work = f"{name}: {names}; theirs: reads; board {busy:.3f} s, bench and emulator {wall:.2f} s"
    return row("cost", work, "-", float(passes), "passes", "printed", passes > 0, theirs=float(reads))
