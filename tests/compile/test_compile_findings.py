"""Odd specs are spoken about; the reference boards are not odd."""

import pytest

from jackfield.board import BoardSpec
from jackfield.compile import check_spec
from jackfield_boards import spec_folder


def spoiled(old: str, new: str) -> BoardSpec:
    text = (spec_folder() / "jf96.toml").read_text()
    assert old in text
    return BoardSpec.from_toml(text.replace(old, new))


def test_the_reference_boards_are_clean(jf16: BoardSpec, jf96: BoardSpec) -> None:
    assert check_spec(jf16) == []
    assert check_spec(jf96) == []


@pytest.mark.parametrize(
    ("old", "new", "where", "words"),
    [
        ("preset = { range_V = [-1.0, 1.0]", "preset = { range_V = [-1.5, 1.5]", "nodes.preset", "beyond the rails"),
        ("preset = { range_V = [-1.0, 1.0]", "preset = { range_V = [-0.4, 0.4]", "nodes.preset", "half of the rails"),
        ("common_mode_V = 0.0", "common_mode_V = 2.5", "nodes.common_mode_V", "not between the rails"),
        ("leak_S = 0.0", "leak_S = 2e-4", "nodes.leak_S", "a tenth of its charge"),
        ("capacitance_F = 10e-9", "capacitance_F = 10e-12", "cells A.gain", "less than 10 ticks of 1 us"),
        ("capacitance_F = 10e-9", "capacitance_F = 10e-6", "cells A.gain", "longer than the longest run of 5 ms"),
        ("bandwidth_Hz = 5e6", "bandwidth_Hz = 5e3", "cells A.gain", "bandwidth of 5 kHz"),
        ("trim = { range_A = [-25e-6, 25e-6]", "trim = { range_A = [-5e-6, 5e-6]", "nodes.trim", "below 3 sigma"),
        ("trim = { range_A = [-25e-6, 25e-6]", "trim = { range_A = [-3e-3, 3e-3]", "nodes.trim", "one LSB moves"),
        ("bank_switch_s = 1e-6", "bank_switch_s = 1e-5", "run.bank_switch_s", "half of the shortest run"),
        ("min_s = 10e-6", "min_s = 1.0", "run", "nothing can run"),
        ("reference_V = 0.8", "reference_V = 0.1", "probe.reference_V", "poor ruler"),
        ("absolute_max_V = 5.0", "absolute_max_V = 0.5", "probe.absolute_max_V", "exceeds what the probe may show"),
        ("settle_fraction = 0.3", "settle_fraction = 0.95", "probe.settle_fraction", "almost nothing"),
        ("width_s = 10e-6", "width_s = 1e-3", "probe.trigger.width_s", "longer than the shortest input"),
    ],
)
def test_oddities_are_named(old: str, new: str, where: str, words: str) -> None:
    found = check_spec(spoiled(old, new))
    assert any(finding.where == where and words in finding.message for finding in found), [str(f) for f in found]


def test_one_signed_gains_and_missing_statistics_are_named() -> None:
    one_signed = spoiled(
        'gain = { range_S = [-75e-6, 75e-6], bits = 8, coding = "bipolar" }',
        'gain = { range_S = [0.0, 75e-6], bits = 8, coding = "unipolar" }',
    )
    assert "cells A.gain: gains have one sign" in str(check_spec(one_signed)[0])
    text = (spec_folder() / "jf96.toml").read_text().partition("[statistics.ideal]")[0]
    assert [finding.where for finding in check_spec(BoardSpec.from_toml(text))] == ["statistics"]


def test_nodes_out_of_reach_are_named() -> None:
    text = (spec_folder() / "jf16.toml").read_text().replace("count = 48", "count = 2")
    routes = "cell,sources,destinations\nA1,1 2,3 4\nA2,5 6,7 8\n"
    found = check_spec(BoardSpec.from_toml(text, {"jf16_reach.csv": routes}))
    assert "no cell has node 3, 4, 7, 8, 9" in found[0].message
    assert found[1].message.endswith("as destination")
