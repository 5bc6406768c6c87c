"""Learning by measured gradients on plants with the mismatch of a profile, read by 12 bits; no record, no twin.

Plants of `physics`: boards are drawn here. "Calibrated" has a tenth of the mismatch left.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from benchmarks._gradients_circuits import REAL, row
from benchmarks._rows import Row
from torch import Tensor

from jackfield.data import two_moons
from jackfield.physics import Circuit, EdgeSet, Slice
from jackfield.tune import CenteredPropagation, LearnRecipe, Nudge, PhysicsPlant, Reading, learn
from jackfield.tune.learn import Bounds

__all__ = ["learning_rows"]

SPREADS = {"cmos": (0.18, 0.03), "rough": (0.30, 0.05)}  # gain, relative; threshold, V
INPUTS, HIDDEN, OUTPUTS = 6, 6, 2
BOUNDS: Bounds = {"gain": (0.0, 1.0), "threshold": (-0.3, 0.3)}
DIGITAL_GAIN = 20.0


@dataclass(frozen=True, eq=False)
class _Task:
    """Presets, losses and a score `[sample]` (to be averaged) of trained and held-out samples."""

    name: str
    starts: Tensor
    held_out: Tensor
    loss: Callable[[Tensor], Any]
    score: Callable[[Tensor], float]


def learning_rows(quick: bool) -> list[Row]:
    """Two tasks, two profiles; quick: one board and a short training."""
    recipe = LearnRecipe(steps=60 if quick else 600, batch=24)
    boards = 1 if quick else 5
    return [_row(task, profile, boards, recipe) for task in (_moons(), _product()) for profile in SPREADS]


def _row(task: _Task, profile: str, boards: int, recipe: LearnRecipe) -> Row:
    circuit = _network()
    ideal = _plant(circuit, (0.0, 0.0), 0)
    _taught(ideal, task, recipe)
    deployed = ideal.circuit
    raw, calibrated, learned, passes = [], [], [], 0
    for seed in range(boards):
        spread = SPREADS[profile]
        raw.append(_scored(_plant(deployed, spread, seed), task))
        calibrated.append(_scored(_plant(deployed, (spread[0] / 10, spread[1] / 10), seed), task))
        fresh = _plant(circuit, spread, seed)
        _taught(fresh, task, recipe)
        passes = fresh.passes
        learned.append(_scored(fresh, task))
    ours, theirs = float(np.mean(learned)), float(np.mean(calibrated))
    work = f"{task.name}, {profile}, {boards} boards, {passes} passes; float {_scored(ideal, task):.4g}, raw "
    work += f"{np.mean(raw):.4g} (worst {max(raw):.4g})"
    margin = {"cmos": 0.007, "rough": 0.01}[profile] if task.name == "two moons" else 0.0
    holds = ours <= theirs + margin and passes <= 60_000
    unit = "share wrong" if task.name == "two moons" else "mean square"
    asked = f"<= calibrated + {margin:g}, <= 60000 passes"
    against = "calibrated deployment, plants in physics"
    return row("learning_without_calibration", work, against, ours, unit, asked, holds, theirs=theirs)


def _network() -> Circuit:
    """Edges both ways between driven and free nodes and among free ones, for sources of either sign."""
    driven, free = range(1, INPUTS + 1), range(INPUTS + 1, INPUTS + HIDDEN + OUTPUTS + 1)
    pairs = [(a, b) for a in (*driven, *free) for b in free if a != b]
    pairs += [(b, a) for a in driven for b in free]
    source, destination = torch.tensor(pairs).T.contiguous()
    generator = torch.Generator().manual_seed(0)
    values = {
        "gain": 0.5 * torch.rand(len(pairs), generator=generator, dtype=REAL),
        "threshold": 0.1 * torch.randn(len(pairs), generator=generator, dtype=REAL).clamp(-2, 2),
    }
    nodes = len(driven) + len(free)
    ones, clamped = torch.ones(nodes, dtype=REAL), tuple(driven)
    part = Slice(3.0, (EdgeSet("shifted_relu", source, destination, values),))
    return Circuit(nodes, (part,), ones, ones, (-1.0, 1.0), clamped, (nodes - 1, nodes), clamped)


def _plant(circuit: Circuit, spread: tuple[float, float], seed: int) -> PhysicsPlant:
    generator = torch.Generator().manual_seed(100 + seed)
    count = len(circuit.slices[0].edges[0])
    gain = (1 + spread[0] * torch.randn(count, generator=generator, dtype=REAL)).clamp_min(0)
    shift = spread[1] * torch.randn(count, generator=generator, dtype=REAL)

    def actual(asked: Circuit) -> Circuit:
        (edges,) = asked.slices[0].edges
        there = {"gain": gain * edges.parameters["gain"], "threshold": shift + edges.parameters["threshold"]}
        return replace(asked, slices=(replace(asked.slices[0], edges=(replace(edges, parameters=there),)),))

    return PhysicsPlant(circuit, actual=actual, reading=Reading(12, 1.0, 1e-3, seed), steps=48)


def _taught(plant: PhysicsPlant, task: _Task, recipe: LearnRecipe) -> None:
    learn(plant, CenteredPropagation(Nudge(peak=0.5)), task.starts, task.loss, BOUNDS, recipe)


def _scored(plant: PhysicsPlant, task: _Task) -> float:
    return task.score(plant.settle(task.held_out).values[:, -OUTPUTS:])


def _driven(x: np.ndarray) -> Tensor:
    """Presets: +-x0, +-x1 at 0.8 V full scale and references of +-0.8 V, the rest at zero."""
    values = torch.zeros(len(x), INPUTS + HIDDEN + OUTPUTS, dtype=REAL)
    points = 0.8 * torch.from_numpy(np.asarray(x, dtype=np.float64))
    values[:, 0:2], values[:, 2:4] = points, -points
    values[:, 4], values[:, 5] = 0.8, -0.8
    return values


def _moons() -> _Task:
    data = two_moons(1_000)
    centre, size = data.x_train.mean(0), np.abs(data.x_train - data.x_train.mean(0)).max(0)
    y, held = torch.from_numpy(data.y_train), torch.from_numpy(data.y_test)

    def loss(chosen: Tensor) -> Any:
        return lambda out: torch.nn.functional.cross_entropy(DIGITAL_GAIN * out, y[chosen], reduction="none")

    def score(out: Tensor) -> float:
        return float((out.argmax(1) != held).double().mean())

    def starts(x: np.ndarray) -> Tensor:
        return _driven((x - centre) / size)

    return _Task("two moons", starts(data.x_train), starts(data.x_test), loss, score)


def _product() -> _Task:
    rng = np.random.default_rng(0)
    x, held = rng.uniform(-1, 1, (1_000, 2)), rng.uniform(-1, 1, (500, 2))
    asked, true = (torch.from_numpy(0.3 * points.prod(1)) for points in (x, held))

    def loss(chosen: Tensor) -> Any:
        return lambda out: (out[:, 0] - out[:, 1] - asked[chosen]) ** 2

    def score(out: Tensor) -> float:
        return float(((out[:, 0] - out[:, 1] - true) ** 2).mean())

    return _Task("x0 x1", _driven(x), _driven(held), loss, score)
