"""A code stands for a value, and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield.board import CodeScale
from jackfield.errors import DesignError

BIPOLAR = CodeScale(-75e-6, 75e-6, 8, "bipolar", "S")
UNIPOLAR = CodeScale(0.0, 5.0, 12, "unipolar", "V")


def test_bipolar_zero_is_exact_and_the_ends_are_the_range() -> None:
    assert BIPOLAR.value(128) == 0.0
    assert BIPOLAR.value([1, 255]) == pytest.approx([-75e-6, 75e-6], rel=1e-15)
    assert BIPOLAR.code_range == (1, 255)


def test_unipolar_ends_are_the_range() -> None:
    assert UNIPOLAR.value([0, 4095]) == pytest.approx([0.0, 5.0])
    assert UNIPOLAR.code_range == (0, 4095)


@given(st.floats(-75e-6, 75e-6))
def test_quantising_is_off_by_at_most_half_an_lsb(value: float) -> None:
    assert abs(BIPOLAR.value(BIPOLAR.code(value)) - value) <= BIPOLAR.lsb / 2 * (1 + 1e-9)


@pytest.mark.parametrize("scale", [BIPOLAR, UNIPOLAR])
def test_every_code_survives_the_round_trip(scale: CodeScale) -> None:
    codes = np.arange(scale.code_range[0], scale.code_range[1] + 1)
    assert np.array_equal(scale.code(scale.value(codes)), codes)


def test_ties_go_to_the_even_code() -> None:
    scale = CodeScale(0.0, 15.0, 4, "unipolar", "V")
    assert scale.code([0.5, 1.5, 2.5]).tolist() == [0, 2, 2]


def test_a_value_beyond_the_range_is_refused_with_value_and_range() -> None:
    with pytest.raises(DesignError, match=r"80 uS is outside .* -75 uS to 75 uS"):
        BIPOLAR.code(80e-6)
    with pytest.raises(DesignError):
        BIPOLAR.code(np.nan)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-1.0, 2.0, 8, "bipolar", "V"), "symmetric"),
        ((0.0, 1.0, 0, "unipolar", "V"), "bits"),
        ((0.0, 1.0, 8, "offset", "V"), "coding"),
    ],
)
def test_a_scale_that_cannot_be_is_refused(arguments: tuple[float, float, int, str, str], message: str) -> None:
    with pytest.raises(DesignError, match=message):
        CodeScale(*arguments)
