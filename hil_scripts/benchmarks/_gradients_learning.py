"""Learning by measured gradients alone on emulated boards of jf16s: no record and no twin, from codes at random.

Beside it what deployment gives on the same boards: a network trained in `physics`, as nominal codes and corrected by
the board's record.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from benchmarks._calibration_bench import Memory, open_here
from benchmarks._gradients_board import UNIT_S
from benchmarks._gradients_circuits import REAL, row
from benchmarks._rows import Row
from torch import Tensor

from jackfield.compile import KnownBoard
from jackfield.data import two_moons
from jackfield.physics import Circuit, EdgeSet, Slice
from jackfield.session import load_spec
from jackfield.tune import BenchPlant, CenteredPropagation, LearnRecipe, Nudge, PhysicsPlant, Plant, learn
from jackfield.tune.learn import Bounds
from jackfield_calibration import calibrate

__all__ = ["TASKS", "Learned", "learned_on", "learning_compared", "learning_rows"]

INPUTS, HIDDEN, OUTPUTS, EDGES = 6, 4, 2, 44
BOUNDS: Bounds = {"gain": (0.0, 1.0), "threshold": (-0.5, 0.5)}
DIGITAL_GAIN, NUDGE, BOARDS, SETTLE = 20.0, Nudge(peak=0.2), 5, 25.0
RECIPE, QUICK = LearnRecipe(steps=300, batch=24), LearnRecipe(steps=60, batch=24)
MARGINS = {"cmos": 0.007, "rough": 0.01}
RAW_LOSES, MOST_PASSES = 0.05, 60_000


@dataclass(frozen=True, eq=False)
class Task:
    """Presets, losses and a score `[sample]` (to be averaged) of trained and held-out samples; `circuit` is the draw
    of edges and first codes."""

    name: str
    circuit: int
    starts: Tensor
    held_out: Tensor
    loss: Callable[[Tensor], Any]
    score: Callable[[Tensor], float]


@dataclass(frozen=True)
class Learned:
    """Scores on one board, smaller being better, and the passes that learning took."""

    raw: float
    calibrated: float
    learned: float
    passes: int


def learning_rows(quick: bool) -> list[Row]:
    """Two tasks, two profiles; quick: one board and a short training, which then does not hold."""
    boards, recipe = (1, QUICK) if quick else (BOARDS, RECIPE)
    return [
        learning_compared(name, profile, [learned_on(name, profile, seed, recipe) for seed in range(boards)], recipe)
        for name in TASKS
        for profile in MARGINS
    ]


def learned_on(name: str, profile: str, seed: int, recipe: LearnRecipe = RECIPE) -> Learned:
    """One board: nominal codes, codes corrected by its record, and learning in place from the first codes."""
    task, spec = TASKS[name](), load_spec("jf16s")
    deployed = trained(name, recipe)[0]
    bench = open_here(spec, profile, seed)[0]

    def plant(circuit: Circuit, known: KnownBoard | None = None) -> BenchPlant:
        return BenchPlant(bench, circuit, volts_per_unit=1.0, seconds_per_unit=UNIT_S, settle=SETTLE, known=known)

    raw = _scored(plant(deployed), task)
    fresh = plant(_network(task.circuit))
    _taught(fresh, task, recipe)
    passes, learned = fresh.passes, _scored(fresh, task)
    provenance = {"board_id": bench.board.hello.board_id}
    record = calibrate(bench, spec, Memory(), seed=1, provenance=provenance)
    return Learned(raw, _scored(plant(deployed, KnownBoard.from_record(spec, record)), task), learned, passes)


@cache
def trained(name: str, recipe: LearnRecipe = RECIPE) -> tuple[Circuit, float]:
    """The network trained in `physics`, and its score there."""
    task = TASKS[name]()
    ideal = PhysicsPlant(_network(task.circuit), steps=24)
    _taught(ideal, task, recipe)
    return ideal.circuit, _scored(ideal, task)


def learning_compared(name: str, profile: str, boards: Sequence[Learned], recipe: LearnRecipe = RECIPE) -> Row:
    """Means over boards: `ours` learned in place, `theirs` calibrated deployment."""
    raw, calibrated, learned = (
        np.array([getattr(b, kind) for b in boards]) for kind in ("raw", "calibrated", "learned")
    )
    passes, exact = max(board.passes for board in boards), trained(name, recipe)[1]
    work = f"{name}, jf16s {profile}, {len(boards)} boards, {passes} passes; float {exact:.4g}, raw {raw.mean():.4g} "
    work += f"(worst {raw.max():.4g}), worst learned {learned.max():.4g}"
    ours, theirs = float(learned.mean()), float(calibrated.mean())
    against = "calibrated deployment, the same boards"
    if name == "x0 x1":
        holds = ours <= theirs and passes <= MOST_PASSES
        asked = f"<= calibrated, <= {MOST_PASSES} passes"
        return row("learning_without_calibration", work, against, ours, "mean square", asked, holds, theirs=theirs)
    margin = MARGINS[profile]
    asked = f"<= calibrated + {margin:g} where raw loses {RAW_LOSES:g}, <= {MOST_PASSES} passes"
    tells = float(raw.mean()) - exact >= RAW_LOSES
    holds = ours <= theirs + margin and tells and passes <= MOST_PASSES
    return row("learning_without_calibration", work, against, ours, "share wrong", asked, holds, theirs=theirs)


def _network(draw: int) -> Circuit:
    """Edges at random between driven and free nodes and among free ones, few enough that each of them matters."""
    driven, free = range(1, INPUTS + 1), range(INPUTS + 1, INPUTS + HIDDEN + OUTPUTS + 1)
    every = (*driven, *free)
    pairs = [(a, b) for a in every for b in every if a != b and (a in free or b in free)]
    generator = torch.Generator().manual_seed(draw)
    kept = torch.randperm(len(pairs), generator=generator)[:EDGES].sort().values
    source, destination = torch.tensor(pairs)[kept].T.contiguous()
    values = {
        "gain": 0.5 * torch.rand(EDGES, generator=generator, dtype=REAL),
        "threshold": 0.1 * torch.randn(EDGES, generator=generator, dtype=REAL).clamp(-2, 2),
    }
    nodes = len(every)
    ones, clamped = torch.ones(nodes, dtype=REAL), tuple(driven)
    part = Slice(4.0, (EdgeSet("shifted_relu", source, destination, values),))
    return Circuit(nodes, (part,), ones, 0.2 * ones, (-1.0, 1.0), clamped, (nodes - 1, nodes), clamped)


def _taught(plant: Plant, task: Task, recipe: LearnRecipe) -> None:
    learn(plant, CenteredPropagation(NUDGE), task.starts, task.loss, BOUNDS, recipe)


def _scored(plant: Plant, task: Task) -> float:
    return task.score(plant.settle(task.held_out).values[:, -OUTPUTS:])


def _driven(x: np.ndarray) -> Tensor:
    """Presets: +-x0, +-x1 at 0.8 V full scale and references of +-0.8 V, the rest at zero."""
    values = torch.zeros(len(x), INPUTS + HIDDEN + OUTPUTS, dtype=REAL)
    points = 0.8 * torch.from_numpy(np.asarray(x, dtype=np.float64))
    values[:, 0:2], values[:, 2:4] = points, -points
    values[:, 4], values[:, 5] = 0.8, -0.8
    return values


@cache
def _moons() -> Task:
    data = two_moons(1_000)
    centre, size = data.x_train.mean(0), np.abs(data.x_train - data.x_train.mean(0)).max(0)
    y, held = torch.from_numpy(data.y_train), torch.from_numpy(data.y_test)

    def loss(chosen: Tensor) -> Any:
        return lambda out: torch.nn.functional.cross_entropy(DIGITAL_GAIN * out, y[chosen], reduction="none")

    def score(out: Tensor) -> float:
        return float((out.argmax(1) != held).double().mean())

    def starts(x: np.ndarray) -> Tensor:
        return _driven((x - centre) / size)

    return Task("two moons", 2, starts(data.x_train), starts(data.x_test), loss, score)


@cache
def _product() -> Task:
    rng = np.random.default_rng(0)
    x, held = rng.uniform(-1, 1, (1_000, 2)), rng.uniform(-1, 1, (500, 2))
    asked, true = (torch.from_numpy(0.3 * points.prod(1)) for points in (x, held))

    def loss(chosen: Tensor) -> Any:
        return lambda out: (out[:, 0] - out[:, 1] - asked[chosen]) ** 2

    def score(out: Tensor) -> float:
        return float(((out[:, 0] - out[:, 1] - true) ** 2).mean())

    return Task("x0 x1", 2, _driven(x), _driven(held), loss, score)


TASKS: dict[str, Callable[[], Task]] = {"two moons": _moons, "x0 x1": _product}
