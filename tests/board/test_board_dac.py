"""The terms of a DAC's curve hold no mean and no slope, and hold what they are for."""

import numpy as np
import pytest

from jackfield.board import BENDS, BITS, CodeScale, curve_terms

SCALES = [CodeScale(-75e-6, 75e-6, 8, "bipolar", "S"), CodeScale(0.0, 1e-4, 12, "unipolar", "S"),
          CodeScale(-1.0, 1.0, 4, "bipolar", "1")]  # fmt: skip


@pytest.mark.parametrize("scale", SCALES)
def test_bits_have_neither_mean_nor_slope_and_bends_hardly(scale: CodeScale) -> None:
    codes = np.arange(scale.code_range[0], 2**scale.bits)
    terms, x = curve_terms(scale)[codes], scale.value(codes) - (scale.hi + scale.lo) / 2
    assert terms.shape == (len(codes), len(BENDS) + BITS)
    bits = terms[:, len(BENDS) :]
    np.testing.assert_allclose(bits.mean(0), 0, atol=1e-12)
    np.testing.assert_allclose((bits * x[:, None]).mean(0) / scale.hi, 0, atol=1e-12)
    assert np.abs(terms[:, : len(BENDS)].mean(0)).max() < 2 / len(codes) + 1e-9


@pytest.mark.parametrize("bit", range(5))
def test_a_bit_that_errs_is_its_term_and_a_line(bit: int) -> None:
    scale = SCALES[0]
    codes = np.arange(1, 256)
    curve = 0.7 * (codes >> (7 - bit) & 1)
    columns = [np.ones(255), codes, curve_terms(scale)[codes, len(BENDS) + bit]]
    weights, left, *_ = np.linalg.lstsq(np.stack(columns, axis=1), curve, rcond=None)
    assert weights[2] == pytest.approx(0.7)
    assert left[0] < 1e-20


def test_bits_that_a_dac_lacks_have_no_shape() -> None:
    assert not curve_terms(SCALES[2])[:, len(BENDS) + 4 :].any()
