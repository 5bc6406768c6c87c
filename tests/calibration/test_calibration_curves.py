"""Widths of a DAC's curve are learned from the board: the family that is there, and not the other."""

import numpy as np
import pytest
import torch

from jackfield.board import BENDS, BITS, CodeScale
from jackfield_calibration.cell_estimator import CellFit, Prior
from jackfield_calibration.cell_model import CELL_PARAMETERS, CURVE, CellLaw

GAIN = CodeScale(-75e-6, 75e-6, 8, "bipolar", "S")
LSB = GAIN.lsb / GAIN.hi
NOISE = 0.3 * LSB
FAMILIES = {"smooth": slice(4, 4 + len(BENDS)), "binary": slice(4 + len(BENDS), None)}


def linear_fit(family: str, prior: Prior, cells: int = 600) -> tuple[CellFit, torch.Tensor]:
    """Gains of random codes, read with noise, as a linear fit under `prior` finds them, and the truth."""
    random = np.random.default_rng(8)
    true = np.zeros((cells, len(CELL_PARAMETERS)))
    true[:, 0], true[:, 1] = 0.18 * random.standard_normal(cells), 0.3 * LSB * random.standard_normal(cells)
    here = FAMILIES[family]
    true[:, here] = Prior.generous(LSB, 0.3).width[here].numpy() / 2 * random.standard_normal(true[:, here].shape)
    law = CellLaw("shifted_relu", GAIN, 45e-6)
    codes = torch.from_numpy(random.integers(1, 256, (cells, 12)))
    nominal = torch.from_numpy(GAIN.value(codes.numpy()))
    rows = torch.stack([law.gain_partials(nominal[:, k]) for k in range(12)], 1)
    read = (rows @ torch.from_numpy(true)[:, :, None])[..., 0]
    read = read + NOISE * torch.from_numpy(random.standard_normal(read.shape))
    information = rows.transpose(1, 2) @ rows / NOISE**2
    covariance = torch.linalg.inv(information + torch.diag(prior.width**-2))
    pull = (rows.transpose(1, 2) @ read[:, :, None])[..., 0] / NOISE**2
    value = (covariance @ pull[..., None])[..., 0]
    return CellFit(
        value, covariance, information, pull, torch.ones(cells, dtype=torch.float64), 1e-3
    ), torch.from_numpy(true)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_family_that_is_there_keeps_its_width(family: str) -> None:
    prior = Prior.generous(LSB, 0.3)
    fit, _ = linear_fit(family, prior)
    learned = prior.learned(fit, torch.ones(len(fit.value), dtype=torch.bool))
    other = next(name for name in FAMILIES if name != family)
    share = {name: float((learned.width / prior.width)[at][:3].mean()) for name, at in FAMILIES.items()}
    assert float((learned.width / prior.width)[FAMILIES[family]][:3].min()) > 0.3
    assert share[other] < share[family] / 2
    assert torch.equal(learned.width[[0, 2]], prior.width[[0, 2]])


def test_a_width_once_taken_for_nothing_comes_back() -> None:
    prior = Prior.generous(LSB, 0.3)
    narrow = Prior(prior.width.clone(), prior.widest)
    narrow.width[CURVE] = 1e-5
    fit, _ = linear_fit("binary", narrow)
    learned = narrow.learned(fit, torch.ones(len(fit.value), dtype=torch.bool))
    assert float((learned.width / prior.width)[FAMILIES["binary"]][:3].min()) > 0.3


def test_a_defect_that_is_explained_is_no_measure_for_the_others() -> None:
    prior = Prior.generous(LSB, 0.3)
    fit, _ = linear_fit("smooth", prior)
    everyone = torch.ones(len(fit.value), dtype=torch.bool)
    stuck = fit.of(torch.arange(60))
    stuck.value[:, 0], stuck.value[:, 1] = -1.0, 0.4
    stuck.pull[:] = (stuck.information @ stuck.value[:, :, None])[..., 0]
    with_stuck = prior.learned(fit.replaced(torch.arange(60), stuck), everyone)
    without = prior.learned(fit.of(slice(60, None)), everyone[60:])
    assert torch.equal(with_stuck.width, without.width)


def test_binary_codes_have_a_partial_for_each_bit() -> None:
    law = CellLaw("shifted_relu", GAIN, 45e-6)
    partials = law.gain_partials(torch.from_numpy(GAIN.value(np.array([1, 128, 255]))))
    assert partials.shape == (3, 4 + len(BENDS) + BITS)
    np.testing.assert_allclose(partials[:, 0].numpy(), [-1, 0, 1], atol=1e-12)
