"""The compiled loops: a tile of LANES samples is the innermost axis, so that every edge is vector code.

Arrays are [tile, 1 + node, LANES]; row 0 is ground, whose voltage stays 0 and whose current is ignored.
A law's scalar functions are compiled into two loops over its edges, once for each law, form (perfect or
imperfect) and dtype, and kept in numba's cache between processes. `reassoc` makes sums over lanes vector
code; lanes themselves never mix, so a sample does not depend on its neighbours.
"""

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.extending import register_jitable
from numpy.typing import NDArray

from jackfield.physics.laws import LAWS, scalar

LANES = 32  # numba's cache of nodes.py does not see a change here: touch that file too
PARAMETERS = 3
COLUMNS = {False: PARAMETERS, True: PARAMETERS + 3}  # an imperfect edge adds knee, 1/saturation, offset

Array = NDArray[Any]
_F = TypeVar("_F", bound=Callable[..., Any])
_FAST = {"reassoc", "contract", "nsz", "arcp"}


def compiled(function: _F) -> _F:
    return cast(_F, numba.njit(nogil=True, cache=True, fastmath=_FAST, error_model="numpy")(function))


@dataclass(frozen=True)
class LawKernel:
    """`accumulate(y, current, source, destination, table)` adds the edges' currents at voltages y;
    `pull_back(y, q, w, gradient, source, destination, table)` adds to w and to the table's gradient what
    the cotangent q of the node currents means for y and for the table."""

    accumulate: Callable[[Array, Array, Array, Array, Array], None]
    pull_back: Callable[[Array, Array, Array, Array, Array, Array, Array], None]


@lru_cache
def law_kernel(name: str, imperfect: bool) -> LawKernel:
    """The loops of a law; compiled, or fetched from the cache, when first called with a dtype."""
    law = LAWS[name]
    current, slopes = register_jitable(law.scalar_current), register_jitable(law.scalar_slopes)
    return LawKernel(
        _accumulate_loop(current, imperfect, source_stamp()),
        _pull_back_loop(current, slopes, imperfect, source_stamp()),
    )


@lru_cache
def source_stamp() -> int:
    """Digest of this room's files; numba's cache alone would not see an edit outside a loop's own file."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return int.from_bytes(digest.digest()[:6], "big")


for _name in scalar.__all__:
    register_jitable(getattr(scalar, _name))


@register_jitable
def limited(i: Any, inverse: Any) -> Any:
    """i/(1 + (i inverse)^4)^(1/4)."""
    square = (i * inverse) * (i * inverse)
    return i / math.sqrt(math.sqrt(type(i)(1.0) + square * square))


@register_jitable
def limited_slopes(i: Any, inverse: Any) -> tuple[Any, Any]:
    """Partials of `limited` to i and to inverse."""
    u = i * inverse
    fourth = type(i)(1.0) + (u * u) * (u * u)
    by_i = type(i)(1.0) / (fourth * math.sqrt(math.sqrt(fourth)))
    return by_i, -by_i * u * u * u * i * i


def _accumulate_loop(current: Any, imperfect: bool, stamp: int) -> Any:
    def accumulate(y: Array, total: Array, source: Array, destination: Array, table: Array) -> None:
        stamp  # noqa: B018  a constant of the closure, thereby part of the key in numba's cache
        for tile in range(y.shape[0]):
            volts, amperes = y[tile], total[tile]
            for e in range(source.shape[0]):
                v_s, v_d = volts[source[e]], volts[destination[e]]
                i_s, i_d = amperes[source[e]], amperes[destination[e]]
                p0, p1, p2 = table[e, 0], table[e, 1], table[e, 2]
                zero = type(p0)(0.0)
                knee = table[e, 3] if imperfect else zero
                limit = table[e, 4] if imperfect else zero
                offset = table[e, 5] if imperfect else zero
                for lane in range(LANES):
                    i = current(v_s[lane], v_d[lane], p0, p1, p2, knee)
                    if imperfect:
                        i = limited(i, limit) + offset
                    i_s[lane] -= i
                    i_d[lane] += i

    return compiled(accumulate)


def _pull_back_loop(current: Any, slopes: Any, imperfect: bool, stamp: int) -> Any:
    def pull_back(
        y: Array, q: Array, w: Array, gradient: Array, source: Array, destination: Array, table: Array
    ) -> None:
        stamp  # noqa: B018  as in accumulate
        for tile in range(y.shape[0]):
            volts, weights, out = y[tile], q[tile], w[tile]
            for e in range(source.shape[0]):
                v_s, v_d = volts[source[e]], volts[destination[e]]
                q_s, q_d = weights[source[e]], weights[destination[e]]
                w_s, w_d = out[source[e]], out[destination[e]]
                p0, p1, p2 = table[e, 0], table[e, 1], table[e, 2]
                zero = type(p0)(0.0)
                knee = table[e, 3] if imperfect else zero
                limit = table[e, 4] if imperfect else zero
                g0, g1, g2, g3, g4, g5 = zero, zero, zero, zero, zero, zero
                for lane in range(LANES):
                    by_s, by_d, by_0, by_1, by_2, by_knee = slopes(v_s[lane], v_d[lane], p0, p1, p2, knee)
                    weight = q_d[lane] - q_s[lane]
                    if imperfect:
                        i = current(v_s[lane], v_d[lane], p0, p1, p2, knee)
                        by_i, by_inverse = limited_slopes(i, limit)
                        g4 += weight * by_inverse
                        g5 += weight
                        weight = weight * by_i
                        g3 += weight * by_knee
                    g0 += weight * by_0
                    g1 += weight * by_1
                    g2 += weight * by_2
                    w_s[lane] += weight * by_s
                    w_d[lane] += weight * by_d
                gradient[e, 0] += g0
                gradient[e, 1] += g1
                gradient[e, 2] += g2
                if imperfect:
                    gradient[e, 3] += g3
                    gradient[e, 4] += g4
                    gradient[e, 5] += g5

    return compiled(pull_back)
