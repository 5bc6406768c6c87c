"""Steps found by doubling: the error that is stated holds against the closed form."""

import math

import pytest
import torch

from jackfield.errors import DesignError
from jackfield.physics import Circuit, EdgeSet, Slice, integrate, integrate_to

F64 = torch.float64


def discharge() -> tuple[Circuit, torch.Tensor]:
    one = torch.ones(1, dtype=F64)
    edges = EdgeSet("conductance", torch.tensor([1]), torch.tensor([0]), {"gain": 3 * one})
    return Circuit(1, (Slice(1.0, (edges,)),), one, 0 * one), torch.ones(1, 1, dtype=F64, requires_grad=True)


@pytest.mark.parametrize("method", ["rk4", "heun"])
@pytest.mark.parametrize("tolerance", [1e-3, 1e-6])
def test_the_stated_error_holds_and_half_the_steps_would_not_do(method: str, tolerance: float) -> None:
    circuit, v0 = discharge()
    found = integrate_to(circuit, v0, tolerance, method=method, snapshots=2)
    truth = torch.tensor([math.exp(-1.5), math.exp(-3.0)], dtype=F64)
    assert float((found.states.detach()[:, 0, 0] - truth).abs().max()) <= found.error <= tolerance
    again = integrate(circuit, v0, steps=found.steps, method=method, snapshots=2)
    assert torch.equal(found.states, again)
    assert found.steps >= 8
    half, quarter = (integrate(circuit, v0, steps=found.steps // k, method=method, snapshots=2) for k in (2, 4))
    assert float((half - quarter).detach().abs().max()) > tolerance


def test_states_are_differentiable() -> None:
    circuit, v0 = discharge()
    (slope,) = torch.autograd.grad(integrate_to(circuit, v0, 1e-8).states.sum(), v0)
    assert float(slope) == pytest.approx(math.exp(-3.0), abs=1e-8)


def test_tolerances_out_of_reach() -> None:
    circuit, v0 = discharge()
    with pytest.raises(DesignError, match="above zero"):
        integrate_to(circuit, v0, 0.0)
    with pytest.raises(DesignError, match="float64"):
        integrate_to(circuit, v0, 1e-300)
