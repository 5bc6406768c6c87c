"""What the emulated oscilloscope holds after a trigger: settings frozen, codes made when they are read."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from jackfield.emulator.randomness import Randomness
from jackfield.emulator.scope_channel import NOISE_CODES, ChannelSettings, FrontEnd
from jackfield.emulator.signals import Shot

__all__ = ["Acquisition", "Codes", "Timebase", "decimation"]

CLOCK_ERROR = 20e-6
CONVERTER_HZ = 5e9
MOST_POINTS = 1_000_000
MOST_EXTRA = 16  # high resolution tells sixteenths of a code, 12 bits, if it averages over 256 conversions


@dataclass(frozen=True)
class Timebase:
    """`range_s` for the whole screen; `position_s` from the trigger to the reference point."""

    range_s: float = 1e-3
    position_s: float = 0.0
    reference: str = "CENT"

    @property
    def start_s(self) -> float:
        """The left edge of the screen after the trigger; reference LEFT is one division inside it."""
        share = {"LEFT": 0.1, "CENT": 0.5, "RIGH": 0.9}[self.reference]
        return self.position_s - share * self.range_s


def decimation(stored: int, asked: int) -> int:
    """Every how many-th stored point is sent so that at most `asked` are."""
    return -(-stored // asked)


@dataclass(frozen=True)
class Acquisition:
    """One triggered record. `delay_s` is the true time of the trigger after the shot's time zero."""

    shot: Shot
    randomness: Randomness
    channels: Mapping[int, ChannelSettings]
    timebase: Timebase
    stored: int
    high_resolution: bool
    delay_s: float

    @property
    def step_s(self) -> float:
        """Nominal time between stored points."""
        return self.timebase.range_s / self.stored

    @cached_property
    def _jitter_s(self) -> float:
        return self.randomness.within(f"scope jitter {self.shot.key}", 0.5) * self.step_s

    @property
    def _window_s(self) -> float:
        return self.step_s if self.high_resolution else 0.0

    @property
    def _oversampling(self) -> float:
        return max(self.step_s * CONVERTER_HZ, 1.0) if self.high_resolution else 1.0

    def codes(self, channel: int, every: int) -> "Codes":
        """Every `every`-th stored point of a channel."""
        if (channel, every) not in self._converted:
            self._converted[channel, every] = self._convert(channel, every)
        return self._converted[channel, every]

    @cached_property
    def _converted(self) -> dict[tuple[int, int], "Codes"]:
        return {}

    def _convert(self, channel: int, every: int) -> "Codes":
        count = self.stored // every
        clock = 1 + self.randomness.within("scope clock", CLOCK_ERROR)
        start_s = self.delay_s + self._jitter_s + self.timebase.start_s * clock
        bnc = self.shot.volts(channel, start_s, self.step_s * every * clock, count, self._window_s)
        settings = self.channels[channel]
        level = FrontEnd(self.randomness, channel).read(bnc, settings, self.shot.output_ohm)
        noise = self.randomness.noise(f"scope noise {channel} {self.shot.key}", count)
        level += noise * (NOISE_CODES / min(self._oversampling**0.5, MOST_EXTRA))
        finest = min(1 << int(math.log2(self._oversampling) / 2), MOST_EXTRA)
        return Codes(np.rint(level * finest) / finest, settings.converter.lowest, settings.converter.highest)

    def time(self, every: int) -> tuple[int, float, float]:
        """Points, time between two of them and time of the first, as the instrument tells them."""
        return self.stored // every, self.step_s * every, self.timebase.start_s


@dataclass(frozen=True)
class Codes:
    """Converter codes `[point]`, in steps finer than 1 in high resolution, beyond the ends where clipped."""

    values: NDArray[np.float64]
    lowest: int
    highest: int

    @property
    def low(self) -> NDArray[np.bool_]:
        """Which are below the screen."""
        return np.asarray(self.values < self.lowest)

    @property
    def high(self) -> NDArray[np.bool_]:
        """Which are above it."""
        return np.asarray(self.values > self.highest)
