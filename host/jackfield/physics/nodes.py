"""The compiled loops over nodes: stage states, steps, rails, and their reverse.

Arrays as in kernel.py, [tile, 1 + node, LANES]; `currents` [stage, tile, 1 + node, LANES]. `inverse` is
1/capacitance with 0 for ground, `weights` are a tableau's row times the step.
"""

from typing import Any

from numba.extending import register_jitable

from jackfield.physics.kernel import LANES, Array, compiled


@register_jitable
def _move(
    out: Array, v: Array, currents: Array, weights: Array, count: int, inverse: Any, tile: int, node: int
) -> None:
    """Fills a node's row `out` with its voltages after `count` weighted slopes."""
    for lane in range(LANES):
        out[lane] = v[lane]
    for stage in range(count):
        weight, row = inverse * weights[stage], currents[stage, tile, node]
        for lane in range(LANES):
            out[lane] += weight * row[lane]


@compiled
def begin_stage(
    y: Array, v: Array, currents: Array, weights: Array, stage: int, inverse: Array, leak: Array, into: Array
) -> None:
    """State y of a stage, and what leak and injection (`into`) contribute to its node currents."""
    for tile in range(v.shape[0]):
        for node in range(v.shape[1]):
            volts, current = y[tile, node], currents[stage, tile, node]
            _move(volts, v[tile, node], currents, weights, stage, inverse[node], tile, node)
            for lane in range(LANES):
                current[lane] = into[node] - leak[node] * volts[lane]


@compiled
def end_step(after: Array, v: Array, currents: Array, weights: Array, inverse: Array, low: Any, high: Any) -> None:
    """State after a step, clamped to the rails."""
    for tile in range(v.shape[0]):
        for node in range(v.shape[1]):
            volts = after[tile, node]
            _move(volts, v[tile, node], currents, weights, len(weights), inverse[node], tile, node)
            for lane in range(LANES):
                volts[lane] = min(max(volts[lane], low), high)


@compiled
def reverse_end_step(
    cotangent: Array,
    scratch: Array,
    v: Array,
    currents: Array,
    weights: Array,
    inverse: Array,
    low: Any,
    high: Any,
) -> None:
    """Removes the cotangent of what the rails clamped."""
    for tile in range(v.shape[0]):
        for node in range(v.shape[1]):
            volts, row = scratch[tile, node], cotangent[tile, node]
            _move(volts, v[tile, node], currents, weights, len(weights), inverse[node], tile, node)
            for lane in range(LANES):
                clamped = volts[lane] < low or volts[lane] > high
                row[lane] = type(low)(0.0) if clamped else row[lane]


@compiled
def reverse_stage(
    y: Array,
    q: Array,
    w: Array,
    v: Array,
    cotangent: Array,
    currents: Array,
    stage: int,
    row: Array,
    column: Array,
    inverse: Array,
    leak: Array,
    gradient: Array,
) -> None:
    """State y of a stage, the cotangent q of its node currents and the leak's share of w[stage].

    `column` holds at `stage` the step's weight of this stage, then the weights of its later uses.
    `gradient` [3, 1 + node] collects leak, injection and 1/capacitance.
    """
    for tile in range(v.shape[0]):
        for node in range(v.shape[1]):
            volts, weight, share = y[tile, node], q[tile, node], w[stage, tile, node]
            _move(volts, v[tile, node], currents, row, stage, inverse[node], tile, node)
            _gather(weight, cotangent[tile, node], w, column, stage, tile, node)
            current = currents[stage, tile, node]
            by_leak = type(inverse[node])(0.0)
            by_into, by_inverse = by_leak, by_leak
            for lane in range(LANES):
                by_inverse += weight[lane] * current[lane]
                weight[lane] *= inverse[node]
                by_leak -= weight[lane] * volts[lane]
                by_into += weight[lane]
                share[lane] = -leak[node] * weight[lane]
            gradient[0, node] += by_leak
            gradient[1, node] += by_into
            gradient[2, node] += by_inverse


@register_jitable
def _gather(out: Array, cotangent: Array, w: Array, column: Array, stage: int, tile: int, node: int) -> None:
    """Fills a node's row `out` with the cotangent of this stage's slope."""
    for lane in range(LANES):
        out[lane] = column[stage] * cotangent[lane]
    for later in range(stage + 1, len(column)):
        use, row = column[later], w[later, tile, node]
        for lane in range(LANES):
            out[lane] += use * row[lane]


@compiled
def reverse_begin_step(cotangent: Array, w: Array) -> None:
    """Cotangent of the state before a step: adds those of all its stages' states."""
    for stage in range(w.shape[0]):
        for tile in range(cotangent.shape[0]):
            for node in range(cotangent.shape[1]):
                row, share = cotangent[tile, node], w[stage, tile, node]
                for lane in range(LANES):
                    row[lane] += share[lane]
