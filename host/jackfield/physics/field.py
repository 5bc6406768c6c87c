"""Kirchhoff's current law in torch: the plain form of what the kernel computes, and its oracle."""

from collections.abc import Callable

import torch
from torch import Tensor

from jackfield.physics.circuit import Circuit, Waveform
from jackfield.physics.laws import Imperfection


def node_currents(circuit: Circuit, slice_index: int, v: Tensor, fraction: float = 0.0) -> Tensor:
    """Currents into every capacitor [..., 1 + node], ground's return current first.

    `v` is [..., node], with boards [..., board, batch, node]; `fraction` of the slice has passed.
    Edges, leak and injection are all counted, so each row sums to zero.
    """
    part = circuit.slices[slice_index]
    leak = _rows(circuit.leak) * v
    injection = _injection(part.injection, circuit, fraction).expand_as(v)
    ground = torch.zeros_like(v[..., :1])
    to_ground = (leak - injection).sum(-1, keepdim=True)
    currents = torch.cat([to_ground, injection - leak], dim=-1)
    potentials = torch.cat([ground, v], dim=-1)
    for edges in part.edges:
        cell = edges.imperfection
        i = edges.element_law.current(
            potentials[..., edges.source],
            potentials[..., edges.destination],
            {name: _rows(value) for name, value in edges.parameters.items()},
            None if cell is None else Imperfection(_rows(cell.knee), _rows(cell.saturation), _rows(cell.offset)),
        )
        currents = currents.index_add(-1, edges.destination, i).index_add(-1, edges.source, -i)
    return currents


def _rows(value: Tensor) -> Tensor:
    """[board, x] as [board, 1, x], ready for samples."""
    return value[:, None] if value.dim() == 2 else value


def _injection(injection: Tensor | Waveform | None, circuit: Circuit, fraction: float) -> Tensor:
    """The injected currents at a time, ready for samples."""
    if injection is None:
        return torch.zeros_like(circuit.leak[..., :1])
    if isinstance(injection, Waveform):
        place = fraction * (len(injection.points) - 1)
        point = min(int(place), len(injection.points) - 2)
        injection = torch.lerp(injection.points[point], injection.points[point + 1], place - point)
    return _rows(injection) if circuit.boards is not None else injection


def vector_field(circuit: Circuit, slice_index: int) -> Callable[[Tensor, Tensor], Tensor]:
    """dv/dt of a slice as f(t, v), v [..., node], t from the start of the slice; rails are not in it."""
    free = torch.ones_like(circuit.leak)
    free[..., [node - 1 for node in circuit.clamped]] = 0
    rate, part = _rows(free / circuit.capacitance), circuit.slices[slice_index]

    def field(t: Tensor, v: Tensor) -> Tensor:
        fraction = float(t) / part.duration if isinstance(part.injection, Waveform) else 0.0
        return node_currents(circuit, slice_index, v, fraction)[..., 1:] * rate

    return field


def kirchhoff_residual(circuit: Circuit, slice_index: int, v: Tensor) -> Tensor:
    """Sum of the currents into all nodes and ground [...]; zero up to rounding."""
    return node_currents(circuit, slice_index, v).sum(-1)
