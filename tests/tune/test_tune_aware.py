"""Boards drawn for aware training are those of the statistics; training on them makes strangers agree."""

import numpy as np
import pytest

from jackfield.board import BoardSpec
from jackfield.errors import DesignError
from jackfield.tune import draws_of_profile
from jackfield.tune.batches import Batches


def test_boards_are_drawn_as_the_statistics_say(jf96: BoardSpec) -> None:
    said = jf96.statistics["rough"]
    board = draws_of_profile(jf96, "rough")(np.random.default_rng(1))
    alive = board.gain_scale != 0
    assert np.mean(~alive) == pytest.approx(2 * said["defect_rate"], rel=0.5)
    assert board.gain_scale[alive].std() == pytest.approx(said["gain_relative"], rel=0.05)
    assert board.threshold_offset_V.std() == pytest.approx(said["threshold_offset"] * 0.3, rel=0.05)
    leaks = board.leak_S / (said["leak_mean"] * 10e-9 / 100e-6)
    assert leaks.mean() == pytest.approx(1, abs=0.1)
    assert leaks.std() == pytest.approx(said["leak_relative"], rel=0.3)
    assert float(board.saturation) == said["saturation"]


def test_two_boards_of_one_seed_are_the_same_and_the_next_is_not(jf96: BoardSpec) -> None:
    draw = draws_of_profile(jf96, "cmos")
    first, again = (draw(np.random.default_rng(4)) for _ in range(2))
    assert (first.gain_scale == again.gain_scale).all()
    rng = np.random.default_rng(4)
    assert (draw(rng).gain_scale != draw(rng).gain_scale).mean() > 0.99


def test_an_unknown_profile_is_refused(jf96: BoardSpec) -> None:
    with pytest.raises(DesignError, match="has ideal, modules, cmos, rough"):
        draws_of_profile(jf96, "best")


class _Data:
    x_train = np.arange(10, dtype=np.float32)[:, None]
    y_train = np.arange(10)


def test_every_example_comes_once_before_any_comes_again() -> None:
    batches = Batches(_Data(), 4, 3)
    seen = np.concatenate([next(batches)[1].numpy() for _ in range(5)])
    assert (np.sort(seen[:10]) == np.arange(10)).all()
    assert (np.sort(seen[10:]) == np.arange(10)).all()
    x, y = next(Batches(_Data(), 4, 3))
    assert (x[:, 0] == y.numpy()).all()
