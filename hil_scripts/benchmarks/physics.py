"""The kernel against torchdiffeq's rk4 and torch's autograd, on a circuit of the digits network's size."""

from functools import partial

import torch
from benchmarks._rows import Row, best_of, speed_row
from torch import Tensor
from torchdiffeq import odeint

from jackfield.physics import Circuit, EdgeSet, Slice, integrate, vector_field

NODES, EDGES, SLICES, STEPS = 96, 6880, 2, 20
FASTER, FORWARD_ERROR, GRADIENT_ERROR = 2.0, 1e-5, 1e-4


def run(quick: bool) -> list[Row]:
    """Forward and gradient rows; errors are relative to the largest value of the peer's answer."""
    torch.manual_seed(0)
    batch = 16 if quick else 128
    repeats = 2 if quick else 5
    v0 = 0.5 * torch.rand(batch, NODES)
    workload = f"{NODES} nodes, {SLICES} x {EDGES} shifted_relu edges, {STEPS} steps, batch {batch}, float32"
    circuit, gains = _circuit()
    with torch.no_grad():
        ours, answer = best_of(repeats, partial(_ours, circuit, v0))
        theirs, expected = best_of(repeats, partial(_theirs, circuit, v0))
    forward = speed_row(
        "forward", workload, "torchdiffeq rk4", (ours, theirs), _off(answer, expected), (FASTER, FORWARD_ERROR)
    )
    ours, answer = best_of(repeats, lambda: _gradient(_ours(circuit, v0), gains))
    theirs, expected = best_of(repeats, lambda: _gradient(_theirs(circuit, v0), gains))
    gradient = speed_row(
        "forward and gradient",
        workload,
        "torchdiffeq rk4 with torch autograd",
        (ours, theirs),
        _off(answer, expected),
        (FASTER, GRADIENT_ERROR),
    )
    return [forward, gradient]


def _circuit() -> tuple[Circuit, list[Tensor]]:
    slices, gains = [], []
    for _ in range(SLICES):
        source = torch.randint(0, NODES + 1, (EDGES,))
        destination = (source + torch.randint(1, NODES + 1, (EDGES,))) % (NODES + 1)
        gain = (0.02 * torch.randn(EDGES)).requires_grad_()
        gains.append(gain)
        edges = EdgeSet("shifted_relu", source, destination, {"gain": gain, "threshold": 0.1 * torch.randn(EDGES)})
        slices.append(Slice(1.0, (edges,)))
    return Circuit(NODES, tuple(slices), torch.ones(NODES), torch.zeros(NODES)), gains


def _ours(circuit: Circuit, v0: Tensor) -> Tensor:
    return integrate(circuit, v0, steps=STEPS)[-1]


def _theirs(circuit: Circuit, v0: Tensor) -> Tensor:
    v = v0
    for index, part in enumerate(circuit.slices):
        times = torch.linspace(0, part.duration, STEPS + 1)
        v = odeint(vector_field(circuit, index), v, times, method="rk4")[-1]
    return v


def _gradient(answer: Tensor, gains: list[Tensor]) -> Tensor:
    return torch.cat(torch.autograd.grad(answer.square().mean(), gains))


def _off(answer: Tensor, expected: Tensor) -> float:
    return float((answer - expected).detach().abs().max() / expected.detach().abs().max())
