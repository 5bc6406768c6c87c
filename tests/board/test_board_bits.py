import numpy as np
import pytest

from jackfield.board.bits import join_fields, split_fields


@pytest.mark.parametrize("widths", [[1], [1, 7, 7, 8, 8], [1, 11, 11, 16, 16, 16], [32, 32, 1], [63, 2, 63]])
def test_fields_lie_side_by_side_and_come_back(widths: list[int]) -> None:
    rng = np.random.default_rng(0)
    fields = [(rng.integers(0, 1 << width, 37), width) for width in widths]
    bits = join_fields(fields)
    assert bits.shape == (37, sum(widths))
    start = 0
    for values, width in fields:
        asked = values[:, None] >> np.arange(width) & 1
        np.testing.assert_array_equal(bits[:, start : start + width], asked)
        start += width
    for (values, _), back in zip(fields, split_fields(bits, widths), strict=True):
        np.testing.assert_array_equal(back, values)
