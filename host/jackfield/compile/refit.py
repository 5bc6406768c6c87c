"""The re-fit before rounding: codes that make the twin's node currents those of the circuit.

A node's capacitance enters every current at the node and each current enters two nodes, so no code can be
corrected on its own; leak, knee and saturation have no code at all. Along the circuit's own trajectories the
current that each capacitor should get is known. Codes are integers, and one more step of one code adds a known
current to two nodes: coordinate descent over all codes of a bank, trims included, takes each in turn to the
integer that leaves the least mean square error, so that the next code makes good what rounding one has cost.
"""

import numpy as np
import torch
from torch import Tensor

from jackfield.board import BoardSpec
from jackfield.compile.bank_model import BankModel
from jackfield.compile.codes import Targets
from jackfield.compile.knobs import descend
from jackfield.compile.known import Floats, KnownBoard
from jackfield.compile.place import Placement
from jackfield.compile.scaling import Scaling
from jackfield.physics import Circuit, integrate, vector_field

__all__ = ["refit"]

_TIMES = 8
_STEPS = 32
_ROUNDS = 3
_RIDGE = 0.02
_REACH = 3
_MOST_EFFECTS = 2**25


def refit(
    circuit: Circuit,
    placement: Placement,
    requested: Targets,
    scaling: Scaling,
    spec: BoardSpec,
    known: KnownBoard,
    inputs: Tensor,
) -> Targets:
    """Values, each at one of its codes, that bring the twin nearest to `circuit` (machine units).

    `inputs` `[batch, input]` should be like those that the board will see; 64 to 128 are enough. Networks of many edges
    take fewer of them, so that memory stays bounded.
    Deterministic; the cost is proportional to edges, inputs and slices.
    """
    # What each knob does in each state is held at once, and some ten times as much on the way to it.
    knobs = len(spec.parameter_names) * max(part.count for part in placement.slices) + spec.nodes.count
    fitted = []
    for number, path in enumerate(_paths(circuit, inputs[: max(1, _MOST_EFFECTS // (knobs * (_TIMES + 1)))])):
        part, cells = placement.slices[number], placement.cells[number]
        model = BankModel(part, cells, spec, known, scaling.trim_stretch(number, part.duration, spec))
        fitted.append(_fit_bank(number, path, model, requested, scaling))
    return Targets(tuple(parameters for parameters, _ in fitted), np.array([trims for _, trims in fitted]))


def _paths(circuit: Circuit, inputs: Tensor) -> list[tuple[Tensor, Tensor]]:
    """States that the circuit passes through in each slice and its dv/dt there, `[batch * time, node]` each, in
    machine units."""
    v0 = torch.zeros(len(inputs), circuit.nodes, dtype=circuit.dtype)
    v0[:, torch.tensor(circuit.inputs) - 1] = inputs.to(circuit.dtype)
    paths = []
    with torch.no_grad():
        path = torch.cat([v0[None], integrate(circuit, v0, steps=_STEPS, snapshots=_TIMES)])
        for number in range(len(circuit.slices)):
            states = path[number * _TIMES : (number + 1) * _TIMES + 1].reshape(-1, circuit.nodes)
            paths.append((states, vector_field(circuit, number)(torch.zeros(()), states)))
    return paths


def _fit_bank(
    number: int, path: tuple[Tensor, Tensor], model: BankModel, requested: Targets, scaling: Scaling
) -> tuple[dict[str, Floats], Floats]:
    """Parameters by name `[edge]` and trims `[node]` of one bank, at codes."""
    v, swing = (_on_board(part * scaling.volts_per_unit, model.spec) for part in path)
    run_s = model.part.duration * scaling.seconds_per_unit[number]
    # Volts that a steady current of 1 A puts on each capacitor within the slice; ground has none to charge.
    weight = np.concatenate([[0.0], run_s / (model.spec.nodes.capacitance_F * model.known.capacitance_ratio)])
    knobs = model.knobs(dict(requested.parameters[number]), requested.trims[number])
    for _ in range(_ROUNDS):
        currents, effect = model.currents(knobs, v)
        residual = np.zeros((len(weight), v.shape[1]), dtype=np.float32)
        residual[1:] = swing * model.part.duration - weight[1:, None] * currents
        descend(knobs, effect, residual, weight, _RIDGE, _REACH)
    return model.values(knobs)


def _on_board(values: Tensor, spec: BoardSpec) -> Floats:
    """`[state, node]` as `[node, state]` for all nodes of the board; those that the circuit lacks stay at zero."""
    rows = np.zeros((spec.nodes.count, len(values)))
    rows[: values.shape[1]] = values.T.double().numpy()
    return rows
