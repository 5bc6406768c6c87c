"""Ground and reference of the probes over many records: better than one record's own, while they are the same."""

import numpy as np
from numpy.typing import NDArray

from jackfield_calibration.probe_levels import ProbeLevels
from jackfield_calibration.routine import Reading

REFERENCE_V, SLOT_V = 0.8, 1e-3
NODES = np.linspace(-0.8, 0.8, 40)


def record(random: np.random.Generator, inputs: int, gain: float = 1.02, offset_V: float = 0.01) -> Reading:
    """Two probes, twenty nodes each, corrected by the record's own slots, as a bench does."""
    seen = [gain * volts + offset_V for volts in (0.0, REFERENCE_V)]
    ground, reference = (volts + SLOT_V * random.standard_normal((inputs, 2)) for volts in seen)
    raw = gain * NODES + offset_V + SLOT_V * random.standard_normal((inputs, 40))
    probe = np.arange(40) % 2
    low, high = ground.mean(0)[probe], reference.mean(0)[probe]
    values = (raw - low) / (high - low) * REFERENCE_V
    share = values / REFERENCE_V
    se = SLOT_V / gain * np.sqrt(1 + ((1 - share) ** 2 + share**2) / inputs)
    scan = tuple(tuple(range(1 + p, 41, 2)) for p in range(2))
    return Reading(values, se, np.ones(values.shape, dtype=np.bool_), np.zeros(40), ground, reference, scan)


def errors(readings: list[Reading]) -> NDArray[np.float64]:
    return np.concatenate([reading.values - NODES for reading in readings])


def test_the_levels_of_many_records_correct_better_than_those_of_one() -> None:
    random, levels = np.random.default_rng(1), ProbeLevels(REFERENCE_V)
    own = [record(random, 1) for _ in range(400)]
    steady = [levels.steadied(reading) for reading in own]
    before, after = (errors(part[100:]) for part in (own, steady))
    assert np.std(after) < 0.7 * np.std(before)
    z = after / np.concatenate([reading.se for reading in steady[100:]])
    assert 0.95 < np.sqrt(np.mean(z**2)) < 1.05
    assert abs(np.corrcoef(after[:, 0], after[:, 2])[0, 1]) < 0.15  # what was off in all nodes of a record is gone
    assert np.corrcoef(before[:, 0], before[:, 2])[0, 1] > 0.5


def test_another_range_of_the_instrument_begins_anew() -> None:
    random, levels = np.random.default_rng(1), ProbeLevels(REFERENCE_V)
    for _ in range(50):
        levels.steadied(record(random, 4))
    other = [levels.steadied(record(random, 4, gain=0.98, offset_V=-0.02)) for _ in range(50)]
    assert np.abs(errors(other)).max() < 6 * SLOT_V


def test_many_inputs_and_boards_without_probes_are_left_alone() -> None:
    random, levels = np.random.default_rng(1), ProbeLevels(REFERENCE_V)
    levels.steadied(record(random, 1))
    many = record(random, 64)
    assert levels.steadied(many) is many
    nothing = np.zeros((1, 2))
    reading = Reading(np.zeros((1, 4)), np.zeros((1, 4)), np.ones((1, 4), bool), np.zeros(4), nothing, nothing, ())
    assert levels.steadied(reading) is reading
