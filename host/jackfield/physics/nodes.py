"""The compiled loops over nodes: stage states, steps, rails, and their reverse.

Arrays as in kernel.py, [tile, 1 + node, LANES]; `currents` [stage, tile, 1 + node, LANES]. `inverse` is
1/capacitance with 0 for ground, `weights` are a tableau's row times the step.
"""

from typing import Any

from numba.extending import register_jitable

from jackfield.physics.kernel import LANES, Array, compiled


@register_jitable
def _moved(
    v: Any, currents: Array, weights: Array, inverse: Any, count: int, tile: int, node: int, lane: int
) -> Any:
    """Voltage after `count` weighted slopes."""
    total = type(v)(0.0)
    for stage in range(count):
        total += weights[stage] * currents[stage, tile, node, lane]
    return v + inverse * total


@compiled
def begin_stage(
    y: Array, v: Array, currents: Array, weights: Array, stage: int, inverse: Array, leak: Array, into: Array
) -> None:
    """State y of a stage, and what leak and injection (`into`) contribute to its node currents."""
    for tile in range(v.shape[0]):
        for node in range(v.shape[1]):
            for lane in range(LANES):
                volts = _moved(v[tile, node, lane], currents, weights, inverse[node], stage, tile, node, lane)
                y[tile, node, lane] = volts
                currents[stage, tile, node, lane] = into[node] - leak[node] * volts


@compiled
def end_step(
    after: Array, v: Array, currents: Array, weights: Array, inverse: Array, low: Any, high: Any
) -> None:
    """State after a step, clamped to the rails."""
    for tile in range(v.shape[0]):
        for node in range(v.shape[1]):
            for lane in range(LANES):
                volts = _moved(
                    v[tile, node, lane], currents, weights, inverse[node], weights.shape[0], tile, node, lane
                )
                after[tile, node, lane] = min(max(volts, low), high)


@compiled
def reverse_end_step(
    cotangent: Array, v: Array, currents: Array, weights: Array, inverse: Array, low: Any, high: Any
) -> None:
    """Removes the cotangent of what the rails clamped."""
    for tile in range(v.shape[0]):
        for node in range(v.shape[1]):
            for lane in range(LANES):
                volts = _moved(
                    v[tile, node, lane], currents, weights, inverse[node], weights.shape[0], tile, node, lane
                )
                if volts < low or volts > high:
                    cotangent[tile, node, lane] = type(volts)(0.0)


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

    `column` holds the step's weight of this stage, then the weights with which the later stages use it.
    `gradient` [3, 1 + node] collects leak, injection and 1/capacitance.
    """
    stages = currents.shape[0]
    for tile in range(v.shape[0]):
        for node in range(v.shape[1]):
            by_leak = type(row[0])(0.0)
            by_into, by_inverse = by_leak, by_leak
            for lane in range(LANES):
                volts = _moved(v[tile, node, lane], currents, row, inverse[node], stage, tile, node, lane)
                moved = column[stage] * cotangent[tile, node, lane]
                for later in range(stage + 1, stages):
                    moved += column[later] * w[later, tile, node, lane]
                weight = inverse[node] * moved
                y[tile, node, lane] = volts
                q[tile, node, lane] = weight
                w[stage, tile, node, lane] = -leak[node] * weight
                by_leak -= weight * volts
                by_into += weight
                by_inverse += moved * currents[stage, tile, node, lane]
            gradient[0, node] += by_leak
            gradient[1, node] += by_into
            gradient[2, node] += by_inverse


@compiled
def reverse_begin_step(cotangent: Array, w: Array) -> None:
    """Cotangent of the state before a step: adds those of all its stages' states."""
    for tile in range(cotangent.shape[0]):
        for node in range(cotangent.shape[1]):
            for lane in range(LANES):
                total = cotangent[tile, node, lane]
                for stage in range(w.shape[0]):
                    total += w[stage, tile, node, lane]
                cotangent[tile, node, lane] = total
