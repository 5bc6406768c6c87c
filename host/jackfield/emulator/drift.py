"""How gains and thresholds move: with temperature, with emulated time, and cells that are moved to order."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from jackfield.emulator.draws import CellDraws
from jackfield.emulator.profiles import Profile
from jackfield.emulator.randomness import Randomness

__all__ = ["NOMINAL_C", "STILL", "Drift", "Moved"]

NOMINAL_C = 25.0
STEPS_PER_HOUR = 100  # the walk is renewed this often, so that settings can be reused meanwhile


@dataclass(frozen=True)
class Moved:
    """A `share` of the cells, chosen by the seed, is off by as much as asked: `gain` relative, `offset` in V (or in
    the parameter's unit), each up or down by the seed too.
    """

    share: float = 0.0
    gain: float = 0.0
    offset: float = 0.0

    def cells(self, randomness: Randomness, draws: CellDraws) -> NDArray[np.bool_]:
        """Which ones, `[cell in group]`."""
        return np.asarray(randomness.uniforms(f"{draws.group.name} moved", draws.group.count) < self.share)

    def of(self, randomness: Randomness, draws: CellDraws, parameter: str) -> NDArray[np.float64]:
        """By how much, `[cell in group]`."""
        size = self.offset if draws.parameters[parameter].is_offset else self.gain
        down = randomness.uniforms(f"{draws.group.name} {parameter} moved down", draws.group.count) < 0.5
        return np.asarray(np.where(self.cells(randomness, draws), np.where(down, -size, size), 0.0))


STILL = Moved()


@dataclass(frozen=True)
class Drift:
    """A random walk with one normal step an hour, straight in between, plus a temperature coefficient; and `moved`."""

    profile: Profile
    randomness: Randomness
    temperature_C: float
    moved: Moved = STILL

    def epoch(self, time_s: float) -> int:
        """Between two epochs nothing moves."""
        return int(time_s * STEPS_PER_HOUR / 3600)

    def of(self, draws: CellDraws, parameter: str, epoch: int) -> NDArray[np.float64]:
        """`[cell in group]`: relative for gains, in the parameter's unit for offsets."""
        drawn = draws.parameters[parameter]
        walk = self.profile.walk_per_hour
        if drawn.is_offset:
            walk *= draws.group.parameters[parameter].hi
        thermal = drawn.per_K * (self.temperature_C - NOMINAL_C)
        if self.moved != STILL:
            thermal = thermal + self.moved.of(self.randomness, draws, parameter)
        if walk == 0 or epoch == 0:
            return np.asarray(thermal)
        return np.asarray(
            thermal + walk * _walked(self.randomness, f"{draws.group.name} {parameter} walk", len(thermal), epoch)
        )


@lru_cache(maxsize=16)
def _walked(randomness: Randomness, key: str, cells: int, epoch: int) -> NDArray[np.float64]:
    hours, part = divmod(epoch, STEPS_PER_HOUR)
    steps = randomness.normals(key, cells * (hours + 1)).reshape(hours + 1, cells)
    return np.asarray(steps[:hours].sum(axis=0) + steps[hours] * (part / STEPS_PER_HOUR))
