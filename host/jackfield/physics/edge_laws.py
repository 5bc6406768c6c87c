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


def _reader(form: Form, load: Any) -> Any:
    """`read(table, edge, column, width, lane)`: a parameter, a number or a vector of them."""
    columns = form.columns
    if form.spread:
        return register_jitable(lambda table, e, c, width, k: load(table, (e * columns + c) * width + k))
    return register_jitable(lambda table, e, c, width, k: table[e * columns + c])


def law_functions(form: Form, load: Any) -> tuple[Any, Any]:
    """`current(v_s, v_d, table, edge, width, lane)` and `slopes(..., weight)`: weight times the partials to v_s, v_d
    and the columns, as (by_s, by_d, (by column, ...))."""
    law, read, count = LAWS[form.law], _reader(form, load), form.parameters
    law_current, law_slopes = register_jitable(law.scalar_current), register_jitable(law.scalar_slopes)
    knee_at, limit_at, offset_at = count, count + 1, count + 2
    second, third = min(1, count - 1), min(2, count - 1)  # what a law does not have it does not use

    @register_jitable
    def perfect(v_s: Any, v_d: Any, table: Any, e: int, width: int, k: int) -> Any:
        p0, p1, p2 = read(table, e, 0, width, k), read(table, e, second, width, k), read(table, e, third, width, k)
        return law_current(v_s, v_d, p0, p1, p2, None)

    @register_jitable
    def perfect_slopes(v_s: Any, v_d: Any, table: Any, e: int, width: int, k: int, weight: Any) -> Any:
        p0, p1, p2 = read(table, e, 0, width, k), read(table, e, second, width, k), read(table, e, third, width, k)
        by_s, by_d, by_0, by_1, by_2, _ = law_slopes(v_s, v_d, p0, p1, p2, None, weight)
        return by_s, by_d, (by_0, by_1, by_2)

    @register_jitable
    def before_limit(v_s: Any, v_d: Any, table: Any, e: int, width: int, k: int) -> Any:
        p0, p1, p2 = read(table, e, 0, width, k), read(table, e, second, width, k), read(table, e, third, width, k)
        return law_current(v_s, v_d, p0, p1, p2, read(table, e, knee_at, width, k))

    @register_jitable
    def imperfect(v_s: Any, v_d: Any, table: Any, e: int, width: int, k: int) -> Any:
        i = before_limit(v_s, v_d, table, e, width, k)
        return limited(i, read(table, e, limit_at, width, k)) + read(table, e, offset_at, width, k)

    @register_jitable
    def imperfect_slopes(v_s: Any, v_d: Any, table: Any, e: int, width: int, k: int, weight: Any) -> Any:
        p0, p1, p2 = read(table, e, 0, width, k), read(table, e, second, width, k), read(table, e, third, width, k)
        i = before_limit(v_s, v_d, table, e, width, k)
        by_i, by_limit = limited_slopes(i, read(table, e, limit_at, width, k))
        by_s, by_d, by_0, by_1, by_2, by_knee = law_slopes(
            v_s, v_d, p0, p1, p2, read(table, e, knee_at, width, k), weight * by_i
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
