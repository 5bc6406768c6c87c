"""What `benchmark.py gradients` has boards learn: tasks that fit their boards and keep to their passes."""

import sys
from pathlib import Path
from typing import Any

import pytest
import torch

SCRIPTS = Path(__file__).parents[2] / "hil_scripts"


@pytest.fixture(scope="module")
def learning() -> Any:
    """hil_scripts/benchmarks/_gradients_learning.py, with _learning_tasks.py."""
    sys.path.insert(0, str(SCRIPTS))
    try:
        from benchmarks import _gradients_learning
    finally:
        sys.path.remove(str(SCRIPTS))
    return _gradients_learning


@pytest.mark.parametrize(
    ("name", "profile"), [("two moons", "cmos"), ("two moons", "rough"), ("x0 x1", "rough"), ("digits", "rough")]
)
def test_a_board_takes_the_first_step_of_each_task(learning: Any, name: str, profile: str) -> None:
    task = learning.TASKS[name]()
    plant = learning._plant(learning.open_here(task.board, profile, 0)[0], task.circuit, task)
    plant.configure(task.first)
    chosen = torch.arange(task.recipe.batch)
    found = learning.CenteredPropagation(task.nudge).estimate(plant, task.starts[chosen], task.loss(chosen))
    assert bool(found.usable.all())
    assert all(float(slope.abs().max()) > 0 for slope in found.gradients[0].values())
    assert found.passes * task.recipe.steps <= learning.MOST_PASSES


def test_a_row_needs_raw_boards_to_lose(learning: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "trained", lambda task: (None, 0.01))

    task = learning.TASKS["two moons"]()

    def row(raw: float, learned: float, passes: int) -> Any:
        return learning.learning_compared(task, "cmos", [learning.Learned(raw, 0.012, learned, passes)])

    assert row(0.08, 0.018, 60_000)["holds"]
    assert not row(0.05, 0.018, 60_000)["holds"]  # nothing was lost that could be learned back
    assert not row(0.08, 0.021, 60_000)["holds"]
    assert not row(0.08, 0.018, 60_001)["holds"]
