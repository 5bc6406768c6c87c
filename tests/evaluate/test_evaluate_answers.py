"""Errors of a board's answers: none is hidden, none counts that says nothing."""

import numpy as np
import pytest

from jackfield.evaluate import Answers

RNG = np.random.default_rng(3)
WANTED = RNG.uniform(-0.5, 0.5, (400, 10))
NOISE = 0.003 * RNG.standard_normal(WANTED.shape)


def answers(valid: np.ndarray | None = None) -> Answers:
    every = np.ones(WANTED.shape, dtype=np.bool_)
    return Answers(WANTED + NOISE, 1.1 * WANTED, np.full(WANTED.shape, 0.003), every if valid is None else valid)


def test_the_output_error_is_of_held_volts_valid_or_not() -> None:
    rms = 0.1 * np.sqrt(np.mean(WANTED**2))
    assert answers().error_rms_V(WANTED) == pytest.approx(rms)
    assert answers(np.zeros(WANTED.shape, dtype=np.bool_)).error_rms_V(WANTED) == pytest.approx(rms)


def test_standard_errors_that_mean_what_they_say_give_a_mean_of_0_8() -> None:
    found = answers().mean_abs_z(WANTED, np.zeros(WANTED.shape))
    assert found == pytest.approx(np.sqrt(2 / np.pi), abs=0.03)
    off = answers().mean_abs_z(WANTED + 0.03, np.zeros(WANTED.shape))
    assert off == pytest.approx(10, abs=0.1)


def test_unknown_predictions_and_invalid_readings_do_not_count() -> None:
    se, wrong = np.zeros(WANTED.shape), WANTED.copy()
    se[:, 0], wrong[:, 0] = np.inf, 9.0
    valid = np.ones(WANTED.shape, dtype=np.bool_)
    valid[:, 1], wrong[:, 1] = False, 9.0
    assert answers(valid).mean_abs_z(wrong, se) == pytest.approx(np.sqrt(2 / np.pi), abs=0.03)
    assert np.isnan(answers().mean_abs_z(WANTED, np.full(WANTED.shape, np.inf)))
