"""Estimators recover what was drawn, with standard errors that mean what they say."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from jackfield.board import BoardSpec, ConfigImage
from jackfield_calibration.gauss_newton import fit_each
from jackfield_calibration.node_estimator import NODE_PARAMETERS, estimate_nodes
from jackfield_calibration.node_routine import NodeRoutine
from jackfield_calibration.observer import Silent
from jackfield_calibration.offset_routine import condition_offsets
from jackfield_calibration.plan import Plan
from jackfield_calibration.reader import Reader


class _Forgetful:
    def store(self, key: str, arrays: Any) -> None:
        pass

    def reading(self, key: str) -> None:
        return None


def test_many_exponentials_are_fitted_at_once() -> None:
    random = np.random.default_rng(2)
    time = torch.linspace(0, 2, 30, dtype=torch.float64)
    true = torch.from_numpy(np.stack([random.uniform(0.5, 2, 400), random.uniform(-1, 1, 400)], 1))
    noise = 0.01
    measured = true[:, :1] * torch.exp(true[:, 1:] * time) + noise * torch.from_numpy(random.standard_normal((400, 30)))

    def model(p: torch.Tensor, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        grown = torch.exp(p[:, 1:] * time)
        return p[:, :1] * grown, torch.stack([grown, p[:, :1] * time * grown], -1)

    start, width = torch.tensor([1.0, 0.0]).double().repeat(400, 1), torch.full((400, 2), 10.0).double()
    fit = fit_each(model, measured, torch.full((400, 30), noise**-2).double(), start, start, width)
    z = (fit.value - true) / torch.sqrt(torch.diagonal(fit.covariance, dim1=1, dim2=2))
    assert 0.9 < float(z.std()) < 1.1
    assert float((z.abs() < 1.96).double().mean()) > 0.92


@pytest.mark.parametrize("profile", ["cmos", "rough"])
def test_node_runs_find_presets_leak_offset_trim_and_droop(
    make_bench: Callable[..., Any], small_spec: BoardSpec, profile: str
) -> None:
    z, spread = [], []
    for seed in range(6):
        bench = make_bench(small_spec, profile, seed)
        reader = Reader(bench, small_spec, _Forgetful(), Plan((), 1), Silent())
        routine = NodeRoutine(small_spec, "measure", 64, np.random.default_rng(seed))
        fit = estimate_nodes(small_spec, routine.runs, reader.read_all(routine))
        truth, ratio = bench.truth, bench.truth.capacitance_F / small_spec.nodes.capacitance_F
        columns = [truth.preset_gain, truth.preset_offset_V, truth.leak_S / ratio, truth.node_offset_A / ratio]
        true = np.stack([*columns, truth.trim_gain / ratio, np.full(len(ratio), truth.droop)], 1)
        z.append((fit.value - true) / fit.se)
        spread.append((fit.value - true)[:, :5].std(0) / true[:, :5].std(0))
    inside = (np.abs(np.concatenate(z)) < 1.96).mean(0)
    assert dict(zip(NODE_PARAMETERS, inside > 0.88, strict=True)) == dict.fromkeys(NODE_PARAMETERS, True)
    assert (np.mean(spread, 0) < 0.2).all()


def test_sums_correct_cells_by_no_more_than_they_must(small_spec: BoardSpec) -> None:
    random, image = np.random.default_rng(1), ConfigImage.safe(small_spec)
    image.enable[0] = True
    true = 1e-7 * random.standard_normal(small_spec.cell_count)
    guess, variance = true + 2e-8 * random.standard_normal(len(true)), np.full(len(true), 4e-16)
    sums = np.zeros(small_spec.nodes.count + 1)
    np.add.at(sums, image.source[0], -true)
    np.add.at(sums, image.destination[0], true)
    flows, noise = sums[None, 1:], np.full((1, small_spec.nodes.count), 1e-20)
    value, after = condition_offsets(image, [0], guess, variance, (flows, noise))
    again = np.zeros_like(sums)
    np.add.at(again, image.source[0], -value)
    np.add.at(again, image.destination[0], value)
    np.testing.assert_allclose(again[1:], sums[1:], atol=2e-9)
    assert np.std(value - true) < np.std(guess - true)
    assert (after <= variance).all()
