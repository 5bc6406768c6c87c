"""Specs, random circuits and artificial records."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from jackfield.board import BoardSpec, CalibrationRecord, Table
from jackfield.physics import Circuit, EdgeSet, Slice, Topology, mixed

Recorder = Callable[..., CalibrationRecord]


def table(index: list[str], value: np.ndarray, good: np.ndarray | None = None, se: float = 0.0) -> Table:
    flags = np.ones(len(index), dtype=np.bool_) if good is None else good
    reasons = tuple("ok" if flag else "dead" for flag in flags)
    nothing = np.zeros(len(index))
    reads = np.ones(len(index), dtype=np.int64)
    return Table(tuple(index), np.asarray(value, float), nothing, nothing + se, reads, flags, reasons)


@pytest.fixture(scope="session")
def make_record() -> Recorder:
    """A board drawn from a profile of its spec and known perfectly; `bad` cells are marked dead."""

    def make(spec: BoardSpec, profile: str, seed: int, bad: tuple[int, ...] = ()) -> CalibrationRecord:
        rng, size = np.random.default_rng(seed), spec.statistics[profile]
        group, count, nodes = spec.groups[0], spec.cell_count, spec.nodes.count
        gain, threshold, limit = group.parameters["gain"], group.parameters["threshold"], group.output_limit_A
        good = np.ones(count, dtype=np.bool_)
        good[list(bad)] = False
        log_c = size["capacitance_relative"] * rng.standard_normal(nodes)
        cells = {
            "gain_scale": np.maximum(1 + size["gain_relative"] * rng.standard_normal(count), 0.05),
            "gain_zero_S": size["gain_zero_lsb"] * gain.lsb * rng.standard_normal(count),
            "gain_bend_2_S": size["gain_inl_lsb"] * gain.lsb * rng.standard_normal(count),
            "threshold_offset_V": size["threshold_offset"] * threshold.hi * rng.standard_normal(count),
            "current_offset_A": size["cell_current_offset"] * limit * rng.standard_normal(count),
        }
        rate = spec.nodes.capacitance_F / 100e-6
        at_nodes = {
            "capacitance_ratio": np.exp(log_c - log_c.mean()),
            "leak_S": size["leak_mean"] * rate * (1 + size["leak_relative"] * rng.standard_normal(nodes)),
            "node_offset_A": size["node_offset_current"] * limit * rng.standard_normal(nodes),
            "trim_gain": 1 + size["preset_gain"] * rng.standard_normal(nodes),
            "preset_gain": 1 + size["preset_gain"] * rng.standard_normal(nodes),
            "preset_offset_V": size["preset_offset"] * rng.standard_normal(nodes),
        }
        names, numbers = [str(cell) for cell in spec.cells], [str(n + 1) for n in range(nodes)]
        tables = {name: table(names, value, good) for name, value in cells.items()}
        tables |= {name: table(numbers, value) for name, value in at_nodes.items()}
        tables |= {name: table(["board"], np.array([size[key]])) for name, key in (("knee_V", "knee"),)}
        tables["saturation"] = table(["board"], np.array([size["saturation"]]))
        return CalibrationRecord({"board_id": "TEST-1", "spec_digest": spec.digest}, tables)

    return make


def random_circuit(topology: Topology, slices: int, seed: int, gain: float = 0.5) -> Circuit:
    """shifted_relu everywhere, gains N(0, gain/sqrt(degree)), thresholds N(0, 0.05); half the nodes are inputs."""
    generator = torch.Generator().manual_seed(seed)
    degree = 2 * len(topology) / (topology.nodes + 1)

    def edges() -> EdgeSet:
        gains = torch.randn(len(topology), generator=generator) * gain / degree**0.5
        thresholds = torch.randn(len(topology), generator=generator) * 0.05
        parameters = {"gain": gains, "threshold": thresholds}
        return EdgeSet("shifted_relu", topology.source, topology.destination, parameters)

    return Circuit(
        nodes=topology.nodes,
        slices=tuple(Slice(1.0, (edges(),)) for _ in range(slices)),
        capacitance=torch.ones(topology.nodes),
        leak=torch.zeros(topology.nodes),
        inputs=tuple(range(1, topology.nodes // 2 + 1)),
        outputs=tuple(range(topology.nodes - 9, topology.nodes + 1)),
    )


@pytest.fixture(scope="session")
def small() -> Circuit:
    """12 nodes, two slices, for jf96."""
    return random_circuit(mixed(1, 3, 3, 2, 3, (1, 1)), 2, seed=1)


@pytest.fixture(scope="session")
def digits_size() -> Circuit:
    """96 nodes, two slices of 6,880 edges, as the digits network has them."""
    return random_circuit(mixed(1, 8, 8, 3, 32, (1, 1)), 2, seed=2, gain=0.4)


@pytest.fixture(scope="session")
def deep() -> Circuit:
    """12 nodes, five slices: three passes over a board of two banks."""
    return random_circuit(mixed(1, 3, 3, 2, 3, (1, 1)), 5, seed=3)
