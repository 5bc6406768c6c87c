"""Gradients that a network measures on itself by running once more, in physics alone: reversal, conjugation, echo.

Losses are `[sample]` of what is named below, in torch operations. Results hold dloss/d(linear part) `[element]`, summed
over samples, for "capacitors", "inductors" and "resistors" (or "memristors").
"""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from jackfield.errors import DesignError
from jackfield.physics.reference import Branches, Network, Run, lagrangian_slopes, respond, run

__all__ = ["live_nudge", "node_fluxes", "phase_conjugated_error", "reversed_replay", "time_reversed_error"]

Gradients = dict[str, Tensor]
Loss = Callable[[Tensor], Tensor]


def time_reversed_error(network: Network, h: float, injection: Tensor, loss: Loss, amplitude: float = 1.0) -> Gradients:
    """Linear RLC from rest under `injection` `[step, 1, node]`; `loss` is of the node voltages `[step, batch, node]` in
    the middle of each step. The same network from rest, driven by the error backwards, is the adjoint at any amplitude.

    Raises DesignError on nonlinear networks.
    """
    _refuse_nonlinear(network)
    rest = torch.zeros(injection.shape[1], network.size, dtype=torch.float64)
    seen = run(network, rest, h, injection)
    error = _slope(loss, seen.middles[..., : network.nodes]).flip(0) / h
    pushed = (error + torch.cat([torch.zeros_like(error[:1]), error[:-1]])) / 2
    answer = run(network, rest, h, amplitude * pushed).states[1:].flip(0) / amplitude
    moved = seen.states[1:] - seen.states[:-1]

    def over(kind: str, states: Tensor, other: Tensor) -> Tensor:
        branches = getattr(network, kind)
        product: Tensor = network.across(branches, states) * network.across(branches, other)
        return product.sum((0, 1))

    return {
        "capacitors": -over("capacitors", answer, moved),
        "inductors": (network.through(answer) * network.through(moved)).sum((0, 1)),
        "resistors": -h * over("resistors", answer, seen.middles),
    }


def phase_conjugated_error(network: Network, omega: float, injection: Tensor, loss: Loss) -> Gradients:
    """Linear network in the steady state at `omega` under complex currents `[sample, node]`; `loss` is of the complex
    node voltages. The error comes back with its phase turned round. Raises DesignError on nonlinear networks."""
    seen = respond(network, omega, injection)
    volts = seen[..., : network.nodes].detach().requires_grad_()
    (error,) = torch.autograd.grad(loss(volts).sum(), volts)
    answer = respond(network, omega, error.conj())

    def over(kind: str) -> Tensor:
        signs = getattr(network, kind).incidence(network.nodes).to(torch.complex128)
        product: Tensor = (answer[..., : network.nodes] @ signs) * (seen[..., : network.nodes] @ signs)
        return product.sum(0)

    return {
        "capacitors": -(1j * omega * over("capacitors")).real,
        "inductors": (1j * omega * network.through(answer) * network.through(seen)).real.sum(0),
        "resistors": -over("resistors").real,
    }


def reversed_replay(network: Network, start: Tensor, h: float, injection: Tensor, loss: Loss, eps: float) -> Gradients:
    """From `start` `[batch, unknown]`; `loss` is of node fluxes, the integrals of voltages, `[step, batch, node]`.

    The network runs once more from v(T) turned round, under the sources backwards and -+ eps times the error backwards.
    Without resistors that is the Hamiltonian echo; linear resistors are compensated by the current -2 G v(T - t).
    Storage may be nonlinear. Raises DesignError on nonlinear resistors and on memristors.
    """
    if len(network.memristors) or not network.resistors.is_linear:
        raise DesignError("a replay needs linear loss: where storage and loss are both nonlinear it is not exact")
    n, signs = network.nodes, network.resistors.incidence(network.nodes)
    seen = run(network, start, h, injection)
    error = _slope(loss, node_fluxes(network, seen, h)).flip(0) / h
    lost = (seen.middles[..., :n] @ signs * network.resistors.linear.detach()) @ signs.T
    background = (injection - 2 * lost).flip(0)
    turned = torch.cat([-seen.states[-1][:, :n], seen.states[-1][:, n:]], dim=1)
    ends = [run(network, turned, h, background + sign * eps * error) for sign in (1, -1)]
    speed = (ends[0].middles - ends[1].middles) / (2 * eps)
    reached = h * torch.cumsum(speed, 0)
    co_state = torch.cat([torch.zeros_like(reached[:1]), reached[:-1]]) + h * speed / 2
    return _replayed(network, seen, co_state.flip(0), h)


def _replayed(network: Network, seen: Run, co_state: Tensor, h: float) -> Gradients:
    moved = network.across(network.capacitors, seen.states[1:] - seen.states[:-1])
    current = network.through(seen.middles)
    soft = current / network.inductors.slope(current)
    volts = network.across(network.resistors, seen.middles)
    return {
        "capacitors": -(network.across(network.capacitors, co_state) * moved).sum((0, 1)),
        "inductors": h * (network.across(network.inductors, co_state) * soft).sum((0, 1)),
        "resistors": -h * (network.across(network.resistors, co_state) * volts).sum((0, 1)),
    }


def live_nudge(
    network: Network, start: Tensor, h: float, injection: Tensor, target: Tensor, node: int, beta: float
) -> Gradients:
    """The contrast of the Lagrangian between a run nudged as it goes and a free one, over beta: **not** a gradient.

    Kept as the negative control. The loss is h/2 times the sum of (flux - target)^2 of one node, `target`
    `[step, 1, 1]`; the nudge is a current -beta (flux - target) into it. A causal run does not hold its end, so the
    contrast answers another question (see host/GRADIENTS.md).
    """
    free = lagrangian_slopes(network, run(network, start, h, injection), h)
    pushed = lagrangian_slopes(network, _nudged(network, start, h, injection, (target, node, beta)), h)
    return {kind: -(pushed[kind] - free[kind]).sum(0) / beta for kind in free}


def _nudged(network: Network, start: Tensor, h: float, injection: Tensor, nudge: tuple[Tensor, int, float]) -> Run:
    """A nudge that follows a flux is a linear inductor of 1/beta from its node to ground, behind a source."""
    target, node, beta = nudge
    own, have = network.nodes + len(network.inductors), network.inductors
    springs = Branches(
        torch.cat([have.a, torch.tensor([node])]),
        torch.cat([have.b, torch.tensor([0])]),
        torch.cat([have.linear, torch.tensor([1 / beta], dtype=torch.float64)]),
        torch.cat([have.cubic, torch.zeros(1, dtype=torch.float64)]),
    )
    begin = torch.cat([start[:, :own], torch.zeros_like(start[:, :1]), start[:, own:]], dim=1)
    towards = injection.index_add(2, torch.tensor([node - 1]), beta * target.expand(len(injection), 1, 1))
    seen = run(replace(network, inductors=springs), begin, h, towards)
    keep = [*range(own), *range(own + 1, network.size + 1)]
    return Run(seen.states[..., keep], seen.middles[..., keep], seen.half_integral)


def node_fluxes(network: Network, seen: Run, h: float) -> Tensor:
    """Integrals of the node voltages `[step, batch, node]` up to the middle of each step."""
    volts = seen.middles[..., : network.nodes]
    return h * (torch.cumsum(volts, 0) - volts / 2)


def _slope(loss: Loss, seen: Tensor) -> Tensor:
    leaf = seen.detach().requires_grad_()
    (slope,) = torch.autograd.grad(loss(leaf).sum(), leaf)
    return slope


def _refuse_nonlinear(network: Network) -> None:
    kinds = (network.capacitors, network.inductors, network.resistors)
    if len(network.memristors) or not all(kind.is_linear for kind in kinds):
        raise DesignError("an error sent backwards into a network at rest is exact on linear R, L, C only")
