"""Quantities that carry the number of the reading in which they are seen."""

import numpy as np
from numpy.typing import NDArray

from jackfield.bench import Acquisition, Waveform
from jackfield.board import Trigger
from jackfield.errors import InstrumentError

__all__ = ["NumberedPulse", "NumberedVolts"]

STEP_V = 1e-4
MOST = 9000
DIGITS, DIGIT_S, DIGIT_V, LOWEST_V = 4, 100e-6, 0.2, -0.9


class NumberedVolts:
    """A jack that shows the number of the look at it: number n as n times 0.1 mV, 1 to 9000 and round again."""

    def __init__(self) -> None:
        self.number = 0

    def __call__(self) -> tuple[float, str]:
        """The next number's volts, as an emulated meter asks for them."""
        self.number = self.number % MOST + 1
        return self.number * STEP_V, "numbered"

    @staticmethod
    def number_of(volts: float) -> int:
        """The number that a reading carries."""
        return round(volts / STEP_V)


class NumberedPulse:
    """A shot for an emulated oscilloscope: four levels on jack 1, the digits of the pulse's number."""

    trigger = Trigger(width_s=10e-6, level_V=1.5, edge="rising")
    duration_s = DIGITS * DIGIT_S
    output_ohm = 50.0
    window = Acquisition(start_s=-20e-6, stop_s=DIGITS * DIGIT_S + 20e-6, points=1000, full_scale_V=4.0)

    def __init__(self, number: int) -> None:
        self.number = number
        self.key = f"pulse {number}"

    def volts(self, jack: int, start_s: float, step_s: float, count: int, window_s: float) -> NDArray[np.float64]:
        """As an emulated oscilloscope asks for them."""
        t = start_s + step_s * np.arange(count)
        place = np.clip(np.floor(t / DIGIT_S).astype(np.int64), 0, DIGITS - 1)
        digits = np.array([int(digit) for digit in f"{self.number % 10**DIGITS:0{DIGITS}d}"])
        return np.where((t >= 0) & (t < self.duration_s) & (jack == 1), LOWEST_V + DIGIT_V * digits[place], 0.0)

    @staticmethod
    def number_of(waveform: Waveform) -> int:
        """The number that a record carries; InstrumentError where the record is clipped or has holes."""
        if waveform.clipped is not None or waveform.holes is not None:
            raise InstrumentError("the record is clipped")
        number = 0
        for place in range(DIGITS):
            begin, end = ((place + share) * DIGIT_S for share in (0.2, 0.8))
            part = slice(*(int((t - waveform.start_s) / waveform.step_s) for t in (begin, end)))
            number = 10 * number + round((float(waveform.volts[part].mean()) - LOWEST_V) / DIGIT_V)
        return number
