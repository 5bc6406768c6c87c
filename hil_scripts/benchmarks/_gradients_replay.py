"""Gradients of transients measured by compensated replay on emulated boards, against those of the boards' circuits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
import torch
from benchmarks._calibration_bench import open_here
from benchmarks._gradients_board import UNIT_S, by_knowledge, parts
from benchmarks._gradients_circuits import REAL, flat, row, through_time
from benchmarks._gradients_truth import TrueBoard
from benchmarks._rows import Row
from torch import Tensor

from jackfield.physics import Circuit, EdgeSet, Slice, integrate
from jackfield.session import load_spec
from jackfield.tune import Ability, BenchPlant, CompensatedReplay, Nudge, Parameters, Plant, Settled

__all__ = ["replay_compared", "replay_cosines", "replay_rows"]

BOARDS, QUICK = range(12), range(1)
NODES, OUTPUTS, EDGES, SPARES, SAMPLES, CIRCUIT = 10, 3, 60, 4, 4, 3
REPELLING, LARGEST_GAIN, THRESHOLDS, PRESETS, MISSED = 0.2, 0.5, 0.3, 0.3, 0.1
DURATION, POINTS, NUDGE, SETTLE = 2.5, 21, Nudge(beta=1e9, peak=0.1), 30.0  # more points: noisier slopes

Cosines = dict[str, tuple[float, float]]
"""By method: cosine of the gains' part of the gradient, of the whole."""


def replay_rows(quick: bool) -> list[Row]:
    """Compensated replay on jf16w cmos; the wire to the board alone is left out."""
    return replay_compared([replay_cosines(seed) for seed in (QUICK if quick else BOARDS)])


def replay_compared(boards: Sequence[Cosines]) -> list[Row]:
    """That the network is one on which the method matters, then the bars; `theirs` is the worst board."""
    circuit, start, _ = passing()
    grown = _tangent_growth(circuit, start)
    tame = f"{NODES} nodes, {EDGES} shifted_relu edges, {DURATION:g} units of time"
    return [
        row("tangent_growth", tame, "-", grown, "largest", "<= 50", grown <= 50),
        _compared(boards, "twin alone", "mean < 0.9", lambda mean, worst: mean < 0.9),
        _compared(boards, "uncompensated", "mean < 0.95", lambda mean, worst: mean < 0.95),
        _compared(boards, "raw", "printed", lambda mean, worst: True),
        _compared(
            boards,
            "injection calibrated",
            "mean > 0.965, worst > 0.92",
            lambda mean, worst: mean > 0.965 and worst > 0.92,
        ),
        _compared(boards, "with the record", "each > 0.99", lambda mean, worst: worst > 0.99),
    ]


def _compared(boards: Sequence[Cosines], name: str, asked: str, holds: Callable[[float, float], bool]) -> Row:
    gains, whole = np.array([board[name] for board in boards]).T
    mean, worst = float(whole.mean()), float(whole.min())
    work = f"jf16w cmos, {len(boards)} boards, {name}; theirs: the worst; gains alone {gains.mean():.4f}, worst "
    against, held = "the board's circuit", holds(mean, worst)
    return row("replay_on_board", f"{work}{gains.min():.4f}", against, mean, "cosine", asked, held, theirs=worst)


def replay_cosines(seed: int) -> Cosines:
    """Of one board, by what is known of it, and of the twin alone and a replay that leaves the currents out."""
    spec = load_spec("jf16w")
    circuit, start, loss = passing()
    board = TrueBoard(spec, "cmos", seed)
    replay = CompensatedReplay(NUDGE, DURATION, points=POINTS)

    def measured(plant: BenchPlant, seen: Plant | None = None) -> tuple[float, float]:
        found = replay.estimate(seen or plant, start, loss)
        return parts(flat(found.gradients), board.after(plant, start, loss, DURATION, UNIT_S))

    bench = open_here(spec, "cmos", seed)[0]
    found = by_knowledge(bench, circuit, EDGES + SPARES, measured)
    raw = BenchPlant(bench, circuit, volts_per_unit=1.0, seconds_per_unit=UNIT_S, settle=SETTLE)
    twin = through_time(replace(raw.circuit, rails=None), start, DURATION, loss)
    alone = parts(twin, board.after(raw, start, loss, DURATION, UNIT_S))
    return {"twin alone": alone, "uncompensated": measured(raw, _Mute(raw))} | found


@final
@dataclass
class _Mute:
    """A plant that takes waveforms and does not inject them."""

    plant: BenchPlant

    @property
    def passes(self) -> int:
        return self.plant.passes

    @property
    def reads(self) -> int:
        return self.plant.reads

    @property
    def circuit(self) -> Circuit:
        return self.plant.circuit

    @property
    def abilities(self) -> frozenset[Ability]:
        return self.plant.abilities

    def configure(self, parameters: Parameters) -> None:
        self.plant.configure(parameters)

    def settle(self, start: Tensor, injection: Tensor | None = None, driven: tuple[int, ...] = ()) -> Settled:
        return self.plant.settle(start, injection, driven)

    def transient(self, start: Tensor, points: int, duration: float, injection: Tensor | None = None) -> Tensor:
        return self.plant.transient(start, points, duration)


def passing() -> tuple[Circuit, Tensor, Any]:
    """A circuit whose twin is no guide: a fifth of its edges repel, and its loss is that of a network nearly trained,
    outputs being asked that are near those of the nominal circuit. Starts `[sample, node]` and that loss."""
    generator = torch.Generator().manual_seed(CIRCUIT)
    every = [(a, b) for a in range(1, NODES + 1) for b in range(1, NODES + 1) if a != b]
    kept = torch.randperm(len(every), generator=generator)[:EDGES].sort().values

    def either(*shape: int) -> Tensor:
        return 2 * torch.rand(*shape, generator=generator, dtype=REAL) - 1

    source, destination = torch.tensor([every[k] for k in kept]).T.contiguous()
    gain = LARGEST_GAIN * either(EDGES).abs() * torch.where(either(EDGES) < 2 * REPELLING - 1, -1.0, 1.0)
    parameters = {"gain": gain, "threshold": THRESHOLDS * either(EDGES)}
    ones, outputs = torch.ones(NODES, dtype=REAL), tuple(range(NODES - OUTPUTS + 1, NODES + 1))
    part = Slice(DURATION, (EdgeSet("shifted_relu", source, destination, parameters),))
    circuit = Circuit(NODES, (part,), ones, 0 * ones, (-1.0, 1.0), (), outputs, ())
    start = PRESETS * either(6, NODES)
    nominal = integrate(circuit, start, steps=128)[-1][:, -OUTPUTS:]
    asked = nominal + MISSED * torch.randn(6, OUTPUTS, generator=generator, dtype=REAL)
    return circuit, start[:SAMPLES], lambda seen: ((seen - asked[: len(seen)]) ** 2).sum(-1) / 2


def _tangent_growth(circuit: Circuit, start: Tensor) -> float:
    """The largest stretching of a small perturbation over the run, of all samples."""

    def end(v: Tensor) -> Tensor:
        return integrate(circuit, v[None], steps=128)[-1][0]

    stretched = [torch.autograd.functional.jacobian(end, one) for one in start]  # type: ignore[no-untyped-call]
    return max(float(torch.linalg.matrix_norm(one, 2)) for one in stretched)
