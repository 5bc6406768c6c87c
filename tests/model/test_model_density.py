"""Densities: what holds for any parameters, learning, going on, files."""

import dataclasses
import math
from pathlib import Path

import pytest
import torch

from jackfield.errors import DesignError
from jackfield.model import (
    Architecture,
    DensityCheckpoint,
    DensityFacts,
    DensityPlan,
    DensityRecipe,
    FullyConnected,
    KirchhoffDensity,
    load_density,
    measure_likelihood,
    save_density,
    train_density,
)
from jackfield.physics import integrate

SHAPE = Architecture(FullyConnected(2, (2, 2)), inputs=2, outputs=2, slices=2, law="tanh_affine", steps=5)
RECIPE = DensityRecipe(400, 400, 40, 64, 0.05, 0.2, 5.0, 0.9, 1, 3, polish=15)


def spots(count: int, seed: int) -> torch.Tensor:
    """Two spots of width 0.3, far from the middle."""
    draw = torch.Generator().manual_seed(seed)
    side = 2.0 * torch.randint(0, 2, (count, 1), generator=draw) - 1
    return torch.cat([side, 0.5 * side], dim=1) + 0.3 * torch.randn(count, 2, generator=draw)


@pytest.fixture
def density() -> KirchhoffDensity:
    """Far from the plain normal one."""
    model = KirchhoffDensity(SHAPE, seed=1).double()
    with torch.no_grad():
        for value in model.values.values():
            value.mul_(4.0)
    return model


def over_the_plane(density: KirchhoffDensity) -> tuple[torch.Tensor, float]:
    """Logarithms of the density on a grid, and the area of its cells."""
    line = torch.linspace(-8, 8, 129, dtype=density.values["a"].dtype)
    with torch.no_grad():
        return density.log_density(torch.cartesian_prod(line, line)), (16 / 128) ** 2


def test_it_sums_to_one(density: KirchhoffDensity) -> None:
    logs, area = over_the_plane(density)
    assert float(logs.exp().sum()) * area == pytest.approx(1.0, abs=2e-3)


def test_samples_have_the_density(density: KirchhoffDensity) -> None:
    # E log p over samples is minus the entropy; over a grid it is the integral of p log p.
    logs, area = over_the_plane(density)
    with torch.no_grad():
        at_samples = density.log_density(density.float().sample(5_000, seed=2))
    error = float(at_samples.std()) / math.sqrt(len(at_samples))
    assert abs(float(at_samples.mean()) - float((logs.exp() * logs).sum()) * area) < 5 * error + 2e-3


def test_it_is_the_starts_density_times_the_change_of_area(density: KirchhoffDensity) -> None:
    start = torch.randn(6, 2, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    with torch.no_grad():
        ends = [
            integrate(density.circuit(), start + shift * torch.eye(2, dtype=torch.float64)[node], steps=32)[-1]
            for node in range(2)
            for shift in (1e-5, -1e-5)
        ]
        x = integrate(density.circuit(), start, steps=32)[-1]
        logs = density.log_density(x, steps=32)
    columns = [(ends[2 * node] - ends[2 * node + 1]) / 2e-5 for node in range(2)]
    area = (columns[0][:, 0] * columns[1][:, 1] - columns[0][:, 1] * columns[1][:, 0]).abs()
    normal = (start.square() + math.log(2 * math.pi)).sum(dim=1) / 2
    torch.testing.assert_close(logs, -normal - area.log(), rtol=0, atol=1e-4)


def test_it_learns_and_goes_on_with_the_same_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jackfield.model.density_training._KEEP_EVERY_S", -1.0)
    points, state = spots(400, 0), tmp_path / "state"
    models = [KirchhoffDensity(SHAPE, seed=5) for _ in range(3)]
    before = measure_likelihood(models[0], spots(400, 1))
    train_density(models[0], points, RECIPE, name="spots", seed=2)
    after = measure_likelihood(models[0], spots(400, 1))
    assert after.nats < before.nats - 0.2
    assert (after.n, str(after).split()[0]) == (400, f"{after.nats:.4f}")

    def stop(done: int, total: int) -> None:
        assert total == RECIPE.descents + RECIPE.polish
        if done == 23:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_density(models[1], points, RECIPE, name="spots", seed=2, advance=stop, unfinished=state)
    train_density(models[2], points, RECIPE, name="spots", seed=2, unfinished=state)
    assert all(torch.equal(a, b) for a, b in zip(models[0].parameters(), models[2].parameters(), strict=True))
    with pytest.raises(DesignError, match="begun with data = spots, now dots"):
        train_density(models[1], points, RECIPE, name="dots", seed=2, unfinished=state)


def test_polishing_lowers_the_loss_on_all_points_and_is_counted() -> None:
    points, heard = spots(400, 0), list[int]()
    nats = {}
    for polish in (0, 15):
        model, recipe = KirchhoffDensity(SHAPE, seed=5), dataclasses.replace(RECIPE, polish=polish)
        train_density(model, points, recipe, name="spots", seed=2, advance=lambda done, total: heard.append(done))
        nats[polish] = measure_likelihood(model, points).nats
    assert nats[15] < nats[0] - 1e-3
    assert heard[-2:] == [RECIPE.descents + 10, RECIPE.descents + 15]


def test_files_keep_every_number(tmp_path: Path) -> None:
    facts = DensityFacts("spots", 3, 1.5, 0.01, 1.25, 0.02)
    model = KirchhoffDensity(SHAPE, seed=9)
    path = save_density(DensityCheckpoint(model, RECIPE, facts), tmp_path / "spots.model")
    read = load_density(path)
    assert (read.recipe, read.facts, read.density.architecture) == (RECIPE, facts, SHAPE)
    assert all(torch.equal(a, b) for a, b in zip(read.density.parameters(), model.parameters(), strict=True))
    text = (path / "model.toml").read_text().replace("seed = 3", "seeds = 3")
    (path / "model.toml").write_text(text)
    with pytest.raises(DesignError, match="likelihood: key seed is missing"):
        load_density(path)


def test_the_packaged_plan_and_what_is_refused() -> None:
    plan = DensityPlan.packaged()
    assert plan.architecture.nodes == 2
    assert 120 <= len(plan.architecture.topology) <= 300
    for change, said in (
        ({"descents": 0}, "descents = 0 must be above zero"),
        ({"average": 1.0}, "must lie between 0 and 1"),
        ({"polish": -1}, "polish = -1 must not be below zero"),
        ({"most_steps": 0}, "most_steps = 0 is below fewest_steps = 1"),
    ):
        with pytest.raises(DesignError, match=said):
            dataclasses.replace(RECIPE, **change)  # type: ignore[arg-type]
    with pytest.raises(DesignError, match="a density of shifted_relu edges"):
        KirchhoffDensity(dataclasses.replace(SHAPE, law="shifted_relu"))
    with pytest.raises(DesignError, match="the loss is"):
        train_density(KirchhoffDensity(SHAPE), spots(9, 0) * math.nan, RECIPE, name="none")
