import dataclasses
from typing import Any

import pytest
import torch

from jackfield.board import BoardSpec, CodeScale
from jackfield.errors import DesignError
from jackfield.model import Bounds


def test_jf96_allows_the_ranges_of_the_digits_network(jf96: BoardSpec) -> None:
    bounds = Bounds.from_spec(jf96, 0.6, 100e-6)
    assert bounds.codes["gain"].hi == pytest.approx(0.75)
    assert bounds.codes["threshold"].hi == pytest.approx(0.5)
    assert bounds.codes["gain"].lsb == pytest.approx(0.75 / 127)
    assert bounds.rails == pytest.approx((-1 / 0.6, 1 / 0.6))
    assert bounds.largest_v == pytest.approx(1.5)


def test_ranges_scale_with_time_and_volts(jf96: BoardSpec) -> None:
    bounds = Bounds.from_spec(jf96, 0.3, 50e-6)
    assert bounds.codes["gain"].hi == pytest.approx(0.375)
    assert bounds.codes["threshold"].hi == pytest.approx(1.0)
    assert bounds.largest_v == pytest.approx(3.0)


def test_volts_fit_the_rail_and_the_thresholds(jf96: BoardSpec) -> None:
    bounds = Bounds.from_spec(jf96, 0.6, 100e-6)
    thresholds = {"gain": torch.zeros(2), "threshold": torch.tensor([-0.4, 0.1])}
    assert bounds.fitting_volts(1.8, thresholds) == pytest.approx(0.5)
    assert bounds.fitting_volts(1.0, thresholds) == pytest.approx(0.3 / 0.4)
    one_sided = dataclasses.replace(
        bounds, scales={**bounds.scales, "threshold": CodeScale(0, 0.3, 8, "unipolar", "V")}
    )
    assert one_sided.fitting_volts(1.0, {"threshold": torch.tensor([0.0, 0.4])}) == pytest.approx(0.3 / 0.4)


def test_volts_keep_currents_and_slopes_within_their_codes(jf96: BoardSpec) -> None:
    scales = {
        "a": CodeScale(-40e-6, 40e-6, 8, "bipolar", "A"),
        "b": CodeScale(0, 4.0, 8, "unipolar", "1/V"),
        "c": CodeScale(-1, 1, 8, "bipolar", "1"),
    }
    bounds = dataclasses.replace(Bounds.from_spec(jf96, 0.6, 100e-6), law="tanh_diff", scales=scales)
    hi = {name: scale.hi for name, scale in bounds.codes.items()}
    inside = {"a": torch.tensor([-0.8, 0.5]) * hi["a"], "b": torch.tensor([0.9]) * hi["b"], "c": torch.tensor([1.0])}
    assert bounds.fitting_volts(1.5, inside) == pytest.approx(0.6)
    assert bounds.fitting_volts(0.1, inside) == pytest.approx(0.6 / 0.8)  # more volts, more amperes
    assert bounds.fitting_volts(9.0, inside) == pytest.approx(0.6 * 0.9)  # fewer volts, steeper slopes
    for wanted in (0.1, 1.2, 9.0):
        at = dataclasses.replace(bounds, volts_per_unit=bounds.fitting_volts(wanted, inside))
        assert all(float(values.abs().max()) <= at.codes[name].hi * (1 + 1e-6) for name, values in inside.items())


def test_a_conductance_on_relu_cells_has_their_gain(jf96: BoardSpec) -> None:
    bounds = Bounds.from_spec(jf96, 0.6, 100e-6, law="conductance")
    assert list(bounds.codes) == ["gain"]
    assert bounds.codes["gain"].hi == pytest.approx(0.75)


def test_bounds_that_cannot_be_are_refused(jf96: BoardSpec) -> None:
    with pytest.raises(DesignError, match="above zero"):
        Bounds.from_spec(jf96, 0.0, 100e-6)
    foreign = dataclasses.replace(jf96, groups=tuple(dataclasses.replace(g, law="polynomial") for g in jf96.groups))
    with pytest.raises(DesignError, match="no cells of law shifted_relu; it has polynomial"):
        Bounds.from_spec(foreign, 0.6, 100e-6)


def test_table_round_trip_is_exact_and_strict(jf96: BoardSpec) -> None:
    bounds = Bounds.from_spec(jf96, 0.6123, 97e-6)
    table: dict[str, Any] = bounds.to_table() | {"rail_V": list(bounds.rail_V)}
    assert Bounds.from_table(table, "here") == bounds
    with pytest.raises(DesignError, match=r"here.scales: key threshold is missing"):
        Bounds.from_table(table | {"scales": {"gain": table["scales"]["gain"]}}, "here")
    with pytest.raises(DesignError, match="here: key board is missing"):
        Bounds.from_table({key: value for key, value in table.items() if key != "board"}, "here")
