"""What alone sets `good`: fresh random settings, predicted and measured.

From the verification runs of a cell its gain and its threshold are asked for anew, everything else as fitted:
the difference is the residual. A cell is good where both residuals are within tolerance, both standard errors
(of the fit and of the verification itself) within half of it, no run is further off than seven of its own, none
ended at a rail, and the runs that the fit was made of do not contradict each other.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from jackfield_calibration.cell_estimator import CellFit, predict
from jackfield_calibration.cell_model import CellLaw
from jackfield_calibration.cell_runs import CellBlock, stacked
from jackfield_calibration.shared import Shared

__all__ = ["Verdict", "gain_se", "unsure", "verify_cells"]

Floats = NDArray[np.float64]

_FURTHEST = 7.0
_CLEAR = 0.8  # of the rail
_ENOUGH_GAIN, _ENOUGH_THRESHOLD = 0.35, 0.45  # of the tolerance: verification asks for half
_FAR = 2.0  # times the median: few cells with large errors make most of what all are off by
_LEVELS = (-0.9, -0.6, 0.3, 0.6)  # of the largest gain


@dataclass(frozen=True)
class Verdict:
    """`[cell]`: residual of gain (relative) and threshold (V), whether the cell is good, and whether noise alone
    forbids to say so.
    """

    gain_residual: Floats
    threshold_residual_V: Floats
    good: NDArray[np.bool_]
    uncertain: NDArray[np.bool_]

    def replaced(self, rows: NDArray[np.int64], part: "Verdict") -> "Verdict":
        """The same with the cells of `rows` as `part` judges them."""
        fields = {name: getattr(self, name).copy() for name in self.__dataclass_fields__}
        for name, values in fields.items():
            values[rows] = getattr(part, name)
        return Verdict(**fields)

    def where(self, sound: NDArray[np.bool_]) -> "Verdict":
        """The same, good only where `sound[cell]` too."""
        return replace(self, good=self.good & sound)


def verify_cells(
    law: CellLaw,
    blocks: list[CellBlock],
    shared: Shared,
    fit: CellFit,
    tolerance: tuple[float, float],
    rail_V: float,
) -> Verdict:
    """Judge cells by verification runs `blocks`; `tolerance` of gain in S and threshold in V."""
    predicted, partials = predict(law, blocks, shared, fit.value)
    measured, usable = (stacked(blocks, name) for name in ("volts", "usable"))
    noise = torch.cat([block.noise(fit.noise_V).flatten(1) for block in blocks], 1)
    own = partials @ fit.covariance @ partials.transpose(1, 2)
    residual = torch.where(usable, measured - predicted, torch.zeros_like(predicted))
    furthest = (residual.abs() / torch.sqrt(noise + torch.diagonal(own, dim1=1, dim2=2))).amax(1)
    asked = partials[:, :, [0, 2]]
    weighted = asked * (usable / noise)[:, :, None]
    normal = weighted.transpose(1, 2) @ asked
    # a cell without usable runs has no answer: a vanishing normal matrix gives an endless standard error
    inverse = torch.linalg.inv(normal + 1e-6 * torch.eye(2, dtype=torch.float64))
    answer = (inverse @ (weighted.transpose(1, 2) @ residual[:, :, None]))[:, :, 0]
    u = torch.stack([block.gain_S for block in blocks], 1) / law.largest_gain_S
    typical = u.square().mean(1).sqrt() * law.largest_gain_S
    errors = torch.stack([typical * torch.sqrt(inverse[:, 0, 0]), torch.sqrt(inverse[:, 1, 1])], 1)
    used = [block.gain_S for block in blocks]
    fitted = torch.stack([gain_se(law, used, fit), torch.sqrt(fit.covariance[:, 2, 2])], 1)
    limits = torch.tensor(tolerance, dtype=torch.float64)
    off = torch.stack([answer[:, 0] * typical, answer[:, 1]], 1).abs()
    certain = ((errors <= limits / 2) & (fitted <= limits / 2)).all(1)
    # A run that ended at a rail though both of its nodes should have stayed clear of it is a residual of its own.
    pairs = (len(predicted), -1, 2)
    clear = (predicted.abs().reshape(pairs) < _CLEAR * rail_V).all(2)
    railed = (clear & ~usable.bool().reshape(pairs).all(2)).any(1)
    good = certain & (off <= limits).all(1) & (furthest <= _FURTHEST) & ~railed
    return Verdict(answer[:, 0].numpy(), answer[:, 1].numpy(), good.numpy(), (~certain).numpy())


def gain_se(law: CellLaw, nominal_S: list[Tensor], fit: CellFit) -> Tensor:
    """Standard error of the fitted gains at nominal gains `[cell]` each, rms over them, in S, `[cell]`."""
    rows = torch.stack([law.gain_partials(nominal) for nominal in nominal_S], 1)
    variance = torch.einsum("crp,cpq,crq->cr", rows, fit.covariance, rows)
    return torch.sqrt(variance.mean(1)) * law.largest_gain_S


def unsure(law: CellLaw, fit: CellFit, tolerance: tuple[float, float]) -> Tensor:
    """Whether a cell's standard errors, over the range of gains, leave too little of the tolerance or are far above
    the others', `[cell]`.
    """
    lowest = -law.largest_gain_S if not law.gain.one_sided else 0.0
    asked = [level * law.largest_gain_S for level in _LEVELS]
    levels = [torch.full_like(fit.chi2, level) for level in asked if level > lowest]
    gain, threshold = gain_se(law, levels, fit), torch.sqrt(fit.covariance[:, 2, 2])
    enough = min(_ENOUGH_THRESHOLD * tolerance[1], _FAR * float(threshold.median()))
    return (gain > _ENOUGH_GAIN * tolerance[0]) | (threshold > enough)
