"""Every spelling of every law against the torch form, which stands beside closed forms worked by hand."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from jackfield.physics import LAWS, ElementLaw, Imperfection
from jackfield.physics.laws.scalar import tanh, tanh_single

CLOSED: dict[str, tuple[tuple[float, ...], float]] = {  # parameters, current at v_s = 0.7, v_d = 0.2
    "shifted_relu": ((-2.0, 0.1), -0.8),
    "tanh_diff": ((3.0, 2.0, -1.0), 0.0),
    "conductance": ((4.0,), 2.0),
    "polynomial": ((1.0, 2.0, 4.0), 1.5),
    "relu_affine": ((2.0, 1.0, 0.4), 2.0),
    "tanh_affine": ((1.0, 2.0, 0.4), math.tanh(1.5)),
    "mosfet": ((2.0, 1.25, 0.3), 0.5),
}
every_law = pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)


def draws(law: ElementLaw, count: int = 400) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """Voltages and parameters of order one, float64 leaves."""
    generator = torch.Generator().manual_seed(11)
    v_s, v_d, *values = (
        torch.randn(count, generator=generator, dtype=torch.float64).requires_grad_()
        for _ in range(2 + len(law.parameters))
    )
    return v_s, v_d, dict(zip(law.parameter_names, values, strict=True))


def cell(count: int = 400) -> Imperfection:
    generator = torch.Generator().manual_seed(12)
    knee, saturation, offset = torch.rand(3, count, generator=generator, dtype=torch.float64)
    return Imperfection(0.05 + 0.1 * knee, 0.5 + saturation, 0.1 * offset - 0.05)


def scalar_arguments(v_s: Tensor, v_d: Tensor, params: dict[str, Tensor], knee: Tensor) -> list[list[float]]:
    """Rows of the six arguments of the kernel's form."""
    zeros = [torch.zeros_like(v_s)] * (3 - len(params))
    columns = [v_s, v_d, *params.values(), *zeros, knee]
    return torch.stack([column.detach() for column in columns], dim=1).tolist()


@every_law
def test_current_is_the_closed_form(law: ElementLaw) -> None:
    values, expected = CLOSED[law.name]
    params = {name: torch.tensor(x) for name, x in zip(law.parameter_names, values, strict=True)}
    found = law.current(torch.tensor(0.7), torch.tensor(0.2), params)
    assert float(found) == pytest.approx(expected, abs=1e-6)


@every_law
def test_kernel_form_is_the_torch_form(law: ElementLaw) -> None:
    v_s, v_d, params = draws(law)
    for knee in (torch.zeros_like(v_s).requires_grad_(), cell().knee.requires_grad_()):
        inputs = [v_s, v_d, *params.values(), knee]
        current = law.ideal_current(v_s, v_d, params, knee)
        by_autograd = torch.autograd.grad(current.sum(), inputs, allow_unused=True, materialize_grads=True)
        rows = scalar_arguments(v_s, v_d, params, knee)
        ours = torch.tensor([law.scalar_current(*row) for row in rows], dtype=torch.float64)
        torch.testing.assert_close(ours, current, rtol=1e-13, atol=1e-13)
        slopes = torch.tensor([law.scalar_slopes(*row, 1.0) for row in rows], dtype=torch.float64).T
        used = [*slopes[: 2 + len(params)], slopes[5]]
        for mine, theirs in zip(used, by_autograd, strict=True):
            torch.testing.assert_close(mine, theirs, rtol=1e-12, atol=1e-13)


@every_law
def test_partials_are_those_of_autograd(law: ElementLaw) -> None:
    v_s, v_d, params = draws(law)
    leaves = {"v_s": v_s, "v_d": v_d, **params}
    current = law.current(v_s, v_d, params)
    first = dict(zip(leaves, torch.autograd.grad(current.sum(), leaves.values(), create_graph=True), strict=True))
    ours = law.first_partials(v_s, v_d, params)
    assert set(ours) == set(leaves)
    second = law.second_partials(v_s, v_d, params)
    for name, value in first.items():
        torch.testing.assert_close(ours[name], value, rtol=1e-12, atol=1e-13)
    for voltage in ("v_s", "v_d"):
        for name, leaf in leaves.items():
            pair = (voltage, name) if (voltage, name) != ("v_d", "v_s") else ("v_s", "v_d")
            expected = derivative(first[voltage], leaf)
            torch.testing.assert_close(second.get(pair, torch.zeros_like(v_s)), expected, rtol=1e-11, atol=1e-12)


def derivative(value: Tensor, leaf: Tensor) -> Tensor:
    if not value.requires_grad:
        return torch.zeros_like(leaf)
    (found,) = torch.autograd.grad(value.sum(), leaf, retain_graph=True, allow_unused=True, materialize_grads=True)
    return found


@every_law
@pytest.mark.parametrize("imperfect", [False, True])
def test_spice_text_is_the_torch_form(law: ElementLaw, imperfect: bool) -> None:
    v_s, v_d, params = draws(law, 40)
    imperfection = cell(40) if imperfect else None
    current = law.current(v_s, v_d, params, imperfection)
    names: dict[str, Callable[..., float]] = {
        "tanh": math.tanh,
        "sqrt": math.sqrt,
        "max": max,
        "abs": abs,
        "pow": pow,
    }
    for k, expected in enumerate(current.tolist()):
        values = {name: float(value.detach()[k]) for name, value in params.items()}
        shape = (
            (float(imperfection.knee[k]), float(imperfection.saturation[k]), float(imperfection.offset[k]))
            if imperfection
            else (0.0, math.inf, 0.0)
        )
        text = law.spice(f"({float(v_s.detach()[k])!r})", f"({float(v_d.detach()[k])!r})", values, shape)
        assert eval(text, {"__builtins__": {}}, names) == pytest.approx(expected, abs=1e-12)


@every_law
def test_reciprocal_laws_see_the_difference_alone(law: ElementLaw) -> None:
    v_s, v_d, params = draws(law)
    moved = law.current(v_s + 0.3, v_d + 0.3, params)
    assert torch.allclose(moved, law.current(v_s, v_d, params)) == law.reciprocal


@every_law
def test_saturation_bounds_the_current_and_offset_comes_last(law: ElementLaw) -> None:
    v_s, v_d, params = draws(law)
    limit = torch.tensor(0.3, dtype=torch.float64)
    knee = torch.zeros_like(limit)
    limited = law.current(10 * v_s, 10 * v_d, params, Imperfection(knee, limit, knee))
    assert float(limited.detach().abs().max()) < 0.3 + 1e-15
    shifted = law.current(10 * v_s, 10 * v_d, params, Imperfection(knee, limit, limit))
    torch.testing.assert_close(shifted, limited + 0.3)


def test_tanh_of_sums_and_products() -> None:
    x = np.concatenate([np.linspace(-30, 30, 6001), np.geomspace(1e-12, 1, 100)])
    ours = np.array([tanh(float(value)) for value in x])
    assert np.abs(ours - np.tanh(x)).max() < 2e-15
    near = x[-100:]
    assert np.abs(ours[-100:] / np.tanh(near) - 1).max() < 2e-15
    assert max(abs(tanh_single(float(value)) - math.tanh(value)) for value in x) < 5e-8
