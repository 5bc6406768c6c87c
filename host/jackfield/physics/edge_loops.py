"""The compiled loops over edges, for each law, form, dtype and kind of parameters; the heart of the kernel.

A tile is `width` samples side by side: row n of a tile starts at n * width, row 0 is ground, whose voltage is 0
and whose current nobody reads. Edges come in runs (see runs.py). Parameters of an edge are `columns` numbers,
one for all samples, or `spread`: one for each sample.
Numba's cache keeps the machine code between processes; `source_stamp` is part of its key.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numba import types
from numba.extending import register_jitable
from numpy.typing import NDArray

from jackfield.physics.edge_laws import Form, column_reader, law_functions
from jackfield.physics.laws import LAWS
from jackfield.physics.memory import add_each, add_sums, vector_memory
from jackfield.physics.runs import RUN_FIELDS
from jackfield.physics.vector import Vec

Array = NDArray[Any]
REAL = {np.dtype(np.float32): types.float32, np.dtype(np.float64): types.float64}
# Lanes in hand: forward two machine vectors of 32 bytes, to reuse each parameter; backward one, for the registers.
FORWARD_BYTES, BACKWARD_BYTES = 64, 32


@lru_cache
def source_stamp(law: str) -> int:
    """Digest of the files that the loops of a law are made of; numba's cache would only see edits of this one."""
    here = Path(__file__).parent
    names = ["edge_laws.py", "edge_loops.py", "memory.py", "vector.py", "laws/scalar.py", f"laws/{law}.py"]
    digest = hashlib.sha256(b"".join((here / name).read_bytes() for name in names))
    return int.from_bytes(digest.digest()[:6], "big")


@dataclass(frozen=True)
class EdgeLoops:
    """Addresses of compiled loops over one tile, and the columns of their parameter table.

    `forward(y, current, rows, runs, other, table, width)` adds the edges' currents at voltages y;
    `backward(y, q, w, rows, runs, other, table, gradient, width)` adds to w and to the table's gradient what the
    cotangent q of the node currents means for y and for the table.
    """

    forward: int
    backward: int
    columns: int


_kept: list[Any] = []  # compiled functions must outlive their addresses


@lru_cache
def edge_loops(law: str, imperfect: bool, dtype: "np.dtype[Any]", spread: bool) -> EdgeLoops:
    """The loops of a law; compiled, or fetched from numba's cache, at the first call."""
    form = Form(law, imperfect, REAL[dtype], spread)
    loops = [_compiled(_forward_loop(form), form, 7), _compiled(_backward_loop(form), form, 9)]
    _kept.extend(loops)
    return EdgeLoops(loops[0].address, loops[1].address, form.columns)


def _compiled(loop: Callable[..., None], form: Form, count: int) -> Any:
    numbers, ends = types.CPointer(form.real), types.CPointer(types.int32)
    integers = [ends, types.intp, ends]
    before = 2 if count == 7 else 3
    kinds = [numbers] * before + integers + [numbers] * (count - before - 4) + [types.intp]
    return numba.cfunc(types.void(*kinds), cache=True, error_model="numpy")(loop)


def _forward_loop(form: Form) -> Callable[..., None]:
    stamp, fields, vec = source_stamp(form.law), RUN_FIELDS, form.vec(FORWARD_BYTES)
    lanes, walk = vec.lanes, _walk(form, vec)

    def forward(y: Any, amperes: Any, rows: Any, runs: int, other: Any, table: Any, width: int) -> None:
        stamp  # noqa: B018  a constant of the closure, thereby part of the key in numba's cache
        for r in range(runs):
            row = r * fields
            pairs = (rows[row], np.intp(rows[row + 1]), np.intp(rows[row + 2]))
            edges = (np.intp(rows[row + 3]), np.intp(rows[row + 4]), np.intp(rows[row + 5]))
            for k in range(0, width, lanes):
                walk(y, amperes, other, table, pairs, edges, width, k)

    return forward


def _walk(form: Form, vec: Vec) -> Any:
    """One run of pairs for the lanes of `vec` from lane k on: node a's voltage and current stay in registers."""
    load, store, splat = vector_memory(vec)
    columns, couple, single = column_reader(form, load), *_currents(form)

    @register_jitable(forceinline=True)
    def walk(
        y: Any,
        amperes: Any,
        other: Any,
        table: Any,
        pairs: tuple[int, int, int],
        edges: tuple[int, int, int],
        width: int,
        k: int,
    ) -> None:
        a, first, last = pairs
        e, forth, back = edges
        both, at = min(forth, back), np.intp(a) * width + k
        v_a, into_a = load(y, at), load(amperes, at)
        if forth == 1 and back == 1:
            for pair in range(first, last):
                b = np.intp(other[pair]) * width + k
                i = couple(v_a, load(y, b), columns(table, e, width, k), columns(table, e + 1, width, k))
                e += 2
                into_a = into_a - i
                store(amperes, b, load(amperes, b) + i)
        else:
            for pair in range(first, last):
                b = np.intp(other[pair]) * width + k
                v_b, i = load(y, b), splat(0.0)
                for _ in range(both):
                    i = i + couple(v_a, v_b, columns(table, e, width, k), columns(table, e + 1, width, k))
                    e += 2
                for _ in range(forth - both):
                    i = i + single(v_a, v_b, columns(table, e, width, k))
                    e += 1
                for _ in range(back - both):
                    i = i - single(v_b, v_a, columns(table, e, width, k))
                    e += 1
                into_a = into_a - i
                store(amperes, b, load(amperes, b) + i)
        store(amperes, at, into_a)

    return walk


def _currents(form: Form) -> tuple[Any, Any]:
    """From a to b: `couple(v_a, v_b, forth, back)` of an edge each way, `single(v_a, v_b, columns)` of one edge."""
    current, _ = law_functions(form)

    @register_jitable
    def reciprocal(v_a: Any, v_b: Any, forth: Any, back: Any) -> Any:
        d = v_a - v_b  # once for both: a reciprocal law sees nothing else of the voltages
        return current(d, 0.0, forth) - current(-d, 0.0, back)

    @register_jitable
    def any_law(v_a: Any, v_b: Any, forth: Any, back: Any) -> Any:
        return current(v_a, v_b, forth) - current(v_b, v_a, back)

    return (reciprocal if LAWS[form.law].reciprocal else any_law), current


def _backward_loop(form: Form) -> Callable[..., None]:
    stamp, fields = source_stamp(form.law), RUN_FIELDS
    couple, single = (_spread_edges if form.spread else _shared_edges)(form)

    def backward(
        y: Any, q: Any, w: Any, rows: Any, runs: int, other: Any, table: Any, gradient: Any, width: int
    ) -> None:
        stamp  # noqa: B018  as in forward
        for r in range(runs):
            row = r * fields
            a, first, last = np.intp(rows[row]) * width, np.intp(rows[row + 1]), np.intp(rows[row + 2])
            e, forth, back = np.intp(rows[row + 3]), np.intp(rows[row + 4]), np.intp(rows[row + 5])
            both = min(forth, back)
            for pair in range(first, last):
                b = np.intp(other[pair]) * width
                for _ in range(both):
                    couple(y, q, w, a, b, table, gradient, e, width)
                    e += 2
                for _ in range(forth - both):
                    single(y, q, w, a, b, table, gradient, e, width)
                    e += 1
                for _ in range(back - both):
                    single(y, q, w, b, a, table, gradient, e, width)
                    e += 1

    return backward


def _shared_edges(form: Form) -> tuple[Any, Any]:
    """Reverse of a forward and a backward edge of one pair, and of one edge; gradients are summed over the tile."""
    vec, count = form.vec(BACKWARD_BYTES), form.columns
    load, store, splat = vector_memory(vec)
    columns, both, one = column_reader(form, load), _both_back(form), law_functions(form)[1]
    lanes, zeros = vec.lanes, register_jitable(_constant_tuple(count, splat))

    @register_jitable(forceinline=True)
    def add(w: Any, place: int, value: Any) -> None:
        store(w, place, load(w, place) + value)

    @register_jitable(forceinline=True)
    def couple(y: Any, q: Any, w: Any, a: int, b: int, table: Any, gradient: Any, e: int, width: int) -> None:
        forth, back = zeros(), zeros()
        p, p2 = columns(table, e, width, 0), columns(table, e + 1, width, 0)
        for k in range(0, width, lanes):
            weight = load(q, b + k) - load(q, a + k)
            by_a, by_b, by_p, by_p2 = both(load(y, a + k), load(y, b + k), p, p2, weight)
            forth, back = add_each(forth, by_p), add_each(back, by_p2)
            add(w, a + k, by_a)
            add(w, b + k, by_b)
        add_sums(gradient, e * count, forth + back)

    @register_jitable(forceinline=True)
    def single(y: Any, q: Any, w: Any, s: int, d: int, table: Any, gradient: Any, e: int, width: int) -> None:
        sums, p = zeros(), columns(table, e, width, 0)
        for k in range(0, width, lanes):
            weight = load(q, d + k) - load(q, s + k)
            by_s, by_d, by_p = one(load(y, s + k), load(y, d + k), p, weight)
            sums = add_each(sums, by_p)
            add(w, s + k, by_s)
            add(w, d + k, by_d)
        add_sums(gradient, e * count, sums)

    return couple, single


def _both_back(form: Form) -> Any:
    """`both(v_a, v_b, forth, back, weight)`: partials of `couple`'s current times weight, to v_a, v_b, and the columns
    of the edges a -> b and b -> a."""
    _, slopes = law_functions(form)

    @register_jitable
    def reciprocal(v_a: Any, v_b: Any, forth: Any, back: Any, weight: Any) -> Any:
        d = v_a - v_b
        by_d, _, by_forth = slopes(d, 0.0, forth, weight)
        by_d2, _, by_back = slopes(-d, 0.0, back, -weight)
        by_a = by_d - by_d2
        return by_a, -by_a, by_forth, by_back

    @register_jitable
    def any_law(v_a: Any, v_b: Any, forth: Any, back: Any, weight: Any) -> Any:
        by_s, by_d, by_forth = slopes(v_a, v_b, forth, weight)
        by_s2, by_d2, by_back = slopes(v_b, v_a, back, -weight)
        return by_s + by_d2, by_d + by_s2, by_forth, by_back

    return reciprocal if LAWS[form.law].reciprocal else any_law


def _constant_tuple(count: int, splat: Any) -> Any:
    return {
        1: lambda: (splat(0.0),),
        2: lambda: (splat(0.0), splat(0.0)),
        3: lambda: (splat(0.0), splat(0.0), splat(0.0)),
        4: lambda: (splat(0.0), splat(0.0), splat(0.0), splat(0.0)),
        5: lambda: (splat(0.0), splat(0.0), splat(0.0), splat(0.0), splat(0.0)),
        6: lambda: (splat(0.0), splat(0.0), splat(0.0), splat(0.0), splat(0.0), splat(0.0)),
    }[count]


def _spread_edges(form: Form) -> tuple[Any, Any]:
    """As `_shared_edges` with a parameter and a gradient for each sample."""
    vec, count = form.vec(BACKWARD_BYTES), form.columns
    load, store, splat = vector_memory(vec)
    columns, slopes = column_reader(form, load), law_functions(form)[1]
    lanes = vec.lanes
    zeros = register_jitable(_constant_tuple(count, splat))

    @register_jitable(forceinline=True)
    def single(y: Any, q: Any, w: Any, s: int, d: int, table: Any, gradient: Any, e: int, width: int) -> None:
        for k in range(0, width, lanes):
            v_s, v_d, weight = load(y, s + k), load(y, d + k), load(q, d + k) - load(q, s + k)
            by_s, by_d, by_columns = slopes(v_s, v_d, columns(table, e, width, k), weight)
            values = add_each(zeros(), by_columns)
            for c in range(count):
                place = (e * count + c) * width + k
                store(gradient, place, load(gradient, place) + values[c])
            store(w, s + k, load(w, s + k) + by_s)
            store(w, d + k, load(w, d + k) + by_d)

    @register_jitable(forceinline=True)
    def couple(y: Any, q: Any, w: Any, a: int, b: int, table: Any, gradient: Any, e: int, width: int) -> None:
        single(y, q, w, a, b, table, gradient, e, width)
        single(y, q, w, b, a, table, gradient, e + 1, width)

    return couple, single
