"""Gradients measured on emulated boards, against those of the circuits that the boards really are."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from benchmarks._calibration_bench import Memory
from benchmarks._gradients_circuits import REAL, compared, flat, row
from benchmarks._gradients_truth import TrueBoard
from benchmarks._rows import Row
from torch import Tensor

from jackfield.bench import Bench
from jackfield.board import BoardSpec
from jackfield.compile import KnownBoard
from jackfield.physics import Circuit, EdgeSet, Slice
from jackfield.session import load_spec, open_bench
from jackfield.tune import (
    BenchPlant,
    CenteredPropagation,
    Nudge,
)
from jackfield_calibration import calibrate

__all__ = ["UNIT_S", "by_knowledge", "ep_compared", "ep_cosines", "ep_rows", "parts"]

EP_BOARDS, QUICK = range(5), range(1)
EP_BARS = {"raw": 0.96, "injection calibrated": 0.98, "with the record": 0.99}
UNIT_S, SETTLE = 1e-4, 30.0
EP_EDGES, EP_NUDGE = 96, Nudge(peak=0.2)


def ep_rows(quick: bool) -> list[Row]:
    """Centered propagation on jf16s cmos, each board behind its serial line and its instruments."""
    boards = QUICK if quick else EP_BOARDS
    return ep_compared([ep_cosines(seed) for seed in boards])


def ep_compared(boards: Sequence[dict[str, tuple[float, float]]]) -> list[Row]:
    """A row for what was known of the boards: the mean cosine of the gains' part; `theirs` is that with thresholds."""
    found = []
    for known, bar in EP_BARS.items():
        gains, whole = np.array([board[known] for board in boards]).T
        work = f"jf16s cmos, {len(boards)} boards, serial and VISA, {known}; worst {gains.min():.4f}; theirs: with "
        work += "thresholds"
        mean, all_of_it = float(gains.mean()), float(whole.mean())
        found.append(
            row("ep_on_board", work, "board's own circuit", mean, "cosine", f"> {bar:g}", mean > bar, theirs=all_of_it)
        )
    return found


def ep_cosines(seed: int) -> dict[str, tuple[float, float]]:
    """Of one board, by what is known of it: cosine of the gains' part, of the whole gradient."""
    spec = load_spec("jf16s")
    circuit, start, loss = resting(spec)
    true = TrueBoard(spec, "cmos", seed)

    def cosines(plant: BenchPlant) -> tuple[float, float]:
        found = CenteredPropagation(EP_NUDGE).estimate(plant, start, loss)
        return parts(flat(found.gradients), true.at_rest(plant, start, loss, UNIT_S))

    with open_bench(f"emulator://jf16s?profile=cmos&seed={seed}") as bench:
        return by_knowledge(bench, circuit, EP_EDGES, cosines)


def by_knowledge(
    bench: Bench[Any], circuit: Circuit, cells: int, cosines: Callable[[BenchPlant], tuple[float, float]]
) -> dict[str, tuple[float, float]]:
    """Cosines on a board of which nothing is known, then its injection DACs, then its cells."""
    spec = bench.spec

    def plant(**known: Any) -> BenchPlant:
        return BenchPlant(bench, circuit, volts_per_unit=1.0, seconds_per_unit=UNIT_S, settle=SETTLE, **known)

    raw = plant()
    found = {"raw": cosines(raw)}
    gain = raw.measure_injection()
    found["injection calibrated"] = cosines(raw)
    provenance = {"board_id": bench.board.hello.board_id}
    record = calibrate(bench, spec, Memory(), seed=1, cells=np.arange(cells), provenance=provenance)
    found["with the record"] = cosines(plant(known=KnownBoard.from_record(spec, record), injection_gain=gain))
    return found


def parts(found: Tensor, true: Tensor) -> tuple[float, float]:
    """Cosines of the gains' half of two gradients and of all of them."""
    half = len(found) // 2
    return compared(found[:half], true[:half])[1], compared(found, true)[1]


def resting(spec: BoardSpec) -> tuple[Circuit, Tensor, Any]:
    """4 driven inputs, 12 free nodes of which 4 are outputs, 96 edges at random; 24 samples."""
    generator, nodes, inputs, outputs, samples = torch.Generator().manual_seed(1), 16, 4, 4, 24
    every = [(a, b) for a in range(1, nodes + 1) for b in range(1, nodes + 1) if a != b and max(a, b) > inputs]
    kept = torch.randperm(len(every), generator=generator)[:EP_EDGES].sort().values

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator, dtype=REAL)

    source, destination = torch.tensor(every)[kept].T.contiguous()
    parameters = {"gain": 0.05 + 0.9 * uniform(EP_EDGES), "threshold": 0.2 * (uniform(EP_EDGES) - 0.5)}
    ones, driven = torch.ones(nodes, dtype=REAL), tuple(range(1, inputs + 1))
    part = Slice(SETTLE, (EdgeSet("shifted_relu", source, destination, parameters),))
    leak = spec.nodes.leak_S * UNIT_S / spec.nodes.capacitance_F
    ends = (driven, tuple(range(nodes - outputs + 1, nodes + 1)), driven)
    circuit = Circuit(nodes, (part,), ones, leak * ones, None, *ends)
    start = torch.zeros(samples, nodes, dtype=REAL)
    start[:, :inputs] = 1.8 * uniform(samples, inputs) - 0.9
    asked = uniform(samples, outputs) - 0.5
    return circuit, start, lambda seen: ((seen - asked[: len(seen)]) ** 2).sum(-1) / 2
