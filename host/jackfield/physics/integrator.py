"""Runs a circuit with fixed steps; gradients are exactly those of the steps that ran."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from jackfield.errors import DesignError
from jackfield.physics.circuit import Circuit, EdgeSet
from jackfield.physics.kernel import COLUMNS, PARAMETERS, law_kernel
from jackfield.physics.march import (
    CircuitArrays,
    EdgeArrays,
    Gradients,
    SliceArrays,
    march,
    march_back,
    tiled,
    untiled,
)
from jackfield.physics.tableau import TABLEAUS, Tableau
from jackfield.physics.threads import in_threads, parts


def integrate(
    circuit: Circuit,
    v0: Tensor,
    *,
    steps: int | tuple[int, ...],
    method: str = "rk4",
    snapshots: int = 1,
) -> Tensor:
    """States [slices * snapshots, batch, node] from `v0` [batch, node], the last one being v(T).

    Each slice takes `steps` equal steps (or its own entry of a tuple) of "rk4" (the 3/8 rule) or "heun"
    and gives `snapshots` states at equally spaced times, its end included. Rails clamp after each step.
    Differentiable once to v0 and every tensor of the circuit; where a rail clamped, the gradient is zero.
    A sample's result does not depend on its batch, nor any bit on torch.get_num_threads().
    Raises DesignError on steps that snapshots do not divide, an unknown method, a v0 of other shape or dtype.
    """
    plan = _plan(circuit, steps, method, snapshots)
    if v0.dim() != 2 or v0.shape[1] != circuit.nodes or v0.dtype != circuit.dtype:
        raise DesignError(
            f"v0 is {v0.dtype} {tuple(v0.shape)}; give {circuit.dtype} [batch, {circuit.nodes}] to this circuit"
        )
    injections = [
        torch.zeros_like(circuit.leak) if part.injection is None else part.injection for part in circuit.slices
    ]
    tables = [_table(edges) for part in circuit.slices for edges in part.edges]
    apply = cast(Callable[..., Tensor], _Integration.apply)
    return apply(plan, v0, 1 / circuit.capacitance, circuit.leak, *injections, *tables)


@dataclass(frozen=True)
class _Plan:
    """What is not a tensor with a gradient; `keep` is whether a tape is wanted."""

    circuit: Circuit
    tableau: Tableau
    steps: tuple[int, ...]
    snapshots: int
    keep: bool


def _plan(circuit: Circuit, steps: int | tuple[int, ...], method: str, snapshots: int) -> _Plan:
    if method not in TABLEAUS:
        raise DesignError(f"method {method!r} is not known; use one of {', '.join(TABLEAUS)}")
    counts = (steps,) * len(circuit.slices) if isinstance(steps, int) else steps
    if len(counts) != len(circuit.slices):
        raise DesignError(f"steps {steps} for {len(circuit.slices)} slices; give one number, or one each")
    if snapshots < 1 or any(count < 1 or count % snapshots for count in counts):
        raise DesignError(f"steps {steps} with {snapshots} snapshots a slice; give multiples of the snapshots")
    return _Plan(circuit, TABLEAUS[method], counts, snapshots, torch.is_grad_enabled())


def _table(edges: EdgeSet) -> Tensor:
    """Parameters of the edges as the kernel reads them, [edge, column]."""
    names = edges.element_law.parameter_names
    some = edges.parameters[names[0]]
    columns = [edges.parameters[name] for name in names]
    columns += [torch.zeros_like(some)] * (PARAMETERS - len(columns))
    if edges.imperfection is not None:
        cell = edges.imperfection
        extra = (cell.knee, 1 / cell.saturation, cell.offset)
        columns += [value.to(some.dtype).expand_as(some) for value in extra]
    return torch.stack(columns, dim=1)


class _Integration(torch.autograd.Function):
    """plan, v0, 1/capacitance, leak, an injection a slice, a table an edge set -> states."""

    @staticmethod
    def forward(ctx: Any, plan: _Plan, v0: Tensor, *tensors: Tensor) -> Tensor:
        arrays = _arrays(plan, [tensor.detach().numpy() for tensor in tensors])
        start = tiled(v0.detach().numpy())
        states = np.empty((len(arrays.slices) * plan.snapshots, *start.shape), start.dtype)
        keep = plan.keep and any(ctx.needs_input_grad)
        chunks = parts(len(start))
        tapes = in_threads(lambda c: march(arrays, start[c], states[:, c], keep), chunks)
        if keep:
            ctx.kept = (arrays, chunks, tapes, len(v0))
        return torch.from_numpy(untiled(states, len(v0)))

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, cotangents: Tensor) -> tuple[Tensor | None, ...]:
        arrays, chunks, tapes, batch = ctx.kept
        given = np.stack([tiled(part) for part in cotangents.contiguous().numpy()])
        gradients = [arrays.zero_gradients() for _ in chunks]
        starts = in_threads(
            lambda job: march_back(arrays, job[1], given[:, job[0]], job[2]),
            list(zip(chunks, tapes, gradients, strict=True)),
        )
        for other in gradients[1:]:
            gradients[0].add(other)
        by_v0 = torch.from_numpy(untiled(np.concatenate(starts), batch))
        return (None, by_v0, *_as_tensors(gradients[0]))


def _arrays(plan: _Plan, values: list[Any]) -> CircuitArrays:
    rest = iter(values[2:])
    injections = [np.pad(next(rest), (1, 0)) for _ in plan.circuit.slices]
    slices = []
    for part, steps, injection in zip(plan.circuit.slices, plan.steps, injections, strict=True):
        edges = tuple(_edge_arrays(edges, np.ascontiguousarray(next(rest))) for edges in part.edges)
        slices.append(SliceArrays(part.duration / steps, steps, steps // plan.snapshots, injection, edges))
    low, high = plan.circuit.rails or (-inf, inf)
    inverse, leak = (np.pad(value, (1, 0)) for value in values[:2])
    return CircuitArrays(plan.tableau, inverse, leak, low, high, tuple(slices))


def _edge_arrays(edges: EdgeSet, table: Any) -> EdgeArrays:
    kernel = law_kernel(edges.law, table.shape[1] == COLUMNS[True])
    source, destination = (ends.numpy().astype(np.int32) for ends in (edges.source, edges.destination))
    return EdgeArrays(kernel, source, destination, table)


def _as_tensors(gradients: Gradients) -> list[Tensor]:
    leak, inverse = sum(part[0] for part in gradients.nodes), sum(part[2] for part in gradients.nodes)
    nodes = [inverse, leak, *(part[1] for part in gradients.nodes)]
    tables = [table for part in gradients.tables for table in part]
    return [torch.from_numpy(values[1:].copy()) for values in nodes] + [torch.from_numpy(t) for t in tables]
