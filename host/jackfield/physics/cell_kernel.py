"""The compiled loop behind `cell_response`: one edge between two capacitors, a row of numbers each.

Columns of a row: the law's three parameters, knee, 1/saturation, offset, then for source and destination
in turn v(0), 1/capacitance, leak, injection, and the step.
"""

from functools import lru_cache
from typing import Any

import numpy as np
from numba.extending import register_jitable

from jackfield.physics.edge_laws import limited, limited_slopes
from jackfield.physics.edge_loops import Array, source_stamp
from jackfield.physics.laws import LAWS
from jackfield.physics.node_loops import compiled

COLUMNS = 15
PARAMETERS = 3
_V, _INVERSE, _LEAK, _INTO, _H = 6, 8, 10, 12, 14  # first of two columns each, but the step


@lru_cache
def cell_loops(name: str) -> tuple[Any, Any]:
    """`respond(table, after, steps, square, weights)` fills after [row, 2];
    `pull_back(table, cotangent, gradient, steps, square, weights)` fills gradient [row, column]."""
    law = LAWS[name]
    current, slopes = register_jitable(law.scalar_current), register_jitable(law.scalar_slopes)
    return _respond_loop(current, source_stamp(name)), _pull_back_loop(current, slopes, source_stamp(name))


@register_jitable
def _stage_state(v: Array, slopes: Array, weights: Array, count: int, h: Any, y: Array) -> None:
    for end in range(2):
        total = type(h)(0.0)
        for stage in range(count):
            total += weights[stage] * slopes[stage, end]
        y[end] = v[end] + h * total


@register_jitable
def _stage_slopes(row: Array, y: Array, i: Any, slopes: Array) -> None:
    slopes[0] = row[_INVERSE] * (row[_INTO] - row[_LEAK] * y[0] - i)
    slopes[1] = row[_INVERSE + 1] * (row[_INTO + 1] - row[_LEAK + 1] * y[1] + i)


def _respond_loop(current: Any, stamp: int) -> Any:
    def respond(table: Array, after: Array, steps: int, square: Array, weights: Array) -> None:
        stamp  # noqa: B018  as in edge_loops.py
        slopes, y = np.empty((len(weights), 2), table.dtype), np.empty(2, table.dtype)
        for k in range(len(table)):
            row, v = table[k], after[k]
            v[:] = row[_V : _V + 2]
            for _ in range(steps):
                for stage in range(len(weights)):
                    _stage_state(v, slopes, square[stage], stage, row[_H], y)
                    i = limited(current(y[0], y[1], row[0], row[1], row[2], row[3]), row[4]) + row[5]
                    _stage_slopes(row, y, i, slopes[stage])
                _stage_state(v, slopes, weights, len(weights), row[_H], v)

    return compiled(respond)


def _pull_back_loop(current: Any, slopes_of: Any, stamp: int) -> Any:
    def pull_back(table: Array, cotangent: Array, gradient: Array, steps: int, square: Array, weights: Array) -> None:
        stamp  # noqa: B018  as in edge_loops.py
        count = len(weights)
        tape = np.empty((steps, count, 2, 2), table.dtype)  # state and slope of every stage
        v, y, slopes = np.empty(2, table.dtype), np.empty(2, table.dtype), np.empty((count, 2), table.dtype)
        w, back = np.empty((count, 2), table.dtype), np.empty(2, table.dtype)
        for k in range(len(table)):
            row, out = table[k], gradient[k]
            v[:], back[:], out[:] = row[_V : _V + 2], cotangent[k], type(row[0])(0.0)
            for step in range(steps):
                for stage in range(count):
                    _stage_state(v, slopes, square[stage], stage, row[_H], y)
                    i = limited(current(y[0], y[1], row[0], row[1], row[2], row[3]), row[4]) + row[5]
                    _stage_slopes(row, y, i, slopes[stage])
                    tape[step, stage, 0], tape[step, stage, 1] = y, slopes[stage]
                _stage_state(v, slopes, weights, count, row[_H], v)
            for step in range(steps - 1, -1, -1):
                for stage in range(count - 1, -1, -1):
                    _reverse_stage(row, out, tape[step, stage], back, w, stage, square, weights)
                    _reverse_edge(row, out, tape[step, stage, 0], w[stage])
                for stage in range(count):
                    back += w[stage]
            out[_V : _V + 2] = back

    @register_jitable
    def _reverse_edge(row: Array, out: Array, y: Array, w: Array) -> None:
        """`w` comes as the cotangents of the two node currents and leaves as those of y."""
        weight = w[1] - w[0]
        i = current(y[0], y[1], row[0], row[1], row[2], row[3])
        by_i, by_inverse = limited_slopes(i, row[4])
        out[4] += weight * by_inverse
        out[5] += weight
        weight *= by_i
        by_s, by_d, by_0, by_1, by_2, by_knee = slopes_of(y[0], y[1], row[0], row[1], row[2], row[3], weight)
        out[0] += by_0
        out[1] += by_1
        out[2] += by_2
        out[3] += by_knee
        w[0] = by_s - row[_LEAK] * w[0]
        w[1] = by_d - row[_LEAK + 1] * w[1]

    return compiled(pull_back)


@register_jitable
def _reverse_stage(
    row: Array, out: Array, tape: Array, back: Array, w: Array, stage: int, square: Array, weights: Array
) -> None:
    """Fills w[stage] with the cotangents of the two node currents; adds what is not of the edge."""
    y, slopes = tape[0], tape[1]
    for end in range(2):
        use = weights[stage] * back[end]
        for later in range(stage + 1, len(weights)):
            use += square[later, stage] * w[later, end]
        inverse = row[_INVERSE + end]
        out[_H] += use * slopes[end]
        out[_INVERSE + end] += use * row[_H] * slopes[end] / inverse
        weight = use * row[_H] * inverse
        out[_INTO + end] += weight
        out[_LEAK + end] -= weight * y[end]
        w[stage, end] = weight
