"""What neighbouring probes see of each other's nodes: estimated from node runs, taken out of every reading.

While probe p shows v_p its neighbour q shows v_q, ground and reference slots included. With x the share of q in p a
reading, corrected by these slots, is (v_p + x v_q)/(1 + x): v_p + x (v_q - v_p) but for x^2. Presets are random, so
that what a node's own curve leaves of its readings tells x.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from jackfield_calibration.routine import Reading

__all__ = ["Crosstalk", "pairs_of"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Crosstalk:
    """`share` and `se` of each ordered pair of neighbouring probes (from 0), the seeing one first."""

    share: dict[tuple[int, int], float]
    se: dict[tuple[int, int], float]

    @classmethod
    def none(cls, probes: int) -> "Crosstalk":
        """Before anything is known."""
        pairs = pairs_of(probes)
        return cls(dict.fromkeys(pairs, 0.0), dict.fromkeys(pairs, 0.0))

    def removed(self, reading: Reading) -> Floats:
        """The reading's values `[input, node]` without what neighbours added."""
        values = reading.values.copy()
        for pair, share in self.share.items():
            values -= share * np.nan_to_num(_beside(reading, pair))
        return values

    def found(
        self, readings: list[Reading], residual: Tensor, weight: Tensor, partials: Tensor, covariance: Tensor
    ) -> tuple["Crosstalk", Tensor]:
        """What `residual[node, reading]` adds to the shares, and the covariance of the nodes' parameters with that.

        `weight` as in the nodes' fit, `partials[node, reading, parameter]` and `covariance` as it left them: only
        what a node's own parameters cannot explain counts.
        """
        share, se = dict(self.share), dict(self.se)
        for pair in share:
            beside = torch.from_numpy(np.concatenate([_beside(reading, pair) for reading in readings]).T.copy())
            counts = weight * torch.isfinite(beside)
            beside = torch.nan_to_num(beside)
            weighted = partials * counts[:, :, None]
            taken = (covariance @ (weighted.transpose(1, 2) @ beside[:, :, None]))[..., 0]
            alone = beside - (partials @ taken[:, :, None])[..., 0] * torch.isfinite(beside)
            precision = float((counts * alone * beside).sum())
            if precision > 0:
                share[pair] += float((counts * alone * residual).sum()) / precision
                se[pair] = precision**-0.5
                covariance = covariance + taken[:, :, None] * taken[:, None, :] / precision
        return Crosstalk(share, se), covariance


def pairs_of(probes: int) -> list[tuple[int, int]]:
    """Ordered pairs of neighbours."""
    return [(p, q) for p in range(probes) for q in (p - 1, p + 1) if 0 <= q < probes]


def _beside(reading: Reading, pair: tuple[int, int]) -> Floats:
    """The neighbour's volts minus the node's own, `[input, node]`, of nodes that the first probe of `pair` showed.

    NaN for other nodes; a shorter list of nodes is filled up with ground.
    """
    own, other = (np.array(reading.scan[probe], dtype=np.int64) - 1 for probe in pair)
    beside = np.full_like(reading.values, np.nan)
    shown = np.zeros((len(beside), len(own)))
    both = min(len(own), len(other))
    shown[:, :both] = reading.values[:, other[:both]]
    beside[:, own] = shown - reading.values[:, own]
    return beside
