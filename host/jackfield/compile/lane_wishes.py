"""Which lanes a circuit needs: from where to where, times what."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jackfield.board import BoardSpec
from jackfield.compile.lane_terms import CurvedPair, Terms
from jackfield.errors import DesignError

__all__ = ["CONSTANT", "Wish", "check_room", "wishes"]

CONSTANT = 0  # as a source: the board's constant giver
SHARE = 0.5  # of a difference of two nodes, which reaches 2, so that a multiplier's input stays within 1


@dataclass(frozen=True)
class Wish:
    """A lane from output `source` (CONSTANT: the constant 1) to input `destination` times `value`.

    `swing` is how large the source gets where nodes get to 1: what an error of the value counts for.
    """

    source: int
    destination: int
    value: float
    swing: float = 1.0

    def __str__(self) -> str:
        return f"{f'output {self.source}' if self.source else 'the constant'} to input {self.destination}"


def wishes(terms: Terms, spec: BoardSpec, volts: float, pace: float) -> list[Wish]:
    """The lanes for `terms` at `volts` a machine unit; `pace` is 1/(k0 tau), integrator steps a unit of time.

    Integrators negate, so what enters them has the other sign. Raises DesignError where lanes or multipliers run
    out, saying what would fit.
    """
    check_room(terms, spec)
    found = []
    for (row, column), value in np.ndenumerate(terms.linear):
        if value:
            found.append(Wish(column + 1, row + 1, -pace * value))
    for node, value in enumerate(terms.constant, start=1):
        if value:
            found.append(Wish(CONSTANT, node, -pace * value * volts))
    integrators, multiplier = spec.group("K").count, 0
    for pair in terms.curved:
        found += _curved(pair, terms, spec, volts, pace, integrators, multiplier)
        multiplier += pair.multipliers
    return found


def _curved(
    pair: CurvedPair, terms: Terms, spec: BoardSpec, volts: float, pace: float, integrators: int, first: int
) -> list[Wish]:
    scale = spec.group("L").parameters["coefficient"]
    # The share that the DAC really makes: the lanes behind the multiplier make up for its rounding.
    share = float(scale.value(scale.code(SHARE if pair.destination else 1.0)))
    one = float(scale.value(scale.code(1.0)))
    ends = [(pair.source, share)] + ([(pair.destination, -share)] if pair.destination else [])

    def inputs(number: int) -> tuple[int, int]:
        return integrators + 2 * number + 1, integrators + 2 * number + 2

    a, b = inputs(first)
    found = [Wish(node, port, value) for port in (a, b) for node, value in ends]
    square = integrators + first + 1
    if pair.square:
        found += _into_ends(square, pair, terms, pace * pair.square / (volts * share**2), share**2)
    if pair.cube:
        a, b = inputs(first + 1)
        found += [Wish(square, a, one), *(Wish(node, b, value) for node, value in ends)]
        found += _into_ends(square + 1, pair, terms, pace * pair.cube / (volts**2 * one * share**3), share**3)
    return found


def _into_ends(output: int, pair: CurvedPair, terms: Terms, value: float, swing: float) -> list[Wish]:
    """The current out of the source, whose integrator negates, and into the destination."""
    signs = [(pair.source, 1.0)] + ([(pair.destination, -1.0)] if pair.destination else [])
    return [Wish(output, node, sign * value * terms.per_capacitance[node - 1], swing) for node, sign in signs]


def check_room(terms: Terms, spec: BoardSpec) -> None:
    """Raise DesignError, naming what runs out and what would fit, where the board is too small for `terms`."""
    nodes, integrators = len(terms.constant), spec.group("K").count
    if nodes > integrators:
        raise DesignError(
            f"integrators run out: the circuit has {nodes} nodes, board {spec.name} has {integrators}; "
            f"train with at most {integrators} nodes"
        )
    multipliers = spec.group("M").count
    if terms.multipliers > multipliers:
        raise DesignError(
            f"multipliers run out: {_counted(terms.curved)} take {terms.multipliers}, board {spec.name} has "
            f"{multipliers}; {multipliers} quadratic or {multipliers // 2} cubic edges would fit"
        )
    own, across = _linear_lanes(terms)
    curved = sum(_lanes(pair) for pair in terms.curved)
    constants = int(np.count_nonzero(terms.constant))
    needed, lanes = own + across + curved + constants, spec.group("L").count
    if needed > lanes:
        left = max(0, lanes - own - curved - constants) // 2
        raise DesignError(
            f"lanes run out: {own} for the nodes' own terms, {across} for linear edges, {curved} for "
            f"{_counted(terms.curved)} and {constants} for constants make {needed}, board {spec.name} has {lanes}; "
            f"{left} linear edges between nodes would fit beside the rest (2 lanes each, one more for each node), a "
            "quadratic edge takes 6 lanes, a cubic one 9"
        )


def _linear_lanes(terms: Terms) -> tuple[int, int]:
    own = int(np.count_nonzero(np.diag(terms.linear)))
    return own, int(np.count_nonzero(terms.linear)) - own


def _lanes(pair: CurvedPair) -> int:
    ends = 2 if pair.destination else 1
    cube = (1 + 2 * ends) if pair.cube else 0
    return 2 * ends + (ends if pair.square else 0) + cube


def _counted(pairs: Sequence[CurvedPair]) -> str:
    cubic = sum(1 for pair in pairs if pair.cube)
    return f"{len(pairs) - cubic} quadratic and {cubic} cubic edges"
