"""Integer codes, what one step of each does, and coordinate descent over them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
Integers = NDArray[np.int64]

__all__ = ["Knobs", "descend"]


@dataclass(frozen=True)
class Knobs:
    """`codes[knob]`, changed in place, within `low..high`, on edges from row `source` to row `destination`
    (0 is ground); `centre[knob]` is where the closed correction would have the code, not rounded."""

    codes: Integers
    low: Integers
    high: Integers
    centre: Floats
    source: Integers
    destination: Integers


def descend(knobs: Knobs, effect: Floats32, residual: Floats32, weight: Floats, ridge: float, reach: int) -> None:
    """Take each code in turn to the integer, at most `reach` away, that leaves the least sum of squares.

    One step of a code takes `weight[row] effect[knob, state]` from `residual[row, state]` at its destination and
    adds as much at its source; both arrays and the codes end as the steps leave them. Leaving `centre` costs
    `ridge` times the mean sum of squares of a step's effect, by the square of the distance, so that a code
    which the states hardly see stays where the closed correction put it.
    """
    out, into = weight[knobs.source], weight[knobs.destination]
    power = np.einsum("ks,ks->k", effect, effect) * (out**2 + into**2)
    hold = ridge * float(power.mean())
    for knob in np.flatnonzero(power > 0):
        line, code = effect[knob], int(knobs.codes[knob])
        source, destination = residual[knobs.source[knob]], residual[knobs.destination[knob]]
        pull = into[knob] * float(line @ destination) - out[knob] * float(line @ source)
        best = (pull - hold * (code - knobs.centre[knob])) / (power[knob] + hold)
        step = min(max(round(best), -reach, int(knobs.low[knob]) - code), reach, int(knobs.high[knob]) - code)
        if step:
            knobs.codes[knob] = code + step
            destination -= np.float32(step * into[knob]) * line
            source += np.float32(step * out[knob]) * line
