"""Why a cell is bad: the same fit on the same runs under another supposition, the likelier one named."""

from dataclasses import replace

import torch
from torch import Tensor

from jackfield_calibration.cell_estimator import CONDUCTS, CellFit, Prior, estimate_cells
from jackfield_calibration.cell_model import CellLaw
from jackfield_calibration.cell_runs import CellBlock
from jackfield_calibration.shared import Shared

__all__ = ["diagnose"]

_BETTER = 4.0  # a supposition counts if it explains the runs so much better
_FITS = 5.0  # chi^2 a degree of freedom of a supposition that may be true


def diagnose(law: CellLaw, blocks: list[CellBlock], shared: Shared, prior: Prior, fit: CellFit) -> list[str]:
    """`dead`, `stuck`, `swapped`, or "" where none of these explains the cell; `blocks` and `fit` of suspects only.

    A cell with an open end carries nothing either: seen from outside it is dead.
    """
    start, nothing = torch.zeros_like(fit.value), torch.zeros_like(fit.value)
    nothing[:, 0] = -1.0  # a stuck gain may have either sign: begin in the middle
    suppositions = {
        "dead": ([replace(block, gain_S=torch.zeros_like(block.gain_S)) for block in blocks], start),
        "swapped": ([block.turned() for block in blocks], start),
        "stuck": ([replace(block, gain_S=_constant(law, block)) for block in blocks], nothing),
    }
    wide = replace(prior, width=prior.width.clone())
    wide.width[0] = 2.0  # a stuck code may be anywhere, either sign
    others = {
        name: estimate_cells(law, parts, shared, wide, begin, fit.noise_V, learn=False)
        for name, (parts, begin) in suppositions.items()
    }
    usual = prior.usual(fit.value)
    return [_name(row, fit, others, bool(usual[row])) for row in range(len(fit.value))]


def _constant(law: CellLaw, block: CellBlock) -> Tensor:
    return torch.full_like(block.gain_S, law.largest_gain_S)


def _name(row: int, fit: CellFit, others: dict[str, CellFit], usual: bool) -> str:
    """The likeliest supposition; where the ordinary fit is `usual`, one that explains the runs far better."""
    ordinary = float(fit.chi2[row]) / _BETTER if usual else _FITS
    if abs(1 + float(fit.value[row, 0])) < CONDUCTS and float(others["dead"].chi2[row]) < _FITS:
        return "dead"
    best = min(others, key=lambda name: float(others[name].chi2[row]))
    return best if float(others[best].chi2[row]) < ordinary else ""
