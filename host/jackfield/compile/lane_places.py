"""Which lane and which multiplier serves which wish: so that the offsets of a known board cancel as far as they can."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from jackfield.board import BoardSpec
from jackfield.compile.lane_field import LaneField, SteadyErrors
from jackfield.compile.lane_known import KnownLanes
from jackfield.compile.lane_wishes import CONSTANT, Wish
from jackfield.errors import DesignError

__all__ = ["LARGEST_COEFFICIENT", "placed"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
LARGEST_COEFFICIENT = 1.01  # what the firmware takes, whatever the DAC could
WORTH_A_LANE = 0.5  # LSB of error that a spare lane is spent on
OUT_OF_REACH = 1e6  # costs more than any offset
LEAST_GAIN = 1e-15  # of a swap, so that rounding cannot go on for ever


@dataclass(frozen=True)
class _Places:
    """`cells[wish]`, and the `cost` of what they leave uncorrected; a wish from the constant giver may be added."""

    wished: tuple[Wish, ...]
    cells: Integers
    cost: float


def placed(wished: Sequence[Wish], spec: BoardSpec, known: KnownLanes) -> list[tuple[Wish, int]]:
    """Each wish, at the multipliers chosen for it, with a good lane (0-based); spare lanes carry constants.

    A lane's offset, an input's and a multiplier's add up at the integrators: lanes are swapped for each order of the
    multipliers as long as that brings the sums nearer to zero. Raises DesignError where good lanes run out.
    """
    free = np.flatnonzero(~known.bad[: spec.group("L").count])
    if len(wished) > len(free):
        raise DesignError(
            f"lanes run out: {len(wished)} are needed, board {spec.name} has {len(free)} good ones; "
            "train with fewer edges"
        )
    search = _Search(spec, known, free)
    order, *others = _orders(wished, search.field)
    best = search.places(wished, order)
    for tried in others if best.cost > LEAST_GAIN else []:
        found = search.places(wished, tried)
        if found.cost < best.cost - LEAST_GAIN:
            best, order = found, tried
    moved = [_at_multiplier(wish, order, search.field) for wish in best.wished]
    return list(zip(moved, best.cells.tolist(), strict=True))


def _orders(wished: Sequence[Wish], field: LaneField) -> list[tuple[int, ...]]:
    """Which multiplier serves as the first, the second...: every choice for those in use."""
    used = max((-(-(wish.destination - field.integrators) // 2) for wish in wished), default=0)
    every = range(field.multipliers)
    chosen = permutations(every, max(used, 0))
    return [(*some, *(m for m in every if m not in some)) for some in chosen]


def _at_multiplier(wish: Wish, order: Sequence[int], field: LaneField) -> Wish:
    source, destination = wish.source - field.integrators - 1, wish.destination - field.integrators - 1
    if source >= 0:
        wish = replace(wish, source=field.integrators + order[source] + 1)
    if destination >= 0:
        wish = replace(wish, destination=field.integrators + 2 * order[destination // 2] + destination % 2 + 1)
    return wish


class _Search:
    """Swaps of lanes on one board."""

    def __init__(self, spec: BoardSpec, known: KnownLanes, free: Integers) -> None:
        self.field = LaneField(spec)
        self._scales = spec.group("L").parameters
        self._known, self._free = known, free
        self._errors: dict[tuple[Wish, ...], SteadyErrors] = {}

    def places(self, wished: Sequence[Wish], order: Sequence[int]) -> _Places:
        """The best lanes for `wished` with the multipliers in `order`; spare ones for the largest constants."""
        best = self._swapped(tuple(wished), self._free[: len(wished)], order)
        worth = (WORTH_A_LANE * self._scales["coefficient"].lsb) ** 2
        while len(best.wished) < len(self._free):
            left = self._left(best.wished, best.cells, order)
            for wish in best.wished:
                if wish.source == CONSTANT and wish.destination <= len(left):
                    left[wish.destination - 1] = 0.0
            if left.max() < worth:
                break
            wish = Wish(CONSTANT, int(left.argmax()) + 1, 0.0)
            spare = np.setdiff1d(self._free, best.cells)[:1]
            found = self._swapped((*best.wished, wish), np.append(best.cells, spare), order)
            if found.cost > best.cost - worth:
                break
            best = found
        return best

    def _left(self, wished: tuple[Wish, ...], cells: Integers, order: Sequence[int]) -> Floats:
        """Mean square of what each integrator's input is off by."""
        z = self._offsets(wished, cells, order)
        return np.asarray(np.einsum("nij,i,j->n", self._of(wished).forms, z, z))

    def _of(self, wished: tuple[Wish, ...]) -> SteadyErrors:
        if wished not in self._errors:
            self._errors[wished] = SteadyErrors.of(wished, self.field)
        return self._errors[wished]

    def _offsets(self, wished: tuple[Wish, ...], cells: Integers, order: Sequence[int]) -> Floats:
        """Of each port, then of each product, as the wishes number them."""
        field, known = self.field, self._known
        products = np.array(order)
        ports = field.integrators + np.stack([2 * products, 2 * products + 1], axis=1).reshape(-1)
        lanes = len(known.gain) - field.multipliers - field.integrators
        z = np.concatenate([known.input_offset[: field.integrators], known.input_offset[ports]])
        for wish, cell in zip(wished, cells, strict=True):
            shown = known.reading_offset_V[wish.source - 1] if wish.source else 0.0
            z[wish.destination - 1] += known.offset[cell] - wish.value * shown
        return np.concatenate([z, known.offset[lanes + products]])

    def _swapped(self, wished: tuple[Wish, ...], cells: Integers, order: Sequence[int]) -> _Places:
        """`cells` after the best swap, again and again, until none brings the cost down."""
        form = self._of(wished).forms.sum(axis=0)
        # Idle lanes take part: they stand behind the wishes and go nowhere.
        line = np.append(cells, np.setdiff1d(self._free, cells))
        port = np.array([wish.destination - 1 for wish in wished] + [-1] * (len(line) - len(wished)))
        used = port >= 0
        own = np.where(used[:, None] & used, form[port][:, port], 0.0)
        reach = self._reach_cost(wished, line)
        z = self._offsets(wished, cells, order)
        while True:
            offset = self._known.offset[self._free][np.searchsorted(self._free, line)]
            step = offset[None, :] - offset[:, None]  # at the end of i, where i and j are swapped
            slope = np.where(used, (form @ z)[port], 0.0)
            change = 2 * step * (slope[:, None] - slope[None, :])
            change += step**2 * (np.diag(own)[:, None] + np.diag(own)[None, :] - 2 * own)
            now = np.diag(reach)
            change += reach + reach.T - now[:, None] - now[None, :]
            i, j = np.unravel_index(int(change.argmin()), change.shape)
            if change[i, j] > -LEAST_GAIN:
                break
            line[[i, j]] = line[[j, i]]
            reach[:, [i, j]] = reach[:, [j, i]]
            z = self._offsets(wished, line[: len(wished)], order)
        cost = float(z @ form @ z) + float(np.diag(reach).sum())
        return _Places(wished, line[: len(wished)], cost)

    def _reach_cost(self, wished: tuple[Wish, ...], line: Integers) -> Floats:
        """What it costs `[position, position]` to give each wish each lane: beyond reach, or upscaled needlessly."""
        coefficient, upscale = self._scales["coefficient"], self._scales["upscale"].hi
        cost = np.zeros((len(line), len(line)))
        coarse = (coefficient.lsb * upscale) ** 2 / 12
        for row, wish in enumerate(wished):
            nominal = abs(wish.value) / self._known.gain[line]
            cost[row] = np.where(nominal > LARGEST_COEFFICIENT * upscale, OUT_OF_REACH, 0.0)
            cost[row] += np.where(nominal > LARGEST_COEFFICIENT, coarse * wish.swing**2, 0.0)
        return cost
