"""Vectors in memory: loads, stores and sums over lanes, as numba intrinsics on plain pointers.

The loops of `edge_loops` keep everything else in registers. Addresses need no more alignment than an element.
"""

from functools import lru_cache
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from jackfield.physics.vector import _FLAGS, Vec, _indices, _spread


def _place(builder: Any, pointer: Any, index: Any, kind: Any) -> Any:
    return builder.bitcast(builder.gep(pointer, [index]), kind.as_pointer())


@lru_cache
def vector_memory(vec: Vec) -> tuple[Any, Any, Any]:
    """Intrinsics `load(pointer, index)`, `store(pointer, index, value)` and `splat(number)` of one `Vec`."""
    size = vec.dtype.bitwidth // 8

    def load(typingctx: Any, pointer: Any, index: Any) -> Any:
        def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            return builder.load(_place(builder, args[0], args[1], vec.llvm), align=size)

        return vec(pointer, types.intp), emit

    def store(typingctx: Any, pointer: Any, index: Any, value: Any) -> Any:
        def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            wide = _spread(context, builder, args[2], value, vec)
            builder.store(wide, _place(builder, args[0], args[1], vec.llvm), align=size)
            return context.get_dummy_value()

        return types.none(pointer, types.intp, value), emit

    def splat(typingctx: Any, value: Any) -> Any:
        def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            return _spread(context, builder, args[0], value, vec)

        return vec(value), emit

    return intrinsic(load), intrinsic(store), intrinsic(splat)


def _emit_add_each(typingctx: Any, sums: Any, values: Any) -> Any:
    """`sums` (a tuple of one kind of `Vec`) plus as many first `values`, which may be plain numbers."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        added = []
        for k in range(sums.count):
            value = _spread(context, builder, builder.extract_value(args[1], k), values.types[k], sums.dtype)
            added.append(builder.fadd(builder.extract_value(args[0], k), value, flags=_FLAGS))
        return context.make_tuple(builder, sums, added)

    return sums(sums, values), emit


add_each: Any = intrinsic(_emit_add_each)


def _emit_add_sums(typingctx: Any, pointer: Any, index: Any, values: Any) -> Any:
    """Adds to the numbers at `index` and after it the sum over lanes of each of a tuple of `Vec`."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        vec, rest = values.dtype, [builder.extract_value(args[2], k) for k in range(values.count)]
        done = 0
        while rest:
            count = 4 if len(rest) >= 4 else 1
            some, rest = rest[:count], rest[count:]
            total = _four_sums(builder, some) if count == 4 else _one_sum(builder, vec, some[0])
            place = builder.add(args[1], ir.Constant(args[1].type, done))
            where = _place(builder, args[0], place, total.type)
            size = vec.dtype.bitwidth // 8
            builder.store(builder.fadd(builder.load(where, align=size), total), where, align=size)
            done += count
        return context.get_dummy_value()

    return types.none(pointer, types.intp, values), emit


add_sums: Any = intrinsic(_emit_add_sums)


def _one_sum(builder: Any, vec: Vec, value: Any) -> Any:
    element = vec.llvm.element
    kind = ir.FunctionType(element, [element, vec.llvm])
    function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.vector.reduce.fadd.{vec.suffix}")
    return builder.call(function, [ir.Constant(element, -0.0), value], fastmath=("reassoc",))


def _four_sums(builder: Any, values: list[Any]) -> Any:
    """The sums of four vectors as a vector of four: a tree of horizontal additions that share their shuffles."""
    while values[0].type.count > 4:
        lanes = values[0].type.count
        if lanes == 8:
            pairs = [_neighbours(builder, values[k], values[k + 1]) for k in (0, 2)]
            values = [_neighbours(builder, *pairs)]
            return _halves(builder, values[0])
        values = [_halves(builder, value) for value in values]
    first, second = (_neighbours(builder, values[k], values[k + 1]) for k in (0, 2))
    low = builder.shuffle_vector(first, second, _indices([0, 1, 4, 5]))
    high = builder.shuffle_vector(first, second, _indices([2, 3, 6, 7]))
    return builder.fadd(low, high)


def _halves(builder: Any, value: Any) -> Any:
    lanes = value.type.count
    low, high = list(range(lanes // 2)), list(range(lanes // 2, lanes))
    return builder.fadd(
        builder.shuffle_vector(value, value, _indices(low)), builder.shuffle_vector(value, value, _indices(high))
    )


def _neighbours(builder: Any, a: Any, b: Any) -> Any:
    """Sums of neighbouring elements of a and b, in the order of the machine's instruction for it."""
    lanes = a.type.count
    block = lanes // 2  # elements of 128 bits
    even = [
        start + step + turn for start in range(0, lanes, block) for turn in (0, lanes) for step in range(0, block, 2)
    ]
    odd = [place + 1 for place in even]
    return builder.fadd(builder.shuffle_vector(a, b, _indices(even)), builder.shuffle_vector(a, b, _indices(odd)))
