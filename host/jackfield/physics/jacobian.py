"""Slopes of Kirchhoff's law: what each node voltage does to each node's current."""

import torch
from torch import Tensor

from jackfield.physics.circuit import Circuit


def jacobian(circuit: Circuit, slice_index: int, v: Tensor) -> Tensor:
    """d(current into node n)/dv_m `[sample, n, m]` at `v` `[sample, node]`, imperfections included.

    Symmetric where every edge is reciprocal.
    """
    count = circuit.nodes + 1
    potentials = torch.cat([torch.zeros_like(v[:, :1]), v.detach()], dim=-1)
    matrix = v.new_zeros(len(v), count * count)
    for edges in circuit.slices[slice_index].edges:
        s, d = edges.source, edges.destination
        with torch.enable_grad():
            v_s, v_d = potentials[:, s].requires_grad_(), potentials[:, d].requires_grad_()
            parameters = {name: value.detach() for name, value in edges.parameters.items()}
            i = edges.element_law.current(v_s, v_d, parameters, edges.imperfection)
            by_s, by_d = torch.autograd.grad(i.sum(), (v_s, v_d))
        for row, sign in ((s, -1.0), (d, 1.0)):
            matrix = matrix.index_add(1, row * count + s, sign * by_s).index_add(1, row * count + d, sign * by_d)
    full = matrix.reshape(len(v), count, count)[:, 1:, 1:]
    return full - torch.diag(circuit.leak.detach())
