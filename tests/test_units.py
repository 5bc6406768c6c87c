"""Quantities as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield.errors import DesignError
from jackfield.units import format_quantity, parse_quantity


@pytest.mark.parametrize(
    ("value", "text"),
    [(3.2e-6, "3.2 uS"), (0.0, "0 S"), (999.9e-6, "1 mS"), (-1.5, "-1.5 S"), (47e3, "47 kS"), (5e-16, "0.5 fS")],
)
def test_format(value: float, text: str) -> None:
    assert format_quantity(value, "S") == text


@given(st.floats(1e-14, 1e11))
def test_round_trip_to_three_digits(value: float) -> None:
    assert parse_quantity(format_quantity(value, "V"), "V") == pytest.approx(value, rel=6e-3)


@pytest.mark.parametrize("text", ["3.2 uA", "volts", "", "1 2 V", "1.2.3 V"])
def test_wrong_unit_is_named(text: str) -> None:
    with pytest.raises(DesignError, match="is not a quantity in V"):
        parse_quantity(text, "V")


def test_plain_numbers_are_in_the_unit_itself() -> None:
    assert parse_quantity("2.5e-3", "V") == 2.5e-3
