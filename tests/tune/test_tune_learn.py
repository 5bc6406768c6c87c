"""Learning in place: what it ends with, and where it stays."""

from math import cos, pi

import pytest
import torch
from torch import Tensor

from jackfield.physics import Circuit, EdgeSet, Slice
from jackfield.tune import CenteredPropagation, LearnRecipe, Nudge, PhysicsPlant, learn
from jackfield.tune.estimator import Estimator, Loss
from jackfield.tune.plant import Ability, Parameters, Plant

REAL = torch.float64
BOUNDS = {"gain": (0.0, 2.0)}
ASKED, STEPS = 0.3, 40


class _Recorded:
    """A plant's `configure`, kept."""

    def __init__(self, plant: PhysicsPlant, monkeypatch: pytest.MonkeyPatch) -> None:
        self.gains: list[Tensor] = []
        configure = plant.configure

        def kept(parameters: Parameters) -> None:
            self.gains.append(parameters[0]["gain"])
            configure(parameters)

        monkeypatch.setattr(plant, "configure", kept)


def _divider() -> PhysicsPlant:
    """Node 1 drives node 2, which leaks: v_2 = gain/(gain + 1) v_1."""
    ends = torch.tensor([1]), torch.tensor([2])
    part = Slice(4.0, (EdgeSet("conductance", *ends, {"gain": torch.tensor([1.5], dtype=REAL)}),))
    ones = torch.ones(2, dtype=REAL)
    return PhysicsPlant(Circuit(2, (part,), ones, ones, None, (1,), (2,), (1,)))


def _learned(plant: PhysicsPlant, recipe: LearnRecipe) -> float:
    starts = torch.tensor([[0.5, 0.0], [1.0, 0.0], [-0.8, 0.0]], dtype=REAL)
    estimator = CenteredPropagation(Nudge(0.1))

    def loss_of(chosen: Tensor) -> Loss:
        return lambda outputs: (outputs[:, 0] - ASKED * starts[chosen, 0]) ** 2

    (found,) = learn(plant, estimator, starts, loss_of, BOUNDS, recipe)
    assert torch.equal(found["gain"], plant.circuit.slices[0].edges[0].parameters["gain"])
    return float(found["gain"])


def test_a_divider_is_learned() -> None:
    recipe = LearnRecipe(steps=120, batch=3, rate=0.05)
    assert _learned(_divider(), recipe) == pytest.approx(ASKED / (1 - ASKED), rel=0.02)


@pytest.mark.parametrize(("averaged", "steps"), [(0.0, 1), (0.01, 1), (0.5, 20), (1.0, STEPS)])
def test_the_last_steps_are_averaged(averaged: float, steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    plant = _divider()
    told = _Recorded(plant, monkeypatch)
    found = _learned(plant, LearnRecipe(STEPS, batch=1, rate=0.05, averaged=averaged))
    assert len(told.gains) == STEPS + 1
    assert found == pytest.approx(float(torch.stack(told.gains[STEPS - steps : STEPS]).mean()), rel=1e-12)


def test_no_steps_change_nothing() -> None:
    assert _learned(_divider(), LearnRecipe(steps=0)) == 1.5


class _Falling(Estimator):
    """Gradients of 1 in the first 20 steps, of 0.01 from then on."""

    name, needs = "falling", frozenset({Ability.SETTLE})

    def _estimate(self, plant: Plant, start: Tensor, loss: Loss) -> tuple[Parameters, Tensor, Tensor, Tensor]:
        plant.passes += 1
        size = torch.tensor([1.0 if plant.passes <= 20 else 0.01], dtype=REAL)
        return ({"gain": size},), torch.zeros(1), start, torch.ones(1, dtype=torch.bool)


@pytest.mark.parametrize(("memory", "least", "most"), [(10, 0.8, 1.1), (1_000, 0.0, 0.05)])
def test_a_short_memory_forgets_large_gradients(
    memory: int, least: float, most: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant = _divider()
    told = _Recorded(plant, monkeypatch)
    recipe = LearnRecipe(200, batch=1, rate=0.001, memory=memory)
    learn(plant, _Falling(Nudge()), torch.zeros(1, 2, dtype=REAL), lambda chosen: lambda out: out, BOUNDS, recipe)
    longest = sum(0.002 * (1 + cos(pi * step / 200)) / 2 for step in range(120, 200))
    assert least < float(told.gains[119] - told.gains[199]) / longest < most
