"""Crosstalk and stuck switches of the probes, on node runs made here: known volts, mixed as neighbours mix them."""

import numpy as np
import pytest

from jackfield.board import BoardSpec
from jackfield.session import load_spec
from jackfield_calibration.node_estimator import NODE_PARAMETERS, NodeFit, estimate_nodes
from jackfield_calibration.node_routine import NodeRoutine, NodeRuns
from jackfield_calibration.routine import Reading, scan_lists

NOISE_V = 5e-4
SHARES = {(0, 1): 2e-3, (1, 0): -1.5e-3}


def readings(spec: BoardSpec, runs: tuple[NodeRuns, ...], stuck: tuple[int, int] | None = None) -> list[Reading]:
    """Ideal nodes seen through two probes; `stuck` is a switch (probe, node from 0) that never closes."""
    random, made = np.random.default_rng(3), []
    for run in runs:
        moved = run.preset_V + run.trim_A * run.run_s / spec.nodes.capacitance_F
        shown = [moved[:, np.array(scanned) - 1] for scanned in run.setting.program.scan]
        values = np.empty_like(moved)
        for probe, scanned in enumerate(run.setting.program.scan):
            share = SHARES[probe, 1 - probe]
            values[:, np.array(scanned) - 1] = (shown[probe] + share * shown[1 - probe]) / (1 + share)
            if stuck is not None and probe == stuck[0] and stuck[1] + 1 in scanned:
                slot = scanned.index(stuck[1] + 1)
                values[:, stuck[1]] = shown[probe][:, slot - 1] if slot else spec.probe.reference_V
        values += NOISE_V * random.standard_normal(values.shape)
        slots, held = np.zeros((len(values), 2)), np.linspace(1e-4, 1e-3, spec.nodes.count)
        se = np.full(values.shape, 1e-5)
        made.append(Reading(values, se, np.abs(values) < 0.98, held, slots, slots, run.setting.program.scan))
    return made


def fitted(
    spec: BoardSpec, stuck: tuple[int, int] | None = None, seed: int = 5
) -> tuple[NodeFit, list[Reading], NodeRoutine]:
    routine = NodeRoutine(spec, "measure", 64, np.random.default_rng(seed))
    made = readings(spec, routine.runs, stuck)
    return estimate_nodes(spec, routine.runs, made), made, routine


def test_crosstalk_is_found_and_taken_out(small_spec: BoardSpec) -> None:
    fit, made, routine = fitted(small_spec)
    for pair, share in SHARES.items():
        assert fit.crosstalk.share[pair] == pytest.approx(share, abs=4 * fit.crosstalk.se[pair])
        assert fit.crosstalk.se[pair] < 1e-4
    left = fit.crosstalk.removed(made[0]) - routine.runs[0].preset_V
    assert np.sqrt(np.nanmean(left**2)) == pytest.approx(NOISE_V, rel=0.1)
    at = NODE_PARAMETERS.index("preset_gain")
    inside = np.abs(fit.value[:, at] - 1) < 1.96 * fit.se[:, at]
    assert inside.mean() > 0.85
    assert not fit.stuck


@pytest.mark.parametrize("seed", [*range(12), 500])  # 500: few readings through it, and a curve goes through them
def test_a_switch_that_never_closes_is_named_and_left_out(small_spec: BoardSpec, seed: int) -> None:
    node = seed % 16 if seed < 500 else 0
    switch = (seed % 2, node)  # whichever it is: in one record or another every node is seen through every probe
    fit, made, _ = fitted(small_spec, switch, seed)
    assert fit.stuck == {switch}
    assert fit.value[node, NODE_PARAMETERS.index("preset_gain")] == pytest.approx(1, abs=5e-3)
    through_it = next(reading for reading in made if node + 1 in reading.scan[switch[0]])
    assert np.isnan(fit.at_hold(through_it)[:, node]).all()


@pytest.mark.parametrize("name", ["jf16", "jf1024"])
def test_every_node_meets_as_many_probes_as_there_are_records(name: str) -> None:
    spec = load_spec(name)
    met: dict[int, set[int]] = {node: set() for node in range(1, spec.nodes.count + 1)}
    for run in NodeRoutine(spec, "measure", 4, np.random.default_rng(5)).runs:
        for probe, scanned in enumerate(run.setting.program.scan):
            for node in scanned:
                met[node].add(probe)
    assert {len(probes) for probes in met.values()} == {spec.probe.count}


def test_no_node_is_read_through_a_stuck_switch_where_another_probe_is(small_spec: BoardSpec) -> None:
    nodes = np.arange(1, 11)
    plain = scan_lists(small_spec, nodes)
    stuck = {(0, plain[0][1] - 1), (0, plain[1][1] - 1), (1, plain[1][4] - 1)}
    scan = scan_lists(small_spec, nodes, stuck)
    assert sorted(scan[0] + scan[1]) == nodes.tolist()
    assert all(node + 1 not in scan[probe] for probe, node in stuck)
    assert scan_lists(small_spec, nodes, {(0, 0), (1, 0)}) == plain  # neither will do
