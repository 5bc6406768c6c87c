"""Gain, threshold and current offset of every cell from its runs, each cell for itself, nodes given."""

from dataclasses import dataclass

import torch
from torch import Tensor

from jackfield.board import BENDS, BITS
from jackfield_calibration.cell_model import CELL_PARAMETERS, CellLaw, partials_to_parameters, respond
from jackfield_calibration.cell_runs import CellBlock, stacked
from jackfield_calibration.gauss_newton import fit_each, with_prior
from jackfield_calibration.shared import Shared

_ENOUGH_CELLS = 800  # for widths of a few percent
_ROUNDS = 40
_LEAST_WIDTH = 1e-5
CONDUCTS = 0.1  # of the nominal gain: a cell with less does not do what codes say
_WIDER = 3.0  # than what could be: no board is
_OF_CELLS = ("value", "covariance", "information", "pull", "chi2")

__all__ = ["CONDUCTS", "CellFit", "Prior", "estimate_cells", "predict"]


@dataclass(frozen=True)
class Prior:
    """Width about zero of each parameter over the cells of a board, `[parameter]` in the units of CELL_PARAMETERS.

    `widest` is what could be before anything was learned. There is no mean to be learned: a bend that all DACs have in
    common is hardly to be told from the saturation, which all cells have in common, and would take its place.
    """

    width: Tensor
    widest: Tensor

    @classmethod
    def generous(cls, gain_lsb: float, threshold_V: float) -> "Prior":
        """Before anything is known: `gain_lsb` is one LSB over the largest gain, `threshold_V` the range."""
        bits = [2.0 * gain_lsb * 2.0 ** (-number / 2) for number in range(BITS)]
        width = [0.5, gain_lsb, 0.3 * threshold_V, 0.03, *[1.5 * gain_lsb] * len(BENDS), *bits]
        widest = torch.tensor(width, dtype=torch.float64)
        return cls(widest, widest)

    def usual(self, value: Tensor) -> Tensor:
        """Whether codes change the gain as they do in a working cell, `[cell]`.

        A dead or stuck cell may be explained by a gain that is the same at all codes, and is not sound for that.
        """
        return (value[:, 0] > CONDUCTS - 1) & (value[:, 1].abs() <= _WIDER * self.widest[1])

    def learned(self, fit: "CellFit", sound: Tensor) -> "Prior":
        """Widths of the weak parameters as the board's `sound` cells show them; scale and threshold stay.

        The likeliest ones, by expectation and maximisation on the linearised fits, so that a family of curves which
        the board's DACs do not have ends with no width, and one that they have does not lose its own to it. Each time
        from the widest on: from a width that few readings had taken for nothing there is no way back.
        """
        usual = self.usual(fit.value) & (fit.value.abs() <= _WIDER * self.widest).all(1)
        rows = torch.nonzero(sound & usual)[:, 0]  # what cannot be is no measure for others
        if not len(rows):
            return self
        rows = rows[:: max(1, len(rows) // _ENOUGH_CELLS)]
        information, pull = fit.information[rows], fit.pull[rows]
        keep = torch.tensor([name in ("scale", "threshold") for name in CELL_PARAMETERS])
        width = self.widest
        for _ in range(_ROUNDS):
            covariance = with_prior(information, width)
            value = (covariance @ pull[..., None])[..., 0]
            square = (value**2).mean(0) + torch.diagonal(covariance, dim1=1, dim2=2).mean(0)
            likeliest = torch.minimum(square.sqrt().clamp(min=_LEAST_WIDTH), _WIDER * self.widest)
            width = torch.where(keep, self.width, likeliest)
        return Prior(width, self.widest)


@dataclass(frozen=True)
class CellFit:
    """`value[cell, parameter]` and `covariance`; `information` and `pull` of a cell's own readings, no prior and
    nothing shared in them; `chi2[cell]` a degree of freedom, noise of a read beyond its slot.
    """

    value: Tensor
    covariance: Tensor
    information: Tensor
    pull: Tensor
    chi2: Tensor
    noise_V: float

    def of(self, rows: Tensor | slice) -> "CellFit":
        """The fits of some cells only."""
        return CellFit(**{name: getattr(self, name)[rows] for name in _OF_CELLS}, noise_V=self.noise_V)

    def replaced(self, rows: Tensor, part: "CellFit") -> "CellFit":
        """The same with the cells of `rows` as `part` has them."""
        fields = {name: getattr(self, name).clone() for name in _OF_CELLS}
        for name, values in fields.items():
            values[rows] = getattr(part, name)
        return CellFit(**fields, noise_V=self.noise_V)


def predict(law: CellLaw, blocks: list[CellBlock], shared: Shared, p: Tensor) -> tuple[Tensor, Tensor]:
    """Predictions `[cell, reading]` of all blocks and partials `[cell, reading, parameter]`."""
    volts, partials = [], []
    for block in blocks:
        value, slope = respond(law, block, shared, p)
        volts.append(value.flatten(1))
        partials.append(slope.flatten(1, 2) @ partials_to_parameters(law, block))
    return torch.cat(volts, 1), torch.cat(partials, 1)


def estimate_cells(
    law: CellLaw,
    blocks: list[CellBlock],
    shared: Shared,
    prior: Prior,
    start: Tensor,
    noise_V: float,
    learn: bool = True,
) -> CellFit:
    """Fit every cell from `start[cell, parameter]`; `noise_V` is a read's noise beyond its slot's scatter.

    With `learn` that noise is estimated anew from the residuals.
    """
    measured, variance, usable, copies = (stacked(blocks, name) for name in ("volts", "variance", "usable", "copies"))
    mean, width = torch.zeros_like(start), prior.width.expand_as(start)

    def model(p: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        return predict(law, [block.of(rows) for block in blocks], shared, p)

    fit = fit_each(model, measured, usable / (variance + noise_V**2 / copies), start, mean, width)
    found = len(width[0]) - (torch.diagonal(fit.covariance, dim1=1, dim2=2) / width**2).sum(1)
    freedom = (usable.sum(1) - found).clamp(min=1)
    if learn:
        noise_V = excess_noise(fit.residual * copies.sqrt(), variance * copies, usable, freedom)
    chi2 = chi_square(fit.residual, variance + noise_V**2 / copies, usable, freedom)
    return CellFit(fit.value, fit.covariance, fit.information, fit.pull, chi2, noise_V)


def excess_noise(residual: Tensor, variance: Tensor, usable: Tensor, freedom: Tensor) -> float:
    """Standard deviation that residuals show beyond the scatter within slots, by the median over cells.

    `freedom[cell]`: readings less what the data decide of the parameters (a prior decides the rest).
    """
    count = usable.sum(1)
    share = freedom / count.clamp(min=1)
    beyond = (usable * (residual**2 - variance * share[:, None])).sum(1) / freedom
    enough = count > 4
    # the median of a chi^2 of n degrees of freedom lies about 2/(3 n) below its mean
    low = 1 - 2 / (3 * freedom[enough].median()) if bool(enough.any()) else 1.0
    return max(float(beyond[enough].median() / low), 1e-10) ** 0.5 if bool(enough.any()) else 1e-3


def chi_square(residual: Tensor, variance: Tensor, usable: Tensor, freedom: Tensor) -> Tensor:
    """Weighted squares a degree of freedom, `[cell]`."""
    return (usable * residual**2 / variance).sum(1) / freedom
