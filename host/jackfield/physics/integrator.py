"""Runs a circuit with fixed steps; gradients are exactly those of the steps that ran."""

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from jackfield.errors import DesignError
from jackfield.physics.circuit import Circuit, EdgeSet, Waveform
from jackfield.physics.job import gradients, run
from jackfield.physics.layout import Job, Plan
from jackfield.physics.noise import Noise
from jackfield.physics.tableau import TABLEAUS
from jackfield.physics.tiles import Tiling


def integrate(
    circuit: Circuit,
    v0: Tensor,
    *,
    steps: int | tuple[int, ...],
    method: str = "rk4",
    snapshots: int = 1,
    noise: Noise | None = None,
) -> Tensor:
    """States [slices * snapshots, batch, node] from `v0` [batch, node], the last one being v(T).

    Each slice takes `steps` equal steps (or its own entry of a tuple) of "rk4" (the 3/8 rule) or "heun"
    and gives `snapshots` states at equally spaced times, its end included. Where tensors of the circuit have a
    leading board axis, `v0` is [board, batch, node] and the states are [..., board, batch, node].
    At a rail a node rests while its current would drive it on; stages and steps that pass a rail are cut to it.
    `noise` takes "heun": its currents are constant during a step, which makes it stochastic Heun.
    Differentiable once to v0 and every tensor of the circuit (not to noise densities); held nodes pass no gradient.
    A sample's result does not depend on its batch, nor any bit on torch.get_num_threads().
    Raises DesignError on steps that snapshots do not divide, an unknown method, a v0 of other shape or dtype.
    """
    plan = _plan(circuit, steps, method, snapshots, noise)
    _check_start(circuit, v0)
    apply = cast(Callable[..., Tensor], _Integration.apply)
    boards, batch = (v0.shape[0] if v0.dim() == 3 else 1), v0.shape[-2]
    full = (boards, batch, circuit.nodes)
    rate = 1 / circuit.capacitance
    if circuit.clamped:
        rate = rate.index_fill(-1, torch.tensor(circuit.clamped) - 1, 0.0)
    injections = [_injection(part.injection, full, v0.dim() == 3) for part in circuit.slices]
    tables = [_table(edges) for part in circuit.slices for edges in part.edges]
    nodes = (v0.reshape(full), rate, circuit.leak)
    states = apply(plan, boards > 1 and batch == 1, *nodes, *injections, *tables)
    return states.reshape(len(states), *v0.shape)


def _plan(circuit: Circuit, steps: int | tuple[int, ...], method: str, snapshots: int, noise: Noise | None) -> Plan:
    if method not in TABLEAUS:
        raise DesignError(f"method {method!r} is not known; use one of {', '.join(TABLEAUS)}")
    if noise is not None and method != "heun":
        raise DesignError(f"noise with method {method!r} has no meaning; use method='heun'")
    counts = (steps,) * len(circuit.slices) if isinstance(steps, int) else steps
    if len(counts) != len(circuit.slices):
        raise DesignError(f"steps {steps} for {len(circuit.slices)} slices; give one number, or one each")
    if snapshots < 1 or any(count < 1 or count % snapshots for count in counts):
        raise DesignError(f"steps {steps} with {snapshots} snapshots a slice; give multiples of the snapshots")
    return Plan(circuit, TABLEAUS[method], counts, snapshots, noise, torch.is_grad_enabled())


def _check_start(circuit: Circuit, v0: Tensor) -> None:
    wanted, boards = f"[batch, {circuit.nodes}]", circuit.boards
    fits = v0.dim() == 2 or (v0.dim() == 3 and boards is None)
    if boards is not None:
        wanted, fits = f"[{boards} boards, batch, {circuit.nodes}]", v0.dim() == 3 and v0.shape[0] == boards
    if not fits or v0.shape[-1] != circuit.nodes or v0.dtype != circuit.dtype:
        raise DesignError(f"v0 is {v0.dtype} {tuple(v0.shape)}; give {circuit.dtype} {wanted} to this circuit")


def _injection(injection: Tensor | Waveform | None, full: tuple[int, ...], boards: bool) -> Tensor:
    """[point, board, batch, node]; no points where there is none."""
    if injection is None:
        return torch.zeros((0, *full))
    points = injection.points if isinstance(injection, Waveform) else injection[None]
    if points.dim() == 3:
        points = points[:, :, None] if boards else points[:, None]
    shape = points.shape if points.dim() == 4 else (len(points), 1, 1, full[-1])
    wanted = (len(points), *full)
    if any(have not in (1, want) for have, want in zip(shape, wanted, strict=True)):
        raise DesignError(
            f"injection {tuple(points.shape)} does not fit the samples {full[:-1]}; give one for all, one for each "
            "board or one for each sample"
        )
    return points.reshape(shape).expand(wanted)


def _table(edges: EdgeSet) -> Tensor:
    """Parameters of the edges as the kernel reads them, [..., edge, column]."""
    columns = [edges.parameters[name] for name in edges.element_law.parameter_names]
    if edges.imperfection is not None:
        cell = edges.imperfection
        columns += [value.to(columns[0].dtype) for value in (cell.knee, 1 / cell.saturation, cell.offset)]
    shape = np.broadcast_shapes(*(tuple(column.shape) for column in columns))
    return torch.stack([column.expand(shape) for column in columns], dim=-1)


class _Integration(torch.autograd.Function):
    """plan, spread, v0 [board, batch, node], 1/capacitance, leak, injections, tables -> states [snapshot, ...]."""

    @staticmethod
    def forward(ctx: Any, plan: Plan, spread: bool, v0: Tensor, *tensors: Tensor) -> Tensor:
        boards, batch, count = v0.shape
        groups, rows = (1, boards) if spread else (boards, batch)
        arrays = [x.detach().contiguous().numpy() for x in (v0, *tensors)]
        slices = len(plan.circuit.slices)
        start, inverse, leak, *injections = arrays[: 3 + slices]
        by_row = [x.reshape(len(x), groups, rows, count) for x in injections]
        tiling = Tiling.of(groups, rows, count, v0.element_size())
        nodes = (start.reshape(groups, rows, count), inverse, leak)
        job = Job(plan, tiling, spread, *nodes, tuple(by_row), tuple(arrays[3 + slices :]))
        keep = plan.keep and any(ctx.needs_input_grad)
        states, tapes = run(job, keep)
        if keep:
            ctx.kept = (job, tapes)
        return torch.from_numpy(states.reshape(len(states), boards, batch, count))

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, cotangents: Tensor) -> tuple[Tensor | None, ...]:
        job, tapes = ctx.kept
        shape = cotangents.shape[1:]
        nodes, injections, tables = gradients(job, tapes, cotangents.contiguous().numpy())
        found = [torch.from_numpy(x).reshape(y) for x, y in zip(nodes, (shape, *job.node_shapes), strict=True)]
        found += [torch.from_numpy(x).reshape(len(x), *shape) for x in injections]
        return (None, None, *found, *(torch.from_numpy(x) for x in tables))
