"""Volumes along a run: against closed forms and the Jacobian by finite differences."""

from typing import Any

import pytest
import torch

from jackfield.errors import DesignError
from jackfield.physics import LAWS, Circuit, EdgeSet, Slice, integrate, integrate_with_trace

F64 = torch.float64


def circuit(law: str, **changes: Any) -> Circuit:
    """Three nodes and ground, seven edges, two slices."""
    draw = torch.Generator().manual_seed(4)
    source = torch.tensor([1, 2, 3, 0, 1, 2, 3])
    destination = torch.tensor([2, 3, 1, 1, 0, 1, 2])
    slices = tuple(
        Slice(
            duration,
            (
                EdgeSet(
                    law,
                    source,
                    destination,
                    {
                        name: (0.3 * torch.randn(7, generator=draw, dtype=F64)).requires_grad_()
                        for name in LAWS[law].parameter_names
                    },
                ),
            ),
        )
        for duration in (0.5, 1.0)
    )
    some: dict[str, Any] = {"capacitance": torch.tensor([1.0, 2.0, 0.5], dtype=F64)}
    some |= {"leak": torch.tensor([0.1, 0.0, 0.3], dtype=F64)}
    return Circuit(3, slices, **(some | changes))


START = 0.4 * torch.randn(5, 3, generator=torch.Generator().manual_seed(1), dtype=F64)


@pytest.mark.parametrize("law", [name for name, law in LAWS.items() if law.smooth])
def test_states_are_those_of_integrate_and_volumes_those_of_its_jacobian(law: str) -> None:
    chosen = circuit(law)
    with torch.no_grad():
        v, growth = integrate_with_trace(chosen, START, steps=48)
        torch.testing.assert_close(v, integrate(chosen, START, steps=48)[-1], rtol=1e-12, atol=1e-12)
        columns = []
        for node in range(3):
            step = 1e-5 * torch.eye(3, dtype=F64)[node]
            ends = [integrate(chosen, START + sign * step, steps=48)[-1] for sign in (1, -1)]
            columns.append((ends[0] - ends[1]) / 2e-5)
        jacobian = torch.stack(columns, dim=2)
    torch.testing.assert_close(growth, torch.linalg.slogdet(jacobian).logabsdet, rtol=1e-6, atol=2e-6)


def test_conductances_shrink_volumes_by_their_sum() -> None:
    chosen = circuit("conductance")
    _, growth = integrate_with_trace(chosen, START, steps=1)
    total = torch.zeros((), dtype=F64)
    for part in chosen.slices:
        (edges,) = part.edges
        for ends in (edges.source, edges.destination):
            at = torch.cat([torch.zeros(1, dtype=F64), 1 / chosen.capacitance])[ends]
            total = total - part.duration * (edges.parameters["gain"] * at).sum()
        total = total - part.duration * (chosen.leak / chosen.capacitance).sum()
    torch.testing.assert_close(growth, total.expand(5))


def test_gradients_are_those_of_differences() -> None:
    chosen = circuit("tanh_affine")
    parameters = chosen.slices[1].edges[0].parameters
    v0 = START.clone().requires_grad_()

    def loss(*_: torch.Tensor) -> torch.Tensor:
        v, growth = integrate_with_trace(chosen, v0, steps=3)
        return (v.square().sum(dim=1) + growth).sum()

    assert torch.autograd.gradcheck(loss, (v0, parameters["a"], parameters["b"], parameters["c"]))


def test_what_has_no_such_trace_is_refused() -> None:
    with pytest.raises(DesignError, match="railed nodes"):
        integrate_with_trace(circuit("tanh_affine", rails=(-1.0, 1.0)), START, steps=2)
    with pytest.raises(DesignError, match=r"give torch.float64 \[batch, 3\]"):
        integrate_with_trace(circuit("tanh_affine"), START[:, :2], steps=2)
