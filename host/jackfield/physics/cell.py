"""One cell between two capacitors, for thousands of cells at once: what calibration measures."""

from collections.abc import Mapping

from torch import Tensor

from jackfield.physics.laws import ElementLaw, Imperfection
from jackfield.physics.tableau import TABLEAUS


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

    All tensors broadcast, any consistent units (SI in calibration), float64 advised. c: capacitance,
    leak: conductance to ground, inj: current into the node. RK4 (3/8 rule), no rails; differentiable.
    """
    tableau = TABLEAUS["rk4"]
    h = duration / steps
    v_s, v_d = v_s0, v_d0
    for _ in range(steps):
        slopes: list[tuple[Tensor, Tensor]] = []
        for row in tableau.stages:
            y_s, y_d = _combine(v_s, v_d, h, row, slopes)
            i = law.current(y_s, y_d, params, imperfection)
            slopes.append(((inj_s - leak_s * y_s - i) / c_s, (inj_d - leak_d * y_d + i) / c_d))
        v_s, v_d = _combine(v_s, v_d, h, tableau.weights, slopes)
    return v_s, v_d


def _combine(
    v_s: Tensor,
    v_d: Tensor,
    h: Tensor | float,
    weights: tuple[float, ...],
    slopes: list[tuple[Tensor, Tensor]],
) -> tuple[Tensor, Tensor]:
    for weight, (k_s, k_d) in zip(weights, slopes, strict=True):
        v_s, v_d = v_s + h * weight * k_s, v_d + h * weight * k_d
    return v_s, v_d
