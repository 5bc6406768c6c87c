"""One analog channel of the emulated oscilloscope: its settings and the errors of its front end."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jackfield.emulator.randomness import Randomness

__all__ = ["NOISE_CODES", "ChannelSettings", "Converter", "FrontEnd", "snap_scale"]

SCALES_V = tuple(m * 10.0**e for e in (-3, -2, -1, 0) for m in (1, 2, 5))  # a division, at the BNC
GAIN_ERROR = 0.02
OFFSET_ERROR = 0.01  # of the range
NOISE_CODES = 0.6  # rms of one 8-bit conversion: it dithers the rounding, as real front ends do


def snap_scale(volts_per_division: float) -> float:
    """The 1-2-5 step at or next above, as the instrument without its vernier does."""
    for scale in SCALES_V:
        if volts_per_division <= scale * (1 + 1e-6):
            return scale
    return SCALES_V[-1]


@dataclass(frozen=True)
class Converter:
    """How an instrument's 8-bit codes lie on its screen; below `lowest` and above `highest` is clipped."""

    lowest: int
    middle: int
    highest: int
    codes_a_division: float
    divisions: int


@dataclass(frozen=True)
class ChannelSettings:
    """As the commands set them; `scale_V` and `offset_V` are at the probe's tip."""

    converter: Converter
    display: bool = False
    scale_V: float = 5.0
    offset_V: float = 0.0
    attenuation: float = 1.0
    coupling: str = "DC"
    impedance: str = "ONEM"
    bandwidth_limit: bool = False

    @property
    def screen_volts(self) -> float:
        """Volts of the whole screen, at the probe's tip."""
        return self.converter.divisions * self.scale_V

    @property
    def code_volts(self) -> float:
        """Volts of one 8-bit code, at the probe's tip."""
        return self.scale_V / self.converter.codes_a_division


@dataclass(frozen=True)
class FrontEnd:
    """The errors of one channel, fixed for each range."""

    randomness: Randomness
    channel: int

    def read(self, bnc_V: NDArray[np.float64], settings: ChannelSettings, source_ohm: float) -> NDArray[np.float64]:
        """What the converter sees, in 8-bit codes before rounding, of volts at an unloaded BNC."""
        volts = bnc_V * (50.0 / (50.0 + source_ohm) if settings.impedance == "FIFT" else 1.0)
        if settings.coupling == "AC":
            volts = volts - volts.mean()
        step = round(3 * math.log10(settings.scale_V / settings.attenuation))
        name = f"scope channel {self.channel} range {step}"
        gain = settings.attenuation * (1 + self.randomness.within(f"{name} gain", GAIN_ERROR))
        shift_V = self.randomness.within(f"{name} offset", OFFSET_ERROR) * settings.screen_volts - settings.offset_V
        return volts * (gain / settings.code_volts) + (shift_V / settings.code_volts + settings.converter.middle)
