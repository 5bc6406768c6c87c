"""A vector of floats for numba: `Vec` values are machine vectors, so a loop over them is vector code by itself.

Numba's own vectoriser must prove what it may do; here one Python expression such as `gain * relu(v - threshold)`
compiles to LLVM's vector instructions whatever surrounds it. Sums and products may contract to fused
multiply-adds, elements never mix, so every element gets the same bits wherever it stands.
A Python function over floats becomes one over `Vec`; scalars beside a `Vec` are spread over its elements.
"""

import math
import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, overload, register_jitable, register_model

from jackfield.physics.laws import scalar

_FLAGS = ("contract", "nsz", "arcp")
_INDEX = ir.IntType(32)


class Vec(types.Type):
    """Numba's type of `lanes` elements of `dtype`, float32 or float64."""

    def __init__(self, dtype: Any, lanes: int) -> None:
        self.dtype, self.lanes = dtype, lanes
        super().__init__(f"Vec({dtype}, {lanes})")

    @property
    def llvm(self) -> Any:
        """The machine's type."""
        element = ir.FloatType() if self.dtype == types.float32 else ir.DoubleType()
        return ir.VectorType(element, self.lanes)

    @property
    def suffix(self) -> str:
        """How LLVM's intrinsic functions name it."""
        return f"v{self.lanes}f{self.dtype.bitwidth}"


@register_model(Vec)
class _VecModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Vec) -> None:
        super().__init__(manager, kind, kind.llvm)


def _spread(context: Any, builder: Any, value: Any, kind: Any, vec: Vec) -> Any:
    """`value` as elements of `vec`, whether it is one already or a scalar."""
    if isinstance(kind, Vec):
        return value
    number = context.cast(builder, value, kind, vec.dtype)
    empty = ir.Constant(vec.llvm, ir.Undefined)
    first = builder.insert_element(empty, number, ir.Constant(_INDEX, 0))
    return builder.shuffle_vector(first, empty, _indices([0] * vec.lanes))


def _indices(places: list[int]) -> Any:
    return ir.Constant(ir.VectorType(_INDEX, len(places)), places)


def _widest(kinds: Any) -> Any:
    """The `Vec` among `kinds` that the others are spread to; None where there is none."""
    vec = next((kind for kind in kinds if isinstance(kind, Vec)), None)
    fits = all(kind == vec if isinstance(kind, Vec) else isinstance(kind, types.Number) for kind in kinds)
    return vec if fits else None


def _register(operation: Any, count: int, emit: Callable[..., Any]) -> None:
    """Teaches numba an operation of `count` arguments of which at least one is a `Vec`."""

    @infer_global(operation)
    class _Typing(AbstractTemplate):
        def generic(self, args: Any, kws: Any) -> Any:
            vec = _widest(args) if len(args) == count else None
            return None if vec is None else signature(vec, *args)

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        vec = sig.return_type
        values = [_spread(context, builder, value, kind, vec) for value, kind in zip(args, sig.args, strict=True)]
        return emit(builder, *values)

    kinds: dict[int, list[Any]] = {1: [(Vec,)], 2: [(Vec, Vec), (Vec, types.Number), (types.Number, Vec)]}
    for kind in kinds[count]:
        lower_builtin(operation, *kind)(lower)


_register(operator.add, 2, lambda builder, a, b: builder.fadd(a, b, flags=_FLAGS))
_register(operator.sub, 2, lambda builder, a, b: builder.fsub(a, b, flags=_FLAGS))
_register(operator.mul, 2, lambda builder, a, b: builder.fmul(a, b, flags=_FLAGS))
_register(operator.truediv, 2, lambda builder, a, b: builder.fdiv(a, b, flags=_FLAGS))
_register(operator.neg, 1, lambda builder, a: builder.fneg(a))


def _function(builder: Any, name: str, vec: Vec, values: list[Any], flags: tuple[str, ...] = ()) -> Any:
    """Calls LLVM's function `name` of vectors."""
    kind = ir.FunctionType(vec.llvm, [vec.llvm] * len(values))
    function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.{name}.{vec.suffix}")
    return builder.call(function, values, fastmath=flags)


def _elementwise(name: str, count: int, flags: tuple[str, ...] = ()) -> Any:
    """An intrinsic of `count` arguments that is LLVM's function `name`."""

    def typed(*kinds: Any) -> Any:
        vec = _widest(kinds)

        def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            values = [_spread(context, builder, value, kind, vec) for value, kind in zip(args, sig.args, strict=True)]
            return _function(builder, name, vec, values, flags)

        return vec(*kinds), emit

    if count == 1:
        return intrinsic(lambda typingctx, x: typed(x))
    return intrinsic(lambda typingctx, x, y: typed(x, y))


# nnan: one maximum instruction; which operand answers for a NaN is left open, but a NaN voltage keeps itself.
_sqrt = _elementwise("sqrt", 1)
_larger = _elementwise("maximum", 2, ("nnan", "nsz"))
_smaller = _elementwise("minimum", 2, ("nnan", "nsz"))


def _emit_where_positive(typingctx: Any, x: Any, value: Any) -> Any:
    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        chosen = _spread(context, builder, args[1], value, x)
        none = ir.Constant(x.llvm, None)
        return builder.select(builder.fcmp_ordered(">", args[0], none), chosen, none)

    return x(x, value), emit


_where_positive: Any = intrinsic(_emit_where_positive)


@overload(math.sqrt, strict=False)
def _sqrt_of(x: Any) -> Any:
    return (lambda x: _sqrt(x)) if isinstance(x, Vec) else None


@overload(scalar.at_least, strict=False)
def _at_least_of(x: Any, low: Any) -> Any:
    if _widest((x, low)) is not None:
        return lambda x, low: _larger(x, low)
    return scalar.at_least


@overload(scalar.at_most, strict=False)
def _at_most_of(x: Any, high: Any) -> Any:
    if _widest((x, high)) is not None:
        return lambda x, high: _smaller(x, high)
    return scalar.at_most


@overload(scalar.where_positive, strict=False)
def _where_positive_of(x: Any, value: Any) -> Any:
    if isinstance(x, Vec):
        return lambda x, value: _where_positive(x, value)
    return scalar.where_positive


@overload(scalar.tanh, strict=False)
def _tanh_of(x: Any) -> Any:
    single = (x.dtype if isinstance(x, Vec) else x) == types.float32
    return scalar.tanh_single if single else scalar.tanh


@overload(scalar.soft_relu, strict=False)
def _soft_relu_of(x: Any, knee: Any) -> Any:
    if knee is types.none:
        return lambda x, knee: scalar.sharp(x)
    return lambda x, knee: scalar.rounded(x, knee)


@overload(scalar.soft_relu_slopes, strict=False)
def _soft_relu_slopes_of(x: Any, knee: Any, weight: Any) -> Any:
    if knee is types.none:
        return lambda x, knee, weight: scalar.sharp_slopes(x, weight)
    return lambda x, knee, weight: scalar.rounded_slopes(x, knee, weight)


for _function_of_numbers in (
    scalar.sharp,
    scalar.rounded,
    scalar.sharp_slopes,
    scalar.rounded_slopes,
    scalar.tanh_single,
):
    register_jitable(_function_of_numbers)
