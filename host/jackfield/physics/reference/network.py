"""Networks of general elements, run by the implicit midpoint rule.

Modified nodal analysis with the unknowns x = (node voltages, inductor currents, source currents); signs are chosen so
that every matrix is symmetric: node rows sum the currents out of a node, inductor rows are -dflux/dt + v, source rows
v - E. Midpoint steps are symmetric in time and their own adjoint, which the claims about reversal rest on.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from jackfield.errors import DesignError
from jackfield.physics.reference.branches import Branches
from jackfield.physics.reference.fractional import half_order_weights

__all__ = ["Network", "Run", "respond", "run"]

NEWTON_STEPS, CLOSE = 30, 1e-13


@dataclass(frozen=True, eq=False)
class Network:
    """Elements between `nodes` nodes and ground.

    `memristors` are fractional: D^-1/2 i = f(D^-1/2 v), f their Branches; with linear f an ordinary resistor. `sources`
    hold a voltage a - b, their values are not used. Raises DesignError where a node has no capacitor.
    """

    nodes: int
    capacitors: Branches
    inductors: Branches = field(default_factory=Branches)
    resistors: Branches = field(default_factory=Branches)
    memristors: Branches = field(default_factory=Branches)
    sources: Branches = field(default_factory=Branches)

    def __post_init__(self) -> None:
        for kind in (self.capacitors, self.inductors, self.resistors, self.memristors, self.sources):
            if len(kind) and int(torch.maximum(kind.a, kind.b).max()) > self.nodes:
                raise DesignError(f"an element ends beyond node {self.nodes}; nodes are 1..{self.nodes} and ground 0")
        alone = (self.capacitors.incidence(self.nodes).abs().sum(1) == 0).nonzero()
        if len(alone):
            raise DesignError(f"node {int(alone[0]) + 1} has no capacitor, so its voltage has no past; add one")

    @property
    def size(self) -> int:
        """Unknowns."""
        return self.nodes + len(self.inductors) + len(self.sources)

    def across(self, kind: Branches, x: Tensor) -> Tensor:
        """Voltages `[..., element]` over elements at states `[..., unknown]`."""
        return x[..., : self.nodes] @ kind.incidence(self.nodes)

    def through(self, x: Tensor) -> Tensor:
        """Inductor currents `[..., inductor]`."""
        return x[..., self.nodes : self.nodes + len(self.inductors)]


@dataclass(frozen=True, eq=False)
class Run:
    """States `[step + 1, batch, unknown]`, and their means over each step `[step, batch, unknown]`; `half_integral`
    `[step, batch, memristor]` is D^-1/2 v of each memristor."""

    states: Tensor
    middles: Tensor
    half_integral: Tensor


def run(network: Network, start: Tensor, h: float, injection: Tensor, source: Tensor | None = None) -> Run:
    """Runs from `start` `[batch, unknown]` in steps of `h` with currents `injection` `[step, batch or 1, node]` into
    the nodes and voltages `source` `[step, batch or 1, source]` (zero if None). Exactly differentiable once."""
    steps = _Steps(network, h, len(injection))
    states, middles = [start], []
    for number, pushed in enumerate(injection):
        held = None if source is None else source[number]
        states.append(steps.next(states[-1], pushed, held))
        middles.append((states[-1] + states[-2]) / 2)
    return Run(torch.stack(states), torch.stack(middles), steps.history())


def respond(network: Network, omega: float, injection: Tensor) -> Tensor:
    """Complex amplitudes `[..., unknown]` at angular frequency `omega` under complex currents `[..., node]`.

    Raises DesignError on nonlinear networks and on memristors.
    """
    kinds = (network.capacitors, network.inductors, network.resistors)
    if len(network.memristors) or not all(kind.is_linear for kind in kinds):
        raise DesignError("amplitudes at one frequency mean something on linear networks only; leave out cubic parts")
    steps = _Steps(network, 1.0, 1)
    x = torch.zeros(1, network.size, dtype=torch.float64)
    storage, loss = steps.storage_slope(x)[0], steps.flow_slope(x)[0]
    push = torch.zeros(*injection.shape[:-1], network.size, dtype=torch.complex128)
    push[..., : network.nodes] = injection
    solved = torch.linalg.solve(1j * omega * storage + loss, push.unsqueeze(-1))
    return torch.as_tensor(solved.squeeze(-1))


class _Steps:
    """One midpoint step after the other, with the past of the memristors."""

    def __init__(self, network: Network, h: float, count: int) -> None:
        self.network, self.h = network, h
        kinds = (network.capacitors, network.inductors, network.resistors, network.memristors, network.sources)
        self.cap, self.ind, self.res, self.mem, self.src = (kind.incidence(network.nodes) for kind in kinds)
        self.integral, self.derivative = half_order_weights(count, -0.5), half_order_weights(count, 0.5)
        self.voltages: list[Tensor] = []
        self.halves: list[Tensor] = []

    def history(self) -> Tensor:
        return torch.stack(self.halves) if self.halves else torch.zeros(0, dtype=torch.float64)

    def storage(self, x: Tensor) -> Tensor:
        net = self.network
        charge = net.capacitors.value(net.across(net.capacitors, x)) @ self.cap.T
        flux = -net.inductors.value(net.through(x))
        return torch.cat([charge, flux, x.new_zeros(*x.shape[:-1], len(net.sources))], dim=-1)

    def storage_slope(self, x: Tensor) -> Tensor:
        net = self.network
        c = net.capacitors.slope(net.across(net.capacitors, x))
        matrix = x.new_zeros(*x.shape[:-1], net.size, net.size)
        matrix[..., : net.nodes, : net.nodes] = self.cap @ torch.diag_embed(c) @ self.cap.T
        inner = slice(net.nodes, net.nodes + len(net.inductors))
        matrix[..., inner, inner] = -torch.diag_embed(net.inductors.slope(net.through(x)))
        return matrix

    def flow(self, x: Tensor, past: tuple[Tensor, Tensor]) -> Tensor:
        net, n = self.network, self.network.nodes
        out = net.resistors.value(net.across(net.resistors, x)) @ self.res.T
        out = out + x[..., n:] @ torch.cat([self.ind, self.src], dim=1).T
        if len(net.memristors):
            half = self.h**0.5 * net.across(net.memristors, x) + past[0]
            out = out + (self.h**-0.5 * net.memristors.value(half) + past[1]) @ self.mem.T
        return torch.cat([out, x[..., :n] @ torch.cat([self.ind, self.src], dim=1)], dim=-1)

    def flow_slope(self, x: Tensor, past: tuple[Tensor, Tensor] | None = None) -> Tensor:
        net, n = self.network, self.network.nodes
        matrix = x.new_zeros(*x.shape[:-1], net.size, net.size)
        g = net.resistors.slope(net.across(net.resistors, x))
        matrix[..., :n, :n] = self.res @ torch.diag_embed(g) @ self.res.T
        if len(net.memristors) and past is not None:
            g = net.memristors.slope(self.h**0.5 * net.across(net.memristors, x) + past[0])
            matrix[..., :n, :n] += self.mem @ torch.diag_embed(g) @ self.mem.T
        sides = torch.cat([self.ind, self.src], dim=1)
        matrix[..., :n, n:], matrix[..., n:, :n] = sides, sides.T
        return matrix

    def next(self, before: Tensor, pushed: Tensor, held: Tensor | None) -> Tensor:
        net, past = self.network, self._past(before)
        push = torch.cat([pushed.expand(len(before), -1), before.new_zeros(len(before), net.size - net.nodes)], dim=-1)
        if held is not None:
            push = torch.cat([push[:, : net.size - len(net.sources)], held.expand(len(before), -1)], dim=-1)

        def wrong(after: Tensor) -> Tensor:
            return (self.storage(after) - self.storage(before)) / self.h + self.flow((after + before) / 2, past) - push

        def newton(after: Tensor) -> Tensor:
            slope = self.storage_slope(after) / self.h + self.flow_slope((after + before) / 2, past) / 2
            return torch.squeeze(torch.linalg.solve(slope.detach(), wrong(after).unsqueeze(-1)), -1)

        after = before.detach()
        with torch.no_grad():
            for _ in range(NEWTON_STEPS):
                move = newton(after)
                after = after - move
                if float(move.abs().max()) <= CLOSE * (1 + float(after.abs().max())):
                    break
        # One more step with gradients: at the solution it moves nothing, and its derivative is the implicit one.
        after = after - newton(after)
        self._remember((after + before) / 2, past)
        return after

    def _past(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """What earlier steps add to D^-1/2 v and to the currents of the memristors."""
        mem = self.network.memristors
        if not len(mem) or not self.voltages:
            none = x.new_zeros(len(x), len(mem))
            return none, none
        done = len(self.voltages)
        by = self.integral[1 : done + 1].flip(0)[:, None, None], self.derivative[1 : done + 1].flip(0)[:, None, None]
        half = self.h**0.5 * (by[0] * torch.stack(self.voltages)).sum(0)
        return half, self.h**-0.5 * (by[1] * mem.value(torch.stack(self.halves))).sum(0)

    def _remember(self, middle: Tensor, past: tuple[Tensor, Tensor]) -> None:
        mem = self.network.memristors
        if len(mem):
            self.voltages.append(self.network.across(mem, middle))
            self.halves.append(self.h**0.5 * self.voltages[-1] + past[0])
