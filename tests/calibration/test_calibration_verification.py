"""Verification passes what is right and fails what was spoiled: a check that cannot fail checks nothing."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from jackfield.board import BITS, BoardSpec
from jackfield_calibration.cell_estimator import CellFit, Prior
from jackfield_calibration.cell_model import CELL_PARAMETERS, CellLaw
from jackfield_calibration.cell_routine import CellRoutine, Known
from jackfield_calibration.crosstalk import Crosstalk
from jackfield_calibration.node_estimator import NodeFit
from jackfield_calibration.observer import Silent
from jackfield_calibration.plan import Plan
from jackfield_calibration.reader import Reader
from jackfield_calibration.recipe import AGAIN, VERIFY
from jackfield_calibration.shared import Shared
from jackfield_calibration.verification import unsure, verify_cells


class _Memory:
    def __init__(self) -> None:
        self._kept: dict[str, Any] = {}

    def store(self, key: str, arrays: Any) -> None:
        self._kept[key] = arrays

    def reading(self, key: str) -> Any:
        return self._kept.get(key)


def true_fit(bench: Any, law: CellLaw) -> CellFit:
    truth, largest = bench.truth, law.largest_gain_S
    columns = [truth.scale / bench.gauge - 1, truth.zero_S / bench.gauge / largest, truth.threshold_V]
    columns += [truth.offset_A / bench.gauge / law.output_limit_A, *(truth.bend.T / bench.gauge / largest)]
    columns += [np.zeros(len(truth.scale))] * BITS
    value = torch.from_numpy(np.stack(columns, 1))
    covariance = torch.diag_embed(torch.full_like(value, 1e-8))
    said = covariance.inverse(), 1e8 * value
    return CellFit(value, covariance, *said, torch.ones(len(value), dtype=torch.float64), 1e-3)


def true_nodes(bench: Any) -> NodeFit:
    truth, nodes = bench.truth, bench.spec.nodes
    ratio = truth.capacitance_F / nodes.capacitance_F
    columns = [truth.preset_gain, truth.preset_offset_V, truth.leak_S / ratio, truth.node_offset_A / ratio]
    value = np.stack([*columns, truth.trim_gain / ratio, np.full(nodes.count, truth.droop)], 1)
    covariance = np.tile(np.eye(4) * 1e-8, (nodes.count, 1, 1))
    reads, crosstalk = np.ones(nodes.count, dtype=np.int64), Crosstalk.none(bench.spec.probe.count)
    return NodeFit(value, np.full_like(value, 1e-4), covariance, 1e-3, reads, crosstalk)


@pytest.fixture(scope="module")
def verified(make_bench: Callable[..., Any], small_spec: BoardSpec) -> Any:
    bench = make_bench(small_spec, "cmos", 9)
    part = small_spec.groups[0]
    law = CellLaw(part.law, part.parameters["gain"], part.output_limit_A)
    fit, nodes = true_fit(bench, law), true_nodes(bench)
    shared = Shared.start(small_spec, nodes, part.output_limit_A)
    logs = np.log(bench.truth.capacitance_F / small_spec.nodes.capacitance_F)
    step = torch.zeros(shared.size, dtype=torch.float64)
    step[: len(logs)] = torch.from_numpy(logs - logs.mean())
    step[-1] = part.output_limit_A / bench.truth.saturation_A * bench.gauge - shared.limit
    reader = Reader(bench, small_spec, _Memory(), Plan((), 1), Silent())
    cells, random = np.arange(small_spec.cell_count), np.random.default_rng(4)
    known = Known(1 + fit.value[:, 0].numpy(), fit.value[:, 1].numpy() * law.largest_gain_S, bench.truth.threshold_V)
    blocks = []
    for turn in VERIFY + AGAIN:
        routine = CellRoutine(small_spec, cells, turn.repeated(2), "verify", known, random)
        blocks.append(routine.block(reader.read_all(routine), nodes))
    limits = tuple(2.0 * part.parameters[name].lsb for name in ("gain", "threshold"))
    return bench, law, blocks, shared.moved(step), fit, limits


def test_what_is_right_is_good(verified: Any) -> None:
    bench, law, blocks, shared, fit, limits = verified
    verdict = verify_cells(law, blocks, shared, fit, limits, 1.0)
    assert verdict.good[bench.sound].mean() > 0.95
    assert not verdict.good[~bench.sound].any()


@pytest.mark.parametrize("name", ["scale", "threshold"])
def test_what_is_spoiled_is_not(verified: Any, name: str) -> None:
    _, law, blocks, shared, fit, limits = verified
    spoiled = fit.value.clone()
    wrong = 3 * limits[0] / law.largest_gain_S if name == "scale" else 2 * limits[1]
    spoiled[:, CELL_PARAMETERS.index(name)] += wrong
    verdict = verify_cells(law, blocks, shared, replace(fit, value=spoiled), limits, 1.0)
    assert not verdict.good.any()


def test_what_is_not_known_well_enough_is_not_good(verified: Any) -> None:
    _, law, blocks, shared, fit, limits = verified
    vague = replace(fit, covariance=fit.covariance * 1e4)
    verdict = verify_cells(law, blocks, shared, vague, limits, 1.0)
    assert not verdict.good.any()
    assert verdict.uncertain.all()
    assert unsure(law, vague, limits).all()
    assert not unsure(law, fit, limits).any()


def test_without_usable_runs_nothing_is_good(verified: Any) -> None:
    from dataclasses import replace

    _, law, blocks, shared, fit, limits = verified
    blind = [replace(block, usable=torch.zeros_like(block.usable)) for block in blocks]
    assert not verify_cells(law, blind, shared, fit, limits, 1.0).good.any()


def test_a_gain_that_no_code_changes_is_that_of_no_working_cell() -> None:
    sound, stuck, dead = torch.zeros(3, len(CELL_PARAMETERS), dtype=torch.float64)
    sound[0], sound[1] = -0.8, 0.01  # weak, and one LSB off at code zero
    stuck[0], stuck[1] = -1.0, 0.19
    dead[0] = -0.97
    prior = Prior.generous(1 / 128, 0.3)
    assert prior.usual(torch.stack([sound, stuck, dead])).tolist() == [True, False, False]
