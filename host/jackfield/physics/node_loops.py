"""The compiled march of one tile through a circuit and back: stages, steps, rails, injections, snapshots.

A tile is one flat row of (1 + nodes) * width numbers. The march calls the edge loops by their addresses, so it is
compiled once for each dtype, whatever laws a circuit mixes, and nothing in it waits for Python.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, register_jitable
from numpy.typing import NDArray

Array = NDArray[Any]
_F = TypeVar("_F", bound=Callable[..., Any])
SET_FIELDS = 8  # slice, forward, backward, rows, runs, other, table, gradient: counts and addresses
NOISE_FIELDS = 9  # slice, address, pairs, count, density, node density, seed, group, sample
SLICE_FIELDS = 4  # steps, steps between snapshots, first injection row, injection points

_FAST = {"reassoc", "contract", "nsz", "arcp"}


def compiled(function: _F) -> _F:
    return cast(_F, numba.njit(nogil=True, cache=True, fastmath=_FAST, error_model="numpy")(function))


def _emit_call(typingctx: Any, address: Any, arguments: Any) -> Any:
    """Calls the compiled loop at `address` with a tuple of addresses and counts."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        word = args[0].type
        kind = ir.FunctionType(ir.VoidType(), [word] * arguments.count).as_pointer()
        values = [builder.extract_value(args[1], k) for k in range(arguments.count)]
        builder.call(builder.inttoptr(args[0], kind), values)
        return context.get_dummy_value()

    return types.none(address, arguments), emit


_call: Any = intrinsic(_emit_call)


@register_jitable
def _move(out: Array, v: Array, currents: Array, weights: Array, count: int, h: Any, inverse: Array) -> None:
    """`out` = v after `count` weighted slopes."""
    for j in range(len(v)):
        out[j] = v[j]
    for stage in range(count):
        weight, row = weights[stage] * h, currents[stage]
        for j in range(len(v)):
            out[j] += weight * inverse[j] * row[j]


@register_jitable
def _clamp(v: Array, low: Any, high: Any) -> None:
    for j in range(len(v)):
        v[j] = min(max(v[j], low), high)


@register_jitable
def _place(fraction: Any, points: int) -> tuple[int, Any]:
    """Point before a time, given as a fraction of its slice, and how far it lies towards the next."""
    position = fraction * (points - 1)
    point = max(0, min(int(position), points - 2))
    return point, position - point


@register_jitable
def _inject(current: Array, injection: Array, first: int, points: int, fraction: float) -> None:
    if points == 1:
        row = injection[first]
        for j in range(len(current)):
            current[j] += row[j]
    elif points > 1:
        point, beyond = _place(fraction, points)
        after = current.dtype.type(beyond)
        before = current.dtype.type(1.0 - beyond)
        row, then = injection[first + point], injection[first + point + 1]
        for j in range(len(current)):
            current[j] += before * row[j] + after * then[j]


@register_jitable
def _inject_back(q: Array, gradient: Array, first: int, points: int, fraction: float) -> None:
    if points == 1:
        row = gradient[first]
        for j in range(len(q)):
            row[j] += q[j]
    elif points > 1:
        point, beyond = _place(fraction, points)
        after = q.dtype.type(beyond)
        before = q.dtype.type(1.0 - beyond)
        row, then = gradient[first + point], gradient[first + point + 1]
        for j in range(len(q)):
            row[j] += before * q[j]
            then[j] += after * q[j]


@register_jitable
def _hold_at_rails(current: Array, y: Array, v: Array, low: Any, high: Any) -> None:
    """No current into a capacitor that would leave a rail on which it began its step.

    One that arrives during a step takes all its slopes, and the end of the step is cut to the rail.
    """
    zero = type(low)(0.0)
    for j in range(len(y)):
        above, below = v[j] >= high and y[j] >= high, v[j] <= low and y[j] <= low
        leaving = (above and current[j] > zero) or (below and current[j] < zero)
        current[j] = zero if leaving else current[j]


@compiled
def march(
    v0: Array,
    snapshots: Array,
    states: Array,
    currents: Array,
    nodes: Array,
    injection: Array,
    slices: Array,
    h: Array,
    sets: Array,
    square: Array,
    weights: Array,
    times: Array,
    low: Any,
    high: Any,
    width: int,
    noise: Array,
) -> None:
    """Fills `snapshots` [snapshot, n] from `v0` [n] and the tape: `states` [step + 1, n] before each step and
    `currents` [step, stage, n] into the capacitors; a tape of two states and one step is used in turns.

    `nodes` [2, n] are 1/capacitance (0 holds a node) and leak.
    """
    inverse, leak, railed = nodes[0], nodes[1], high < np.inf or low > -np.inf
    y, random = np.empty_like(v0), np.zeros_like(v0)
    kept, done, taken = len(currents) > 1, 0, 0
    states[0] = v0
    for part in range(len(slices)):
        steps, every, first, points = slices[part, 0], slices[part, 1], slices[part, 2], slices[part, 3]
        for step in range(steps):
            now = done if kept else done % 2
            after = done + 1 if kept else (done + 1) % 2
            v, c = states[now], currents[done if kept else 0]
            for k in range(len(noise)):
                if noise[k, 0] == part:
                    drawn = (noise[k, 2], noise[k, 3], noise[k, 4], noise[k, 5], len(y) // width - 1)
                    keys = (noise[k, 6], noise[k, 7], noise[k, 8], done, h[part:].ctypes.data, width)
                    _call(noise[k, 1], (random.ctypes.data, *drawn, *keys))
            for stage in range(len(weights)):
                _move(y, v, c, square[stage], stage, h[part], inverse)
                if railed:
                    _clamp(y, low, high)
                current = c[stage]
                for j in range(len(y)):
                    current[j] = random[j] - leak[j] * y[j]
                _inject(current, injection, first, points, (step + times[stage]) / steps)
                for k in range(len(sets)):
                    if sets[k, 0] == part:
                        at = (y.ctypes.data, current.ctypes.data)
                        _call(sets[k, 1], (*at, sets[k, 3], sets[k, 4], sets[k, 5], sets[k, 6], width))
                if railed:
                    _hold_at_rails(current, y, v, low, high)
            _move(states[after], v, c, weights, len(weights), h[part], inverse)
            if railed:
                _clamp(states[after], low, high)
            done += 1
            if (step + 1) % every == 0:
                snapshots[taken] = states[after]
                taken += 1


@compiled
def march_back(
    cotangents: Array,
    cotangent: Array,
    states: Array,
    currents: Array,
    nodes: Array,
    by_nodes: Array,
    by_injection: Array,
    slices: Array,
    h: Array,
    sets: Array,
    square: Array,
    weights: Array,
    times: Array,
    low: Any,
    high: Any,
    width: int,
) -> None:
    """Cotangent of v0 into `cotangent` [n] from those of the snapshots; adds the rest to the gradients."""
    inverse, leak, railed = nodes[0], nodes[1], high < np.inf or low > -np.inf
    y, q, w, share = np.empty_like(cotangent), np.empty_like(cotangent), np.empty_like(currents[0]), weights * 1
    done, taken = len(currents), len(cotangents)
    cotangent[:] = 0
    for part in range(len(slices) - 1, -1, -1):
        steps, every, first, points = slices[part, 0], slices[part, 1], slices[part, 2], slices[part, 3]
        for step in range(steps - 1, -1, -1):
            done -= 1
            v, c = states[done], currents[done]
            if (step + 1) % every == 0:
                taken -= 1
                for j in range(len(y)):
                    cotangent[j] += cotangents[taken, j]
            if railed:
                _move(y, v, c, weights, len(weights), h[part], inverse)
                _drop_clamped(cotangent, y, low, high)
            for stage in range(len(weights) - 1, -1, -1):
                _move(y, v, c, square[stage], stage, h[part], inverse)
                if railed:
                    _clamp(y, low, high)
                share[:] = square[:, stage]
                share[stage] = weights[stage]
                _stage_back(y, q, w, cotangent, v, c, stage, share, h[part], inverse, leak, by_nodes, railed, low, high)
                _inject_back(q, by_injection, first, points, (step + times[stage]) / steps)
                for k in range(len(sets)):
                    if sets[k, 0] == part:
                        at = (y.ctypes.data, q.ctypes.data, w[stage].ctypes.data)
                        some = (sets[k, 3], sets[k, 4], sets[k, 5], sets[k, 6], sets[k, 7], width)
                        _call(sets[k, 2], (*at, *some))
                if railed:
                    _move(y, v, c, square[stage], stage, h[part], inverse)
                    _drop_clamped(w[stage], y, low, high)
            for stage in range(len(weights)):
                for j in range(len(y)):
                    cotangent[j] += w[stage, j]


@register_jitable
def _drop_clamped(cotangent: Array, unclamped: Array, low: Any, high: Any) -> None:
    zero = type(low)(0.0)
    for j in range(len(cotangent)):
        outside = unclamped[j] < low or unclamped[j] > high
        cotangent[j] = zero if outside else cotangent[j]


@register_jitable
def _stage_back(
    y: Array,
    q: Array,
    w: Array,
    cotangent: Array,
    v: Array,
    currents: Array,
    stage: int,
    share: Array,
    h: Any,
    inverse: Array,
    leak: Array,
    by_nodes: Array,
    railed: bool,
    low: Any,
    high: Any,
) -> None:
    """The cotangent q of a stage's node currents, the leak's share of w[stage], and the gradients of the nodes.

    `share` holds at `stage` the weight of this stage in the step, after it its weight in the later stages.
    """
    current, out, own = currents[stage], w[stage], share[stage] * h
    for j in range(len(q)):
        q[j] = own * cotangent[j]
    for later in range(stage + 1, len(share)):
        weight, row = share[later] * h, w[later]
        for j in range(len(q)):
            q[j] += weight * row[j]
    if railed:
        zero = type(low)(0.0)
        for j in range(len(q)):
            above, below = v[j] >= high and y[j] >= high, v[j] <= low and y[j] <= low
            held = (above or below) and current[j] == zero
            q[j] = zero if held else q[j]
    for j in range(len(q)):
        by_nodes[0, j] += q[j] * current[j]
        q[j] *= inverse[j]
        by_nodes[1, j] -= q[j] * y[j]
        out[j] = -leak[j] * q[j]
