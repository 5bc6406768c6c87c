"""What enters the integrators of a board of lanes, as a function of the nodes' voltages and of what is not ideal."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jackfield.board import BoardSpec
from jackfield.compile.lane_wishes import Wish

__all__ = ["LaneField", "SteadyErrors"]

Floats = NDArray[np.float64]
SAMPLES = 256
LARGEST_V = 0.9  # of the rail: where samples of the nodes' voltages lie
STEP = 1e-6  # of a difference quotient, of full scale


class LaneField:
    """The board at samples of its integrators' voltages, as read.

    Outputs are numbered 0 for the constant giver, then integrators, then products; ports from 0.
    """

    def __init__(self, spec: BoardSpec) -> None:
        self.integrators, self.multipliers = spec.group("K").count, spec.group("M").count
        self.ports = spec.nodes.count
        most = LARGEST_V * spec.nodes.rail_V[1]
        self._volts = np.random.default_rng(0).uniform(-most, most, (SAMPLES, self.integrators))

    def weights(self, links: Iterable[tuple[Wish, float]]) -> Floats:
        """What each output adds to each port `[port, output]`, where lanes for wishes have these values."""
        weights = np.zeros((self.ports, 1 + self.integrators + self.multipliers))
        for wish, value in links:
            weights[wish.destination - 1, wish.source] += value
        return weights

    def settled(
        self, weights: Floats, offset: Floats, product_gain: Floats, product_offset: Floats
    ) -> tuple[Floats, Floats]:
        """Outputs `[sample, output]` and what enters the integrators `[sample, integrator]`.

        `offset[port]` comes in besides; multipliers have `product_gain` and `product_offset`.
        """
        first = self.integrators
        outputs = np.zeros((SAMPLES, weights.shape[1]))
        outputs[:, 0], outputs[:, 1 : 1 + first] = 1.0, self._volts
        for _ in range(self.multipliers):  # they may feed each other, in any order
            inputs = outputs @ weights[first:].T + offset[first:]
            a, b = inputs[:, 0 : 2 * self.multipliers : 2], inputs[:, 1 : 2 * self.multipliers : 2]
            outputs[:, 1 + first :] = product_gain * a * b + product_offset
        return outputs, outputs @ weights[:first].T + offset[:first]


@dataclass(frozen=True)
class SteadyErrors:
    """What offsets do that no coefficient of a lane in use makes good, to first order.

    For offsets z of the ports, then of the products, integrator n is wrong by the root of z `forms[n]` z, rms over
    the samples.
    """

    forms: Floats

    @classmethod
    def of(cls, wished: Sequence[Wish], field: LaneField) -> "SteadyErrors":
        """For lanes as `wished`; a wish from the constant giver is free to make good any constant."""
        weights = field.weights((wish, wish.value) for wish in wished)
        count = field.ports + field.multipliers
        shifts = np.vstack([np.zeros(count), STEP * np.eye(count)])
        ones = np.ones(field.multipliers)
        found = [field.settled(weights, z[: field.ports], ones, z[field.ports :]) for z in shifts]
        outputs, slopes = found[0][0], np.stack([(inputs - found[0][1]) / STEP for _, inputs in found[1:]])
        forms = np.zeros((field.integrators, count, count))
        for n in range(field.integrators):
            sources = sorted({wish.source for wish in wished if wish.destination == n + 1})
            basis, _ = np.linalg.qr(outputs[:, sources])
            rest = slopes[:, :, n].T
            rest = rest - basis @ (basis.T @ rest)
            forms[n] = rest.T @ rest / SAMPLES
        return cls(forms)
