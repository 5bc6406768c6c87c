from typing import Any

import numpy as np
import pytest

from jackfield.board import BoardSpec
from jackfield.emulator.draws import DEFECTS, RATED, CellDraws, NodeDraws, Planted, ProbeDraws, draw_cells
from jackfield.emulator.inl import FAMILIES, inl_shapes
from jackfield.emulator.profiles import Profile
from jackfield.emulator.randomness import Randomness
from jackfield.errors import DesignError


def cells(spec: BoardSpec, profile: str, seed: int = 7, **planted: Any) -> CellDraws:
    return draw_cells(spec, Profile.of(spec, profile), Randomness(spec.name, profile, seed), Planted(**planted))[0]


@pytest.mark.parametrize("profile", ["modules", "cmos", "rough"])
def test_cells_spread_as_the_profile_says(jf96: BoardSpec, profile: str) -> None:
    drawn, s = cells(jf96, profile), jf96.statistics[profile]
    gain, threshold = drawn.parameters["gain"], drawn.parameters["threshold"]
    lsb, group = jf96.groups[0].parameters["gain"].lsb, jf96.groups[0]
    assert gain.scale.std() == pytest.approx(s["gain_relative"], rel=0.04)
    assert gain.scale.mean() == pytest.approx(1.0, abs=5 * s["gain_relative"] / 8192**0.5)
    assert gain.zero.std() / lsb == pytest.approx(s["gain_zero_lsb"], rel=0.04)
    assert threshold.zero.std() / 0.3 == pytest.approx(s["threshold_offset"], rel=0.04)
    assert drawn.current_A.std() / group.output_limit_A == pytest.approx(s["cell_current_offset"], rel=0.04)


@pytest.mark.parametrize("family", FAMILIES)
def test_inl_has_the_right_size_and_is_neither_gain_nor_zero(jf96: BoardSpec, family: str) -> None:
    gain, scale = cells(jf96, "cmos", inl=family).parameters["gain"], jf96.groups[0].parameters["gain"]
    codes = np.arange(1, 256)
    curves = gain.inl @ inl_shapes(family, scale)[codes].T / scale.lsb
    assert np.sqrt(np.mean(curves**2)) == pytest.approx(jf96.statistics["cmos"]["gain_inl_lsb"], rel=0.05)
    assert np.abs(curves.mean(axis=1)).max() < 0.05
    assert np.abs((curves * scale.value(codes) / scale.hi).mean(axis=1)).max() < 0.05
    steps = np.abs(np.diff(curves, axis=1)).mean(axis=0)
    assert (steps[127 - 1] > 10 * np.median(steps)) == (family == "binary")  # the major carry, codes 127 to 128


def test_an_unknown_family_is_refused_with_those_there_are() -> None:
    with pytest.raises(DesignError, match="smooth, binary"):
        Planted(inl="cubic")


def test_noisy_cells_and_stuck_switches_come_to_order(jf96: BoardSpec) -> None:
    assert np.count_nonzero(cells(jf96, "ideal", noisy=3).defect == DEFECTS.index("noisy")) == 3
    probes = [
        ProbeDraws.draw(jf96, Profile.of(jf96, "ideal"), Randomness("jf96", "ideal", seed), 2).stuck for seed in (1, 2)
    ]
    assert [stuck.sum() for stuck in probes] == [2, 2]
    assert not np.array_equal(*probes)


def test_defects_come_at_their_rate_and_on_request(jf96: BoardSpec) -> None:
    counts = np.zeros(len(DEFECTS))
    for seed in range(20):
        counts += np.bincount(cells(jf96, "rough", seed).defect, minlength=len(DEFECTS))
    assert counts[1 : 1 + RATED] == pytest.approx(20 * 8192 * 2e-3, rel=0.2)
    before, after = cells(jf96, "cmos"), cells(jf96, "cmos", dead=5)
    changed = np.flatnonzero(before.defect != after.defect)
    assert len(changed) == 5
    assert set(after.defect[changed]) == {DEFECTS.index("dead")}


def test_the_ideal_profile_has_no_errors(jf96: BoardSpec) -> None:
    drawn, profile = cells(jf96, "ideal"), Profile.of(jf96, "ideal")
    randomness = Randomness("jf96", "ideal", 7)
    nodes, probes = NodeDraws.draw(jf96, profile, randomness), ProbeDraws.draw(jf96, profile, randomness)
    assert set(drawn.parameters["gain"].scale) == {1.0}
    assert not drawn.parameters["threshold"].zero.any()
    assert not drawn.current_A.any()
    assert not drawn.defect.any()
    assert set(nodes.capacitance_F) == {10e-9}
    assert not nodes.leak_S.any()
    assert probes.reference_V == 0.8


def test_nodes_and_probes_spread_as_the_profile_says(jf96: BoardSpec) -> None:
    s, profile = jf96.statistics["rough"], Profile.of(jf96, "rough")
    boards = [Randomness("jf96", "rough", seed) for seed in range(20)]
    nodes = [NodeDraws.draw(jf96, profile, board) for board in boards]
    probes = [ProbeDraws.draw(jf96, profile, board) for board in boards]

    def spread(name: str, draws: list[NodeDraws] | list[ProbeDraws]) -> float:
        return float(np.std([getattr(d, name) for d in draws]))

    assert spread("capacitance_F", nodes) / 10e-9 == pytest.approx(s["capacitance_relative"], rel=0.1)
    assert np.mean([d.leak_S for d in nodes]) == pytest.approx(s["leak_mean"] * 10e-9 / 100e-6, rel=0.05)
    assert spread("offset_A", nodes) / 45e-6 == pytest.approx(s["node_offset_current"], rel=0.1)
    assert spread("preset_gain", nodes) == pytest.approx(s["preset_gain"], rel=0.1)
    assert spread("preset_offset_V", nodes) == pytest.approx(s["preset_offset"], rel=0.1)
    assert np.mean([d.droop_per_s for d in nodes]) * 20e-6 == pytest.approx(s["droop_per_slot"], rel=0.05)
    assert spread("switch_V", nodes) == pytest.approx(s["bank_switch_charge"], rel=0.1)
    assert spread("gain", probes) == pytest.approx(s["probe_gain"], rel=0.4)
    assert all((d.crosstalk.diagonal() == 0).all() for d in probes)


def test_one_seed_is_one_board(jf96: BoardSpec) -> None:
    one, same, other = (cells(jf96, "cmos", seed).parameters["gain"].scale for seed in (7, 7, 8))
    assert np.array_equal(one, same)
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.06
