"""Circuits that gradients are measured on, and what the measured ones are compared with."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from benchmarks._rows import Row
from torch import Tensor

from jackfield.physics import Circuit, EdgeSet, Slice, integrate, jacobian, node_currents
from jackfield.physics.reference import Branches, Network
from jackfield.tune import with_parameters

__all__ = ["compared", "flat", "implicit", "ladder_network", "leafed", "row", "settling", "through_time"]

REAL = torch.float64


def settling(
    law: str, nodes: int, seed: int, *, inputs: int = 4, outputs: int = 2, samples: int = 6, degree: float = 1.0
) -> tuple[Circuit, Tensor, Any]:
    """A circuit of non-negative gains and leak with driven inputs, starts and a square loss of its last nodes; a share
    `degree` of all ordered pairs that do not join inputs has an edge."""
    generator = torch.Generator().manual_seed(seed)

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator, dtype=REAL)

    every = [(a, b) for a in range(1, nodes + 1) for b in range(1, nodes + 1) if a != b and max(a, b) > inputs]
    kept = (uniform(len(every)) < degree).nonzero().flatten().tolist()
    source, destination = torch.tensor([every[k] for k in kept]).T.contiguous()
    count = len(kept)
    parameters = {
        "conductance": lambda: {"gain": uniform(count)},
        "tanh_diff": lambda: {
            "a": uniform(count) / 2,
            "b": torch.full((count,), 2.0, dtype=REAL),
            "c": _centred(count),
        },
        "shifted_relu": lambda: {"gain": uniform(count), "threshold": _centred(count)},
    }

    def _centred(count: int) -> Tensor:
        return 0.3 * (uniform(count) - 0.5)

    ones = torch.ones(nodes, dtype=REAL)
    part = Slice(2.0, (EdgeSet(law, source, destination, parameters[law]()),))
    driven = tuple(range(1, inputs + 1))
    circuit = Circuit(nodes, (part,), ones, ones, None, driven, tuple(range(nodes - outputs + 1, nodes + 1)), driven)
    start = torch.zeros(samples, nodes, dtype=REAL)
    start[:, :inputs] = 2 * uniform(samples, inputs) - 1
    asked = uniform(samples, outputs) - 0.5
    return circuit, start, lambda seen: ((seen - asked[: len(seen)]) ** 2).sum(-1) / 2


def implicit(circuit: Circuit, v: Tensor, loss: Any) -> Tensor:
    """The gradient of the mean loss at fixed points `v`, by the implicit function theorem, as `flat`."""
    leaves = _leaves(circuit)
    outputs = v[:, [node - 1 for node in circuit.outputs]].detach().requires_grad_()
    (error,) = torch.autograd.grad(loss(outputs).sum(), outputs)
    whole = torch.zeros_like(v).index_copy(1, torch.tensor(circuit.outputs) - 1, error)
    free = [node for node in range(circuit.nodes) if node + 1 not in circuit.clamped]
    slopes = jacobian(circuit, 0, v)[:, free][:, :, free]
    co_state = -torch.linalg.solve(slopes.transpose(1, 2), whole[:, free])
    currents = node_currents(with_parameters(circuit, leaves), 0, v)[:, 1:][:, free]
    return _gradient((co_state * currents).sum() / len(v), leaves)


def through_time(circuit: Circuit, start: Tensor, duration: float, loss: Any, steps: int = 256) -> Tensor:
    """The gradient of the mean loss of v(duration), by the integrator's own adjoint, as `flat`."""
    leaves = _leaves(circuit)
    live = with_parameters(circuit, leaves)
    live = replace(live, slices=(replace(live.slices[0], duration=duration),))
    end = integrate(live, start, steps=steps)[-1]
    return _gradient(loss(end[:, [node - 1 for node in circuit.outputs]]).mean(), leaves)


def _leaves(circuit: Circuit) -> tuple[dict[str, Tensor], ...]:
    sets = circuit.slices[0].edges
    return tuple({name: value.clone().requires_grad_() for name, value in one.parameters.items()} for one in sets)


def _gradient(loss: Tensor, leaves: tuple[dict[str, Tensor], ...]) -> Tensor:
    return torch.cat(torch.autograd.grad(loss, [value for one in leaves for value in one.values()]))


def flat(gradients: tuple[Mapping[str, Tensor], ...]) -> Tensor:
    """All entries one after the other."""
    return torch.cat([value for one in gradients for value in one.values()])


def compared(found: Tensor, true: Tensor) -> tuple[float, float]:
    """Relative error and cosine."""
    return float((found - true).norm() / true.norm()), float(torch.cosine_similarity(found, true, dim=0))


def ladder_network(
    seed: int, *, nodes: int = 4, charge: float = 0.0, loss: float = 0.3, fractional: bool = False
) -> Network:
    """As many inductors in a row from ground as `nodes`, at each node a capacitor (cubic part `charge`) and a loss to
    ground, a resistor or linear memristor; values drawn from 0.5 to 1.5 (loss: times `loss`)."""
    generator = torch.Generator().manual_seed(seed)
    ground, every = torch.zeros(nodes, dtype=torch.int64), torch.arange(1, nodes + 1)

    def drawn() -> Tensor:
        return 0.5 + torch.rand(nodes, generator=generator, dtype=REAL)

    none = torch.zeros(nodes, dtype=REAL)
    capacitors = Branches(every, ground, drawn(), charge * drawn())
    inductors = Branches(torch.arange(nodes), every, drawn(), none)
    losses = Branches(every, ground, loss * drawn(), none) if loss else Branches()
    if fractional:
        return Network(nodes, capacitors, inductors, memristors=losses)
    return Network(nodes, capacitors, inductors, losses)


def leafed(network: Network) -> tuple[Network, dict[str, Tensor]]:
    """`network` on leaves, its linear parts by kind."""
    leaves = {}
    for kind in ("capacitors", "inductors", "resistors", "memristors"):
        branches = getattr(network, kind)
        if len(branches):
            leaves[kind] = branches.linear.clone().requires_grad_()
            network = replace(network, **{kind: replace(branches, linear=leaves[kind])})
    return network, leaves


def row(name: str, workload: str, against: str, ours: float, unit: str, asked: str, holds: bool, **more: Any) -> Row:
    """A row of which `theirs`, `ratio` and `error` are empty unless given."""
    rest: dict[str, Any] = {"theirs": None, "ratio": None, "error": None} | more
    return {
        "name": name,
        "workload": workload,
        "against": against,
        "ours": ours,
        "unit": unit,
        "asked": asked,
        "holds": holds,
        **rest,
    }
