from dataclasses import replace

import numpy as np
import pytest

from jackfield.board import BoardSpec
from jackfield.emulator.draws import draw_cells
from jackfield.emulator.drift import Drift
from jackfield.emulator.profiles import Profile
from jackfield.emulator.randomness import Randomness


def test_temperature_and_time_move_cells_as_the_profile_says(jf96: BoardSpec) -> None:
    profile, randomness = Profile.of(jf96, "cmos"), Randomness("jf96", "cmos", 7)
    (draws,) = draw_cells(jf96, profile, randomness, 0)
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
