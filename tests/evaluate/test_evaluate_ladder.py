"""Accuracies come with intervals that mean what they say."""

import numpy as np
import pytest

from jackfield.errors import DesignError
from jackfield.evaluate import Rung, confusion_matrix, ladder, score, wilson_interval


def test_wilson_interval_is_the_published_one() -> None:
    # Newcombe (1998), Statistics in Medicine 17, 857, table I: 81 of 263.
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)


@pytest.mark.parametrize("share", [0.9, 0.98])
def test_wilson_interval_covers(share: float) -> None:
    rng = np.random.default_rng(0)
    draws = rng.binomial(540, share, size=4000)
    covered = np.mean([low <= share <= high for low, high in (wilson_interval(int(k), 540) for k in draws)])
    assert 0.93 < covered < 0.97


def test_an_empty_share_is_refused() -> None:
    with pytest.raises(DesignError, match="at least one input"):
        wilson_interval(0, 0)


def test_score_and_confusion_agree() -> None:
    rng = np.random.default_rng(1)
    logits, labels = rng.normal(size=(200, 10)), rng.integers(0, 10, 200)
    rung = score("float", logits, labels)
    matrix = confusion_matrix(logits, labels)
    assert rung.accuracy == np.trace(matrix) / 200
    assert np.array_equal(matrix.sum(axis=1), np.bincount(labels, minlength=10))
    with pytest.raises(DesignError, match="the ladder has float"):
        score("best", logits, labels)


def test_rungs_stand_in_order() -> None:
    rungs = [Rung(name, 0.5, (0.4, 0.6), 10) for name in ("board_calibrated", "float", "board_raw")]
    assert [rung.rung for rung in ladder(rungs)] == ["float", "board_raw", "board_calibrated"]
