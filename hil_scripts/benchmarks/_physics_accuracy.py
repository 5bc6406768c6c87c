"""Gradients of every law against float64 autograd through the same steps."""

import torch
from benchmarks._rows import Row
from torch import Tensor
from torchdiffeq import odeint

from jackfield.physics import LAWS, Circuit, EdgeSet, Imperfection, Slice, integrate, vector_field

__all__ = ["gradient_rows"]

NODES, EDGES, BATCH, STEPS = 16, 96, 48, 4
# A cubic of negative sign runs away in finite time, and a transistor needs its gate to conduct.
SPREAD_AND_MEAN = {"gate": (0.4, 1.0), "k": (0.4, 0.5), "g1": (0.1, 0.4), "g2": (0.05, 0.0), "g3": (0.02, 0.1)}


def gradient_rows(quick: bool) -> list[Row]:
    """The worst law, perfect and imperfect, in float64 and float32; norms of all gradients together."""
    rows = []
    for dtype, bar in ((torch.float64, 1e-12), (torch.float32, 1e-4)):
        if quick and dtype == torch.float32:
            continue
        off = {
            f"{law}{', imperfect' if imperfect else ''}": _off(law, imperfect, dtype)
            for law in (["shifted_relu"] if quick else LAWS)
            for imperfect in (False, True)
        }
        worst = max(off, key=lambda name: off[name])
        rows.append(_row(str(dtype).removeprefix("torch."), worst, off[worst], bar, len(off)))
    return rows


def _row(dtype: str, worst: str, error: float, bar: float, count: int) -> Row:
    return {
        "name": f"gradient, {dtype}",
        "workload": f"{count} laws and forms, {NODES} nodes, {EDGES} edges, 2 slices of {STEPS} steps; worst: {worst}",
        "against": "float64 autograd",
        "ours": error,
        "theirs": 0.0,
        "unit": "relative error",
        "ratio": bar / error if error else None,
        "error": error,
        "asked": f"error <= {bar:g}",
        "holds": error <= bar,
    }


def _off(law: str, imperfect: bool, dtype: torch.dtype) -> float:
    mine, leaves = _circuit(law, imperfect, dtype)
    exact, wide = _circuit(law, imperfect, torch.float64)
    v0 = torch.rand(BATCH, NODES, generator=torch.Generator().manual_seed(1), dtype=torch.float64) - 0.5
    weight = torch.linspace(-1, 1, v0.numel(), dtype=torch.float64).reshape(v0.shape)
    found = _gradient(integrate(mine, v0.to(dtype), steps=STEPS)[-1], weight.to(dtype), leaves).double()
    expected = _gradient(_by_autograd(exact, v0), weight, wide)
    return float((found - expected).norm() / expected.norm())


def _gradient(v: Tensor, weight: Tensor, leaves: list[Tensor]) -> Tensor:
    found = torch.autograd.grad((weight * v * v).sum(), leaves, materialize_grads=True, allow_unused=True)
    return torch.cat([x.reshape(-1) for x in found])


def _by_autograd(circuit: Circuit, v: Tensor) -> Tensor:
    for index, part in enumerate(circuit.slices):
        grid = torch.linspace(0, part.duration, STEPS + 1, dtype=v.dtype)
        v = odeint(vector_field(circuit, index), v, grid, method="rk4")[-1]
    return v


def _circuit(law: str, imperfect: bool, dtype: torch.dtype) -> tuple[Circuit, list[Tensor]]:
    draw, leaves = torch.Generator().manual_seed(0), []

    def leaf(count: int, spread: float, mean: float) -> Tensor:
        value = (spread * torch.randn(count, generator=draw, dtype=torch.float64) + mean).to(dtype).requires_grad_()
        leaves.append(value)
        return value

    slices = []
    for _ in range(2):
        source = torch.randint(0, NODES + 1, (EDGES,), generator=draw)
        destination = (source + torch.randint(1, NODES + 1, (EDGES,), generator=draw)) % (NODES + 1)
        names = LAWS[law].parameter_names
        values = {name: leaf(EDGES, *SPREAD_AND_MEAN.get(name, (0.2, 0.0))) for name in names}
        cell = Imperfection(leaf(EDGES, 0.005, 0.1), leaf(EDGES, 0.05, 1.0), leaf(EDGES, 0.02, 0.0))
        edges = EdgeSet(law, source, destination, values, cell if imperfect else None)
        slices.append(Slice(0.5, (edges,), leaf(NODES, 0.1, 0.0)))
    return Circuit(NODES, tuple(slices), leaf(NODES, 0.1, 1.0), leaf(NODES, 0.02, 0.2)), leaves
