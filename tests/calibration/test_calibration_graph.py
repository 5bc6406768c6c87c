"""Parts rely on what is measured before them, and a part asked for alone says on what."""

import pytest

from jackfield.errors import CalibrationError
from jackfield_calibration.graph import LEVELS, PARTS, Asked
from jackfield_calibration.node_routine import RECORDS


def test_each_part_relies_on_earlier_ones_alone() -> None:
    order = list(PARTS)
    for name, part in PARTS.items():
        assert all(order.index(need) < order.index(name) for need in part.needs)
        assert all(set(PARTS[need].needs) <= set(part.needs) for need in part.needs)


def test_both_levels_take_every_record_of_the_nodes() -> None:
    for level in LEVELS:
        assert sorted(Asked.of(level).records) == sorted(RECORDS)
        assert not Asked.of(level).relies_on


def test_a_part_alone_keeps_its_own_tables() -> None:
    asked = Asked.of("cells", ["trims"])
    assert asked.measured == ("presets", "trims")
    assert asked.relies_on == ("presets",)
    assert asked.keeps("trim_gain")
    assert not asked.keeps("preset_gain")
    assert not asked.keeps("gain_scale")
    cells = Asked.of("nodes", ["cells"])
    assert cells.relies_on == ("presets", "droop")
    assert cells.keeps("gain_bit_1_S")
    assert not cells.keeps("trim_gain")


@pytest.mark.parametrize(("level", "only"), [("all", []), ("cells", ["gain"])])
def test_unknown_names_are_refused_with_those_there_are(level: str, only: list[str]) -> None:
    with pytest.raises(CalibrationError, match=r"unknown; .* (nodes, cells|presets, droop)"):
        Asked.of(level, only)
