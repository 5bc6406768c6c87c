"""The packaged MNIST network, a random one, inputs for them, and what an emulated board really is."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import zoom

from jackfield.board import BoardSpec, CalibrationRecord, Table
from jackfield.data import digits_split
from jackfield.emulator import AnalogBoard, truth
from jackfield.model import load_checkpoint, packaged_model
from jackfield.physics import Circuit, EdgeSet, Slice, Topology

__all__ = ["LARGEST_V", "mnist", "pictures", "random_circuit", "true_record"]

LARGEST_V = 1.5  # machine units: what a network for this board is trained to keep within
_LARGEST_GAIN, _GAIN, _THRESHOLD = 0.25, 0.5, 0.05


def mnist() -> tuple[Circuit, float, float]:
    """The packaged MNIST network, 834 nodes, 2 x 230,068 edges, and the volts and seconds a unit it was trained for."""
    folder = packaged_model("mnist")
    assert folder is not None
    network = load_checkpoint(folder).network
    assert network.bounds is not None
    return network.circuit(), network.bounds.volts_per_unit, network.bounds.seconds_per_unit


def random_circuit(topology: Topology, inputs: int, slices: int, gain: float = _GAIN) -> Circuit:
    """shifted_relu edges as training starts with: gains N(0, gain/sqrt(degree)), thresholds N(0, 0.05)."""
    generator = torch.Generator().manual_seed(0)
    ends = torch.bincount(torch.cat([topology.source, topology.destination]), minlength=topology.nodes + 1)
    degree = torch.maximum(ends[topology.source], ends[topology.destination])
    nodes = topology.nodes

    def edges() -> EdgeSet:
        normal = torch.randn(2, len(topology), generator=generator)
        gains = (normal[0] * gain / degree.sqrt()).clamp(-_LARGEST_GAIN, _LARGEST_GAIN)
        parameters = {"gain": gains, "threshold": normal[1] * _THRESHOLD}
        return EdgeSet("shifted_relu", topology.source, topology.destination, parameters)

    return Circuit(
        nodes=nodes,
        slices=tuple(Slice(1.0, (edges(),)) for _ in range(slices)),
        capacitance=torch.ones(nodes),
        leak=torch.zeros(nodes),
        inputs=tuple(range(1, inputs + 1)),
        outputs=tuple(range(nodes - 9, nodes + 1)),
    )


def pictures(count: int, side: int) -> NDArray[np.float64]:
    """`[picture, pixel]`: digits of 8 x 8 pixels; for a side of 28 enlarged to 20 x 20 in the middle, as in MNIST."""
    small = digits_split().x_test[:count].reshape(-1, 8, 8).astype(np.float64)
    if side == 8:
        return small.reshape(count, -1)
    margin = (side - 20) // 2
    large = np.pad(zoom(small, (1, 2.5, 2.5), order=1), ((0, 0), (margin, margin), (margin, margin)))
    return np.asarray(large.reshape(count, -1))


def true_record(spec: BoardSpec, profile: str, seed: int) -> tuple[CalibrationRecord, float]:
    """What the emulated board really is, as a record without errors, and the rms of its voltage steps at a bank switch,
    which no record knows."""
    found = truth(AnalogBoard(spec, profile, seed))
    tables = {}
    for name, values in found["quantities"].items():
        column = np.array([math.inf if value is None else value for value in values.values()], dtype=np.float64)
        none, flags = np.zeros(len(column)), np.ones(len(column), dtype=np.bool_)
        reads = np.ones(len(column), dtype=np.int64)
        tables[name] = Table(tuple(values), column, none, none, reads, flags, ("ok",) * len(column))
    steps = np.array(list(found["unknown"]["bank_switch_V"].values()))
    provenance = {"board_id": f"truth-{seed}", "spec_digest": spec.digest}
    return CalibrationRecord(provenance, tables), float(np.sqrt(np.mean(steps**2)))
