"""A law as the loops over edges see it: current and slopes of one edge at a vector of samples."""

import math
from dataclasses import dataclass
from typing import Any

from numba.extending import register_jitable

from jackfield.physics.laws import LAWS
from jackfield.physics.vector import Vec

IMPERFECT_COLUMNS = 3  # knee, 1/saturation, offset


@register_jitable
def limited(i: Any, inverse: Any) -> Any:
    """i/(1 + (i inverse)^4)^(1/4)."""
    square = (i * inverse) * (i * inverse)
    return i / math.sqrt(math.sqrt(1.0 + square * square))


@register_jitable
def limited_slopes(i: Any, inverse: Any) -> tuple[Any, Any]:
    """Partials of `limited` to i and to inverse."""
    u = i * inverse
    fourth = 1.0 + (u * u) * (u * u)
    by_i = 1.0 / (fourth * math.sqrt(math.sqrt(fourth)))
    return by_i, -by_i * u * u * u * i * i


@dataclass(frozen=True)
class Form:
    """What a pair of loops is compiled for."""

    law: str
    imperfect: bool
    real: Any
    spread: bool

    @property
    def parameters(self) -> int:
        return len(LAWS[self.law].parameters)

    @property
    def columns(self) -> int:
        return self.parameters + (IMPERFECT_COLUMNS if self.imperfect else 0)

    def vec(self, size: int) -> Vec:
        return Vec(self.real, size * 8 // self.real.bitwidth)


def column_reader(form: Form, load: Any) -> Any:
    """`columns(table, edge, width, lane)`: the parameters of an edge, a tuple of numbers, of vectors where spread."""
    count = form.columns
    if form.spread:
        read = register_jitable(lambda table, e, c, width, k: load(table, (e * count + c) * width + k))
    else:
        read = register_jitable(lambda table, e, c, width, k: table[e * count + c])
    return register_jitable(
        {
            1: lambda t, e, w, k: (read(t, e, 0, w, k),),
            2: lambda t, e, w, k: (read(t, e, 0, w, k), read(t, e, 1, w, k)),
            3: lambda t, e, w, k: (read(t, e, 0, w, k), read(t, e, 1, w, k), read(t, e, 2, w, k)),
            4: lambda t, e, w, k: (
                read(t, e, 0, w, k), read(t, e, 1, w, k), read(t, e, 2, w, k), read(t, e, 3, w, k),
            ),
            5: lambda t, e, w, k: (
                read(t, e, 0, w, k), read(t, e, 1, w, k), read(t, e, 2, w, k), read(t, e, 3, w, k),
                read(t, e, 4, w, k),
            ),
            6: lambda t, e, w, k: (
                read(t, e, 0, w, k), read(t, e, 1, w, k), read(t, e, 2, w, k), read(t, e, 3, w, k),
                read(t, e, 4, w, k), read(t, e, 5, w, k),
            ),
        }[count]
    )  # fmt: skip


def law_functions(form: Form) -> tuple[Any, Any]:
    """`current(v_s, v_d, columns)` and `slopes(v_s, v_d, columns, weight)`: weight times the partials to v_s, v_d and
    the columns, as (by_s, by_d, (by column, ...))."""
    law, count = LAWS[form.law], form.parameters
    law_current, law_slopes = register_jitable(law.scalar_current), register_jitable(law.scalar_slopes)
    knee_at, limit_at, offset_at = count, count + 1, count + 2
    second, third = min(1, count - 1), min(2, count - 1)  # what a law does not have it does not use

    @register_jitable
    def perfect(v_s: Any, v_d: Any, p: Any) -> Any:
        return law_current(v_s, v_d, p[0], p[second], p[third], None)

    @register_jitable
    def perfect_slopes(v_s: Any, v_d: Any, p: Any, weight: Any) -> Any:
        by_s, by_d, by_0, by_1, by_2, _ = law_slopes(v_s, v_d, p[0], p[second], p[third], None, weight)
        return by_s, by_d, (by_0, by_1, by_2)

    @register_jitable
    def imperfect(v_s: Any, v_d: Any, p: Any) -> Any:
        i = law_current(v_s, v_d, p[0], p[second], p[third], p[knee_at])
        return limited(i, p[limit_at]) + p[offset_at]

    @register_jitable
    def imperfect_slopes(v_s: Any, v_d: Any, p: Any, weight: Any) -> Any:
        i = law_current(v_s, v_d, p[0], p[second], p[third], p[knee_at])
        by_i, by_limit = limited_slopes(i, p[limit_at])
        by_s, by_d, by_0, by_1, by_2, by_knee = law_slopes(
            v_s, v_d, p[0], p[second], p[third], p[knee_at], weight * by_i
        )
        return by_s, by_d, _with_cell((by_0, by_1, by_2), (by_knee, weight * by_limit, weight))

    _with_cell = register_jitable(
        {
            1: lambda law, cell: (law[0], cell[0], cell[1], cell[2]),
            2: lambda law, cell: (law[0], law[1], cell[0], cell[1], cell[2]),
            3: lambda law, cell: (law[0], law[1], law[2], cell[0], cell[1], cell[2]),
        }[count]
    )
    return (imperfect, imperfect_slopes) if form.imperfect else (perfect, perfect_slopes)
