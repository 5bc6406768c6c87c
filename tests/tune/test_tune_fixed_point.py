"""Equilibrium propagation against the theorem of implicit functions."""

import pytest
import torch

from jackfield.errors import DesignError
from jackfield.physics import Circuit, EdgeSet, Slice, jacobian, node_currents
from jackfield.tune import CenteredPropagation, CoupledLearning, Nudge, OneSidedPropagation, PhysicsPlant, asymmetry

REAL = torch.float64
SOURCE, DESTINATION = torch.tensor([1, 2, 3, 1, 4]), torch.tensor([3, 3, 4, 4, 3])
START = torch.tensor([[0.7, -0.4, 0.0, 0.0], [-0.5, 0.6, 0.0, 0.0]], dtype=REAL)


def _circuit(law: str, **parameters: float) -> Circuit:
    values = {name: torch.linspace(0.5, 1.0, 5, dtype=REAL) * value for name, value in parameters.items()}
    ones = torch.ones(4, dtype=REAL)
    part = Slice(4.0, (EdgeSet(law, SOURCE, DESTINATION, values),))
    return Circuit(4, (part,), ones, ones, None, (1, 2), (4,), (1, 2))


def _loss(outputs: torch.Tensor) -> torch.Tensor:
    return ((outputs - 0.3) ** 2).sum(-1) / 2


def _implicit(circuit: Circuit, v: torch.Tensor, name: str) -> torch.Tensor:
    """-e^T J^-1 dI/dp, dI/dp by central differences of Kirchhoff's law."""
    error = torch.stack([torch.zeros(len(v), dtype=REAL), v[:, 3] - 0.3], dim=1)
    co_state = -torch.linalg.solve(jacobian(circuit, 0, v)[:, 2:, 2:].transpose(1, 2), error)
    edges = circuit.slices[0].edges[0]
    found = []
    for edge in range(5):
        sides = []
        for sign in (1, -1):
            value = edges.parameters[name].clone()
            value[edge] += sign * 1e-6
            moved = _circuit(edges.law, **dict.fromkeys(edges.parameters, 0.0))
            parameters = dict(edges.parameters) | {name: value}
            part = Slice(4.0, (EdgeSet(edges.law, SOURCE, DESTINATION, parameters),))
            moved = Circuit(4, (part,), moved.capacitance, moved.leak)
            sides.append(node_currents(moved, 0, v)[:, 3:])
        found.append((co_state * (sides[0] - sides[1]) / 2e-6).sum(1).mean())
    return torch.stack(found)


@pytest.mark.parametrize(
    ("law", "parameters", "close"),
    [("conductance", {"gain": 1.0}, 1e-8), ("tanh_diff", {"a": 0.5, "b": 2.0, "c": 0.1}, 1e-3)],
)
def test_centered_is_the_implicit_gradient(law: str, parameters: dict[str, float], close: float) -> None:
    circuit = _circuit(law, **parameters)
    plant = PhysicsPlant(circuit)
    found = CenteredPropagation(Nudge(0.1)).estimate(plant, START, _loss)
    for name in parameters:
        true = _implicit(circuit, found.values, name)
        assert float((found.gradients[0][name] - true).norm() / true.norm()) < close
    assert found.passes == 6
    assert found.reads == 24


def test_one_sided_errs_more_than_centered() -> None:
    circuit = _circuit("tanh_diff", a=0.5, b=2.0, c=0.1)
    plant = PhysicsPlant(circuit)
    true = _implicit(circuit, plant.settle(START).values, "a")
    errors = [
        float((kind(Nudge(0.2)).estimate(plant, START, _loss).gradients[0]["a"] - true).norm())
        for kind in (CenteredPropagation, OneSidedPropagation)
    ]
    assert errors[0] < errors[1] / 5


def test_coupled_learning_descends() -> None:
    circuit = _circuit("conductance", gain=1.0)
    plant = PhysicsPlant(circuit)
    found = CoupledLearning(Nudge(0.1)).estimate(plant, START, _loss).gradients[0]["gain"]
    assert float(torch.cosine_similarity(found, _implicit(circuit, plant.settle(START).values, "gain"), dim=0)) > 0.8


def test_crooked_edges_are_named_and_may_be_forced() -> None:
    plant = PhysicsPlant(_circuit("tanh_affine", **dict.fromkeys(_affine(), 0.5)))
    with pytest.raises(DesignError, match=r"edge 0 \(n1->n3, tanh_affine\).*approximate=True"):
        CenteredPropagation(Nudge(0.1)).estimate(plant, START, _loss)
    found = CenteredPropagation(Nudge(0.1), approximate=True).estimate(plant, START, _loss)
    assert found.asymmetry is not None
    assert found.asymmetry > 0.01


def test_reciprocal_circuits_measure_no_asymmetry() -> None:
    assert asymmetry(PhysicsPlant(_circuit("tanh_diff", a=0.5, b=2.0, c=0.1)), START[:1]) < 1e-4


def _affine() -> tuple[str, ...]:
    from jackfield.physics import LAWS

    return LAWS["tanh_affine"].parameter_names
