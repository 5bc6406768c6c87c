from dataclasses import replace

import numpy as np
import pytest

from jackfield.board import BoardSpec
from jackfield.emulator.draws import Planted, draw_cells
from jackfield.emulator.drift import Drift, Moved
from jackfield.emulator.profiles import Profile
from jackfield.emulator.randomness import Randomness


def test_temperature_and_time_move_cells_as_the_profile_says(jf96: BoardSpec) -> None:
    profile, randomness = Profile.of(jf96, "cmos"), Randomness("jf96", "cmos", 7)
    (draws,) = draw_cells(jf96, profile, randomness, Planted())
    drift = Drift(profile, randomness, 25.0)
    assert not drift.of(draws, "gain", drift.epoch(0.0)).any()
    warm = replace(drift, temperature_C=35.0)
    assert warm.of(draws, "gain", 0).std() == pytest.approx(10 * 5e-4, rel=0.05)
    assert warm.of(draws, "threshold", 0).std() == pytest.approx(10 * 2e-4 * 0.3, rel=0.05)
    after = {hours: drift.of(draws, "gain", drift.epoch(3600.0 * hours)) for hours in (1, 4, 4.5)}
    assert after[1].std() == pytest.approx(3e-3, rel=0.05)
    assert after[4].std() == pytest.approx(6e-3, rel=0.05)
    assert np.corrcoef(after[4], after[4.5])[0, 1] > 0.95
    assert drift.of(draws, "threshold", drift.epoch(3600.0)).std() == pytest.approx(3e-3 * 0.3, rel=0.05)


def test_within_an_epoch_nothing_moves(jf96: BoardSpec) -> None:
    drift = Drift(Profile.of(jf96, "cmos"), Randomness("jf96", "cmos", 7), 25.0)
    assert drift.epoch(35.9) == 0
    assert drift.epoch(36.1) == 1


def test_cells_move_to_order(jf96: BoardSpec) -> None:
    profile, randomness = Profile.of(jf96, "cmos"), Randomness("jf96", "cmos", 7)
    (draws,) = draw_cells(jf96, profile, randomness, Planted())
    moved = Moved(share=0.05, gain=0.01, offset=2e-3)
    drift = Drift(profile, randomness, 25.0, moved)
    gain, threshold = (drift.of(draws, name, 0) for name in ("gain", "threshold"))
    which = gain != 0
    assert which.mean() == pytest.approx(0.05, abs=0.01)
    np.testing.assert_array_equal(which, threshold != 0)
    np.testing.assert_allclose(np.abs(gain[which]), 0.01)
    np.testing.assert_allclose(np.abs(threshold[which]), 2e-3)
    assert 0.4 < (gain[which] > 0).mean() < 0.6
    assert abs(np.corrcoef(gain[which], threshold[which])[0, 1]) < 0.2
    other = Drift(profile, Randomness("jf96", "cmos", 8), 25.0, moved)
    assert (other.of(draws, "gain", 0) != gain).any()
