import dataclasses

import numpy as np
import pytest
import torch

from jackfield.board import BoardSpec
from jackfield.data import Split, two_moons
from jackfield.errors import DesignError
from jackfield.model import (
    Accuracy,
    Architecture,
    Bounds,
    Epoch,
    KirchhoffNet,
    Mixed,
    Recipe,
    TrainingResult,
    measure_accuracy,
    measure_largest_v,
    train,
)


def trained(spec: BoardSpec, shape: Architecture, recipe: Recipe, seed: int = 0) -> tuple[KirchhoffNet, TrainingResult]:
    bounds = Bounds.from_spec(spec, recipe.volts_per_unit, recipe.seconds_per_unit)
    network = KirchhoffNet(shape, bounds=bounds, seed=seed)
    return network, train(network, two_moons(600), recipe, seed=seed)


def test_two_moons_are_learned_inside_the_boards_bounds(jf96: BoardSpec, small: Architecture, recipe: Recipe) -> None:
    network, result = trained(jf96, small, recipe)
    assert result.test.n == 300
    assert result.test.share > 0.97
    assert result.test_quantised is not None
    assert result.test_quantised.share > 0.97
    assert result.history[-1].loss < result.history[0].loss / 2
    assert network.values["gain"].abs().max() <= 0.75 + 1e-6
    assert network.values["threshold"].abs().max() <= 0.5 + 1e-6
    assert network.bounds is not None
    assert result.largest_v <= network.bounds.largest_v * (1 + 1e-9)


def test_one_seed_gives_the_same_numbers(jf96: BoardSpec, small: Architecture, recipe: Recipe) -> None:
    short = dataclasses.replace(recipe, epochs=2, noise=0.05)
    (one, first), (two, second) = trained(jf96, small, short, 3), trained(jf96, small, short, 3)
    assert first == second
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))
    other, _ = trained(jf96, small, short, 4)
    assert not torch.equal(one.values["gain"], other.values["gain"])


def test_the_penalty_keeps_voltages_down(small: Architecture, recipe: Recipe) -> None:
    largest = {}
    for weight in (0.0, 20.0):
        changed = dataclasses.replace(recipe, headroom_weight=weight, headroom_v=0.8, epochs=6)
        largest[weight] = train(KirchhoffNet(small), two_moons(600), changed).largest_v
    assert largest[20.0] < largest[0.0]


def test_the_test_part_is_not_looked_at_in_training(small: Architecture, recipe: Recipe) -> None:
    short, moons = dataclasses.replace(recipe, epochs=2), two_moons(400)
    spoiled = dataclasses.replace(moons, x_test=moons.x_test * 0, y_test=1 - moons.y_test)
    networks = [KirchhoffNet(small), KirchhoffNet(small)]
    results = [train(network, data, short) for network, data in zip(networks, (moons, spoiled), strict=True)]
    assert results[0].history == results[1].history
    assert torch.equal(networks[0].values["gain"], networks[1].values["gain"])
    assert results[0].test_quantised is None


def test_progress_hears_of_each_epoch(small: Architecture, recipe: Recipe) -> None:
    heard: list[Epoch] = []
    result = train(KirchhoffNet(small), two_moons(200), dataclasses.replace(recipe, epochs=3), progress=heard.append)
    assert tuple(heard) == result.history
    assert [(epoch.number, epoch.count, epoch.validation.n) for epoch in heard] == [(n, 3, 10) for n in (1, 2, 3)]


def test_pictures_are_trained_with_shifts(recipe: Recipe) -> None:
    generator = np.random.default_rng(0)
    y = generator.integers(0, 2, 80)
    x = np.zeros((80, 4, 4), np.float32)
    x[y == 0, 1, :] = 1  # a bar across, or one upright
    x[y == 1, :, 1] = 1
    bars = Split("bars", x.reshape(80, 16)[:40], y[:40], x.reshape(80, 16)[40:], y[40:])
    network = KirchhoffNet(Architecture(Mixed(1, 4, 4, 2, 4, (1, 1)), inputs=16, outputs=2))
    result = train(network, bars, dataclasses.replace(recipe, batch=10, shift_px=0.5))
    assert result.test.share > 0.95


def test_measures_follow_from_states(small: Architecture) -> None:
    network, moons = KirchhoffNet(small), two_moons(100)
    x, y = torch.from_numpy(moons.x_test), torch.from_numpy(moons.y_test)
    states = network.states(x, snapshots=4).detach()
    assert measure_largest_v(network, x) == pytest.approx(max(float(states.abs().max()), float(x.abs().max())))
    answers = network(x).argmax(1)
    assert measure_accuracy(network, x, y) == Accuracy(int((answers == y).sum()), 50)
    assert str(Accuracy(98, 100)) == "98.00 % of 100"


def test_what_does_not_fit_is_refused(small: Architecture, recipe: Recipe) -> None:
    network, moons = KirchhoffNet(small), two_moons(40)
    cases = [
        (
            dataclasses.replace(moons, x_train=np.zeros((20, 3), np.float32)),
            recipe,
            "has 3 inputs, the network takes 2",
        ),
        (dataclasses.replace(moons, y_train=moons.y_train + 1), recipe, r"has labels 0..2, the network answers 0..1"),
        (moons, dataclasses.replace(recipe, shift_px=1.0), "inputs are no grid"),
        (moons, dataclasses.replace(recipe, snapshots=8, coarse_steps=8), "a divisor of the steps"),
        (moons, dataclasses.replace(recipe, learning_rate=1e30), "the loss is|not a finite number"),
    ]
    for data, changed, said in cases:
        with pytest.raises(DesignError, match=said):
            train(network, data, changed)
