"""Kirchhoff's current law in torch: the plain form of what the kernel computes, and its oracle."""

from collections.abc import Callable

import torch
from torch import Tensor

from jackfield.physics.circuit import Circuit


def node_currents(circuit: Circuit, slice_index: int, v: Tensor) -> Tensor:
    """Currents into every capacitor [..., 1 + node], ground's return current first.

    `v` is [..., node]. Edges, leak and injection are all counted, so each row sums to zero.
    """
    part = circuit.slices[slice_index]
    leak = circuit.leak * v
    injection = torch.zeros_like(circuit.leak) if part.injection is None else part.injection
    ground = torch.zeros_like(v[..., :1])
    to_ground = (leak - injection).sum(-1, keepdim=True)
    currents = torch.cat([to_ground, injection - leak], dim=-1)
    potentials = torch.cat([ground, v], dim=-1)
    for edges in part.edges:
        i = edges.element_law.current(
            potentials[..., edges.source],
            potentials[..., edges.destination],
            edges.parameters,
            edges.imperfection,
        )
        currents = currents.index_add(-1, edges.destination, i).index_add(-1, edges.source, -i)
    return currents


def vector_field(circuit: Circuit, slice_index: int) -> Callable[[Tensor, Tensor], Tensor]:
    """dv/dt of a slice as f(t, v), v [..., node]; rails are not in it (they act after each step)."""

    def field(_t: Tensor, v: Tensor) -> Tensor:
        return node_currents(circuit, slice_index, v)[..., 1:] / circuit.capacitance

    return field


def kirchhoff_residual(circuit: Circuit, slice_index: int, v: Tensor) -> Tensor:
    """Sum of the currents into all nodes and ground [...]; zero up to rounding."""
    return node_currents(circuit, slice_index, v).sum(-1)
