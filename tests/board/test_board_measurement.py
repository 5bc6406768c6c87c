"""Batches of one scan become one measurement."""

import numpy as np

from jackfield.board import Measurement


def test_batches_are_joined_in_their_order() -> None:
    def batch(inputs: int, volts: float, ratio: float) -> Measurement:
        shape, slots = (inputs, 3), np.full((inputs, 2), volts)
        off = np.zeros(shape, dtype=np.bool_)
        return Measurement((5, 1, 4), np.full(shape, volts), np.full(shape, 1e-3), off, ~off, slots, slots, ratio)

    whole = Measurement.joined([batch(2, 0.1, 1.0), batch(1, 0.2, 1.0002)])
    assert whole.nodes == (5, 1, 4)
    assert whole.values_V[:, 0].tolist() == [0.1, 0.1, 0.2]
    assert (whole.railed.shape, whole.ground_V.shape) == ((3, 3), (3, 2))
    assert whole.clock_ratio == 1.0001
