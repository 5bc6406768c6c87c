"""A circuit's run together with how it scales volumes: the exact trace of its Jacobian, integrated.

d(log volume)/dt = trace of d(dv/dt)/dv, Liouville's formula. In torch, through the laws' partials: for the few
nodes of a density model this is memory-bound either way, and autograd gives the second partials.
"""

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from jackfield.errors import DesignError
from jackfield.physics.circuit import Circuit, EdgeSet, Slice
from jackfield.physics.tableau import TABLEAUS


def integrate_with_trace(circuit: Circuit, v0: Tensor, *, steps: int) -> tuple[Tensor, Tensor]:
    """v(T) [batch, node] from `v0` [batch, node], and the integral of the trace of d(dv/dt)/dv [batch].

    Each slice takes `steps` steps of the 3/8 rule, the integral by the same rule. Differentiable to `v0` and every
    tensor of the circuit. Raises DesignError where `v0` does not fit, or where rails, imperfect cells or injection
    are asked: densities are those of the circuit alone.
    """
    if v0.dim() != 2 or v0.shape[1] != circuit.nodes or v0.dtype != circuit.dtype or steps < 1:
        raise DesignError(
            f"v0 is {v0.dtype} {tuple(v0.shape)}, {steps} steps; give {circuit.dtype} [batch, {circuit.nodes}] and 1 "
            "step or more"
        )
    parts = [_Field(circuit, part) for part in circuit.slices]
    v, growth = v0, torch.zeros_like(v0[:, 0])
    for part, field in zip(circuit.slices, parts, strict=True):
        for _ in range(steps):
            v, growth = _step(field, v, growth, part.duration / steps)
    return v, growth


def _step(field: "_Field", v: Tensor, growth: Tensor, h: float) -> tuple[Tensor, Tensor]:
    rule = TABLEAUS["rk4"]
    slopes: list[Tensor] = []
    for row, weight in zip(rule.stages, rule.weights, strict=True):
        stage = v + sum((h * share) * slope for share, slope in zip(row, slopes, strict=True)) if row else v
        slope, trace = field(stage)
        slopes.append(slope)
        growth = growth + (h * weight) * trace
    return v + sum((h * weight) * slope for weight, slope in zip(rule.weights, slopes, strict=True)), growth


class _Field:
    """dv/dt and its trace in one slice."""

    def __init__(self, circuit: Circuit, part: Slice) -> None:
        imperfect = any(edges.imperfection is not None for edges in part.edges)
        if circuit.rails is not None or part.injection is not None or imperfect:
            raise DesignError("a trace of railed nodes, injection or imperfect cells is asked; give the bare circuit")
        self._edges = part.edges
        self._inverse = 1 / circuit.capacitance
        self._leak = circuit.leak * self._inverse
        self._ends = [_ends(edges, circuit) for edges in part.edges]

    def __call__(self, v: Tensor) -> tuple[Tensor, Tensor]:
        slope = -self._leak * v
        trace = -self._leak.sum().expand(len(v))
        for edges, (source, destination) in zip(self._edges, self._ends, strict=True):
            v_s, v_d = v @ source, v @ destination
            current = edges.element_law.current(v_s, v_d, edges.parameters)
            partials = edges.element_law.first_partials(v_s, v_d, edges.parameters)
            slope = slope + (current @ (destination - source).T) * self._inverse
            trace = trace + partials["v_d"] @ (self._inverse @ destination)
            trace = trace - partials["v_s"] @ (self._inverse @ source)
        return slope, trace


def _ends(edges: EdgeSet, circuit: Circuit) -> tuple[Tensor, Tensor]:
    """0/1 matrices [node, edge] of each edge's source and destination; ground has no row."""
    source, destination = (one_hot(ends, circuit.nodes + 1)[:, 1:] for ends in (edges.source, edges.destination))
    return source.T.to(circuit.dtype), destination.T.to(circuit.dtype)
