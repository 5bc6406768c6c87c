"""One cell between two capacitors is the same circuit as `integrate` runs."""

import pytest
import torch

from jackfield.errors import DesignError
from jackfield.physics import LAWS, Circuit, EdgeSet, Imperfection, Slice, cell_response, integrate


def numbers(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


@pytest.mark.parametrize("law", LAWS)
def test_a_cell_is_a_circuit_of_two_nodes(law: str) -> None:
    names = LAWS[law].parameter_names
    params = {name: numbers(0.8 - 0.3 * k) for k, name in enumerate(names)}
    cell = Imperfection(numbers(0.05), numbers(0.6), numbers(0.01))
    edges = EdgeSet(law, torch.tensor([1]), torch.tensor([2]), params, cell)
    part = Slice(1.5, (edges,), numbers(0.02, -0.03))
    circuit = Circuit(2, (part,), numbers(1.0, 1.2), numbers(0.1, 0.2))
    v0 = torch.linspace(-1, 1, 10, dtype=torch.float64).reshape(5, 2).flip(1)
    expected = integrate(circuit, v0, steps=7)[-1]
    ends = (v0[:, 0], v0[:, 1])
    found = cell_response(LAWS[law], params, cell, *ends, *numbers(1.0, 1.2, 0.1, 0.2, 0.02, -0.03), 1.5, steps=7)
    torch.testing.assert_close(torch.stack(found, dim=1), expected, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("law", LAWS)
def test_gradients_are_those_of_finite_differences(law: str) -> None:
    generator = torch.Generator().manual_seed(2)
    names = LAWS[law].parameter_names
    lows = [0.3] * len(names) + [0.05, 0.6, 0.01, -0.5, -0.5, 1.0, 1.2, 0.1, 0.2, 0.02, -0.03, 1.5]
    inputs = [(low + 0.3 * torch.rand(5, generator=generator)).double().requires_grad_() for low in lows]

    def response(*values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        params = dict(zip(names, values, strict=False))
        knee, saturation, offset, *rest = values[len(names) :]
        cell = Imperfection(knee, saturation, offset)
        v_s0, v_d0, c_s, c_d, leak_s, leak_d, inj_s, inj_d, duration = rest
        return cell_response(
            LAWS[law], params, cell, v_s0, v_d0, c_s, c_d, leak_s, leak_d, inj_s, inj_d, duration, steps=3
        )

    assert torch.autograd.gradcheck(response, inputs, eps=1e-6, atol=1e-8, rtol=1e-6)


def test_no_steps_cannot_be() -> None:
    one = numbers(1.0)
    with pytest.raises(DesignError, match="at least 1"):
        cell_response(LAWS["conductance"], {"gain": one}, None, *[one] * 9, steps=0)


def test_cells_and_points_broadcast_with_gradients() -> None:
    gain = torch.full((6, 1), 2e-5, dtype=torch.float64, requires_grad=True)  # SI: siemens, farads, seconds
    threshold = torch.zeros(6, 1, dtype=torch.float64)
    zero = numbers(0.0)
    v_s, v_d = cell_response(
        LAWS["shifted_relu"],
        {"gain": gain, "threshold": threshold},
        None,
        torch.linspace(0.1, 0.9, 4, dtype=torch.float64),
        zero,
        numbers(10e-9),
        numbers(10e-9),
        *[zero] * 4,
        numbers(100e-6),
        steps=4,
    )
    assert v_s.shape == v_d.shape == (6, 4)
    torch.testing.assert_close(v_s + v_d, torch.linspace(0.1, 0.9, 4).double().expand(6, 4))
    (slope,) = torch.autograd.grad(v_d.sum(), gain)
    exact = 1e4 * torch.exp(-2 * gain.detach() * 1e4) * 2.0  # sum of v0 over the points is 2
    torch.testing.assert_close(slope, exact, rtol=1e-4, atol=0)
