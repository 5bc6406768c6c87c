"""Coordinate descent over integers."""

import numpy as np

from jackfield.compile.knobs import Knobs, descend


def make(seed: int, ridge_centre: float = 0.3) -> tuple[Knobs, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    knobs = Knobs(
        codes=np.full(40, 100),
        low=np.full(40, 99),
        high=np.full(40, 104),
        centre=np.full(40, 100 + ridge_centre),
        source=rng.integers(0, 3, 40),
        destination=rng.integers(3, 6, 40),
    )
    effect = rng.standard_normal((40, 200)).astype(np.float32)
    residual = rng.standard_normal((6, 200)).astype(np.float32) * 5
    residual[0] = 0
    return knobs, effect, residual, np.array([0.0, 1, 2, 1, 1, 0.5])


def test_the_residual_is_kept_true_and_shrinks() -> None:
    knobs, effect, residual, weight = make(1)
    before, codes = residual.copy(), knobs.codes.copy()
    descend(knobs, effect, residual, weight, ridge=0.0, reach=2)
    moved = (knobs.codes - codes)[:, None] * effect
    expected = before.copy()
    np.add.at(expected, knobs.destination, -weight[knobs.destination, None] * moved)
    np.add.at(expected, knobs.source, weight[knobs.source, None] * moved)
    np.testing.assert_allclose(residual, expected, atol=1e-4)
    assert (residual**2).sum() < (before**2).sum()
    assert not residual[0].any()
    assert np.abs(knobs.codes - codes).max() <= 2
    assert knobs.codes.min() >= 99


def test_a_strong_ridge_keeps_codes_at_the_nearest_integer() -> None:
    knobs, effect, residual, weight = make(2)
    descend(knobs, effect, residual, weight, ridge=1e6, reach=3)
    assert (knobs.codes == 100).all()


def test_a_known_shift_is_found() -> None:
    knobs, effect, residual, weight = make(3, ridge_centre=0.0)
    step = np.random.default_rng(3).integers(-1, 4, 40)
    residual[:] = 0
    np.add.at(residual, knobs.destination, weight[knobs.destination, None] * step[:, None] * effect)
    np.add.at(residual, knobs.source, -weight[knobs.source, None] * step[:, None] * effect)
    for _ in range(10):
        descend(knobs, effect, residual, weight, ridge=0.0, reach=3)
    seen = weight[knobs.source] + weight[knobs.destination] > 0
    assert np.array_equal((knobs.codes - 100)[seen], step[seen])
