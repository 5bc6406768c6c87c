"""One cell between two capacitors, for thousands of cells at once: what calibration measures."""

from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from jackfield.errors import DesignError
from jackfield.physics.cell_kernel import PARAMETERS, cell_loops
from jackfield.physics.edge_loops import Array
from jackfield.physics.laws import ElementLaw, Imperfection
from jackfield.physics.tableau import TABLEAUS
from jackfield.physics.threads import in_threads, parts


def cell_response(
    law: ElementLaw,
    params: Mapping[str, Tensor],
    imperfection: Imperfection | None,
    v_s0: Tensor,
    v_d0: Tensor,
    c_s: Tensor,
    c_d: Tensor,
    leak_s: Tensor,
    leak_d: Tensor,
    inj_s: Tensor,
    inj_d: Tensor,
    duration: Tensor | float,
    steps: int,
) -> tuple[Tensor, Tensor]:
    """Voltages (v_s, v_d) after `duration` of a single edge from node s to node d.

    All tensors broadcast, any consistent units (SI in calibration); computed in v_s0's dtype, float64
    advised. c: capacitance, leak: conductance to ground, inj: current into the node. RK4 (3/8 rule), no
    rails. Differentiable once to everything; since rows are independent, the gradient of a sum to
    parameters that were expanded to one per row is the whole Jacobian.
    """
    if steps < 1:
        raise DesignError(f"a response of {steps} steps is not possible; take at least 1")
    cell = imperfection or Imperfection()
    values = [params[name] for name in law.parameter_names]
    values += [torch.zeros(())] * (PARAMETERS - len(values))
    values += [cell.knee, 1 / cell.saturation, cell.offset, v_s0, v_d0, 1 / c_s, 1 / c_d]
    values += [leak_s, leak_d, inj_s, inj_d, torch.as_tensor(duration, dtype=v_s0.dtype) / steps]
    shape = np.broadcast_shapes(*(tuple(value.shape) for value in values))
    table = torch.stack([value.to(v_s0.dtype).expand(shape) for value in values], dim=-1)
    apply = cast(Callable[..., Tensor], _Response.apply)
    after = apply(law.name, steps, table)
    return after[..., 0], after[..., 1]


class _Response(torch.autograd.Function):
    """law, steps, table [..., column] -> voltages [..., 2]."""

    @staticmethod
    def forward(ctx: Any, law: str, steps: int, table: Tensor) -> Tensor:
        flat = np.ascontiguousarray(table.detach().numpy().reshape(-1, table.shape[-1]))
        after = np.empty((len(flat), 2), flat.dtype)
        respond, _ = cell_loops(law)
        square, weights = _rule(flat)
        in_threads(lambda part: respond(flat[part], after[part], steps, square, weights), parts(len(flat)))
        ctx.kept = (law, steps, flat)
        return torch.from_numpy(after.reshape(*table.shape[:-1], 2))

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, cotangent: Tensor) -> tuple[None, None, Tensor]:
        law, steps, flat = ctx.kept
        given = np.ascontiguousarray(cotangent.numpy().reshape(-1, 2))
        gradient = np.empty_like(flat)
        _, pull_back = cell_loops(law)
        square, weights = _rule(flat)
        in_threads(
            lambda part: pull_back(flat[part], given[part], gradient[part], steps, square, weights),
            parts(len(flat)),
        )
        return None, None, torch.from_numpy(gradient.reshape(*cotangent.shape[:-1], -1))


def _rule(table: Array) -> tuple[Array, Array]:
    square, weights, _ = TABLEAUS["rk4"].arrays(table.dtype)
    return square, weights
