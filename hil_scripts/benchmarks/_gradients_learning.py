"""Learning by measured gradients alone on emulated boards: no record and no twin, from codes at random.

Beside it what deployment gives on the same boards: a network trained in `physics`, as nominal codes and corrected by
the board's record.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from benchmarks._calibration_bench import Memory, open_here
from benchmarks._gradients_board import UNIT_S
from benchmarks._gradients_circuits import row
from benchmarks._learning_tasks import TASKS, Task
from benchmarks._rows import Row
from torch import Tensor

from jackfield.bench import Bench
from jackfield.compile import KnownBoard
from jackfield.physics import Circuit
from jackfield.tune import BenchPlant, CenteredPropagation, LearnRecipe, PhysicsPlant, Plant, learn
from jackfield_calibration import calibrate

__all__ = ["Learned", "learned_on", "learning_compared", "learning_rows", "trained"]

BOARDS, QUICK = 5, LearnRecipe(steps=60)
MARGINS = {"cmos": 0.007, "rough": 0.01}
RAW_LOSES, MOST_PASSES = 0.05, 60_000
SPARES = 48  # cells beyond those in use, for the bad ones among these


@dataclass(frozen=True)
class Learned:
    """Scores on one board, smaller being better, and the passes that learning took."""

    raw: float
    calibrated: float
    learned: float
    passes: int


def learning_rows(quick: bool) -> list[Row]:
    """All tasks on each profile; quick: two moons on one board and a short training, which then does not hold."""
    tasks, boards = [make() for make in TASKS.values()], BOARDS
    if quick:
        tasks, boards = [replace(tasks[0], recipe=QUICK)], 1
    return [
        learning_compared(task, profile, [learned_on(task, profile, seed) for seed in range(boards)])
        for task in tasks
        for profile in MARGINS
    ]


def learned_on(task: Task, profile: str, seed: int) -> Learned:
    """One board: nominal codes, codes corrected by its record, and learning in place from the first codes."""
    deployed = trained(task)[0]
    bench = open_here(task.board, profile, seed)[0]
    raw = _scored(_plant(bench, deployed, task), task)
    fresh = _plant(bench, task.circuit, task)
    _taught(fresh, task)
    passes, learned = fresh.passes, _scored(fresh, task)
    cells = np.arange(min(len(deployed.slices[0].edges[0]) + SPARES, task.board.cell_count))
    provenance = {"board_id": bench.board.hello.board_id}
    record = calibrate(bench, task.board, Memory(), seed=1, cells=cells, provenance=provenance)
    known = KnownBoard.from_record(task.board, record)
    return Learned(raw, _scored(_plant(bench, deployed, task, known), task), learned, passes)


@cache
def trained(task: Task) -> tuple[Circuit, float]:
    """The network trained in `physics` by the same steps, and its score there."""
    ideal = PhysicsPlant(task.circuit, steps=24)
    _taught(ideal, task)
    return ideal.circuit, _scored(ideal, task)


def learning_compared(task: Task, profile: str, boards: Sequence[Learned]) -> Row:
    """Means over boards: `ours` learned in place, `theirs` calibrated deployment."""
    raw, calibrated, learned = (
        np.array([getattr(b, kind) for b in boards]) for kind in ("raw", "calibrated", "learned")
    )
    passes, exact = max(board.passes for board in boards), trained(task)[1]
    work = f"{task.name}, {task.board.name} {profile}, {len(boards)} boards, {passes} passes; float {exact:.4g}, "
    work += f"raw {raw.mean():.4g} (worst {raw.max():.4g}), worst learned {learned.max():.4g}"
    ours, theirs = float(learned.mean()), float(calibrated.mean())
    against = "calibrated deployment, the same boards"
    if task.name == "x0 x1":
        holds = ours <= theirs and passes <= MOST_PASSES
        asked = f"<= calibrated, <= {MOST_PASSES} passes"
        return row("learning_without_calibration", work, against, ours, "mean square", asked, holds, theirs=theirs)
    margin = MARGINS[profile]
    asked = f"<= calibrated + {margin:g} where raw loses {RAW_LOSES:g}, <= {MOST_PASSES} passes"
    tells = float(raw.mean()) - exact >= RAW_LOSES
    holds = ours <= theirs + margin and tells and passes <= MOST_PASSES
    return row("learning_without_calibration", work, against, ours, "share wrong", asked, holds, theirs=theirs)


def _plant(bench: Bench[Any], circuit: Circuit, task: Task, known: KnownBoard | None = None) -> BenchPlant:
    units = {"volts_per_unit": 1.0, "seconds_per_unit": UNIT_S, "settle": task.settle}
    return BenchPlant(bench, circuit, known=known, **units)


def _taught(plant: Plant, task: Task) -> None:
    plant.configure(task.first)
    learn(plant, CenteredPropagation(task.nudge), task.starts, task.loss, task.bounds, task.recipe)


def _scored(plant: Plant, task: Task) -> float:
    return task.score(_outputs(plant, task.held_out))


def _outputs(plant: Plant, starts: Tensor) -> Tensor:
    return plant.settle(starts).values[:, [node - 1 for node in plant.circuit.outputs]]
