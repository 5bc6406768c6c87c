"""Fits and verification runs as what an observer hears of them."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from jackfield.board import BoardSpec
from jackfield_calibration.cell_estimator import CellFit, predict
from jackfield_calibration.cell_model import CellLaw
from jackfield_calibration.cell_runs import CellBlock, stacked
from jackfield_calibration.observer import Evidence, Standing
from jackfield_calibration.shared import Shared

__all__ = ["evidence", "standing"]

_OFF = "runs off the fit"


def standing(spec: BoardSpec, cells: NDArray[np.int64], fit: CellFit, sound: NDArray[np.bool_]) -> Standing:
    """How it stands after `fit` of `cells`, of which `sound[cell]` are explained by it."""
    part = spec.group_of(int(cells[0]))
    gain, threshold = part.parameters["gain"], part.parameters["threshold"]
    columns = {"gain": (0, gain.hi / gain.lsb), "threshold": (2, 1 / threshold.lsb)}
    variance = torch.diagonal(fit.covariance, dim1=1, dim2=2)
    spread = {
        name: (_rms(fit.value[:, at].numpy()[sound]) * lsb, float(variance[:, at].numpy()[sound].mean() ** 0.5) * lsb)
        for name, (at, lsb) in columns.items()
    }
    return Standing(spread, {str(spec.cells[cell]): _OFF for cell in cells[~sound]})


def _rms(values: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(values**2))) if values.size else float("nan")


def evidence(law: CellLaw, blocks: list[CellBlock], shared: Shared, fit: CellFit, cells: NDArray[np.int64]) -> Evidence:
    """Verification runs `blocks` of `cells` against what `fit` predicts."""
    predicted, partials = predict(law, blocks, shared, fit.value)
    measured, usable = (stacked(blocks, name) for name in ("volts", "usable"))
    noise = torch.cat([block.noise(fit.noise_V).flatten(1) for block in blocks], 1)
    own = torch.diagonal(partials @ fit.covariance @ partials.transpose(1, 2), dim1=1, dim2=2)
    se = torch.sqrt(noise + own)
    reads = [block.usable.flatten(1).shape[1] for block in blocks]

    def once_a_read(name: str) -> Tensor:
        values = torch.stack([getattr(block, name) for block in blocks], 1)
        return values.repeat_interleave(torch.tensor(reads), dim=1)

    cell = torch.from_numpy(cells)[:, None].expand_as(predicted)
    columns = (cell, once_a_read("gain_S"), once_a_read("threshold_V"), predicted, measured, se)
    kept = usable.bool()
    return Evidence(*(column[kept].numpy() for column in columns))
