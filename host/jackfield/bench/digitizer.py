"""What a bench asks of an oscilloscope."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["AbstractDigitizer", "Acquisition", "Waveform"]


@dataclass(frozen=True)
class Acquisition:
    """One record: from `start_s` to `stop_s` around the trigger edge, `points` samples or a few more.

    `full_scale_V` is the height of the screen, centred on zero; one of the digitizer's `full_scales`.
    """

    start_s: float
    stop_s: float
    points: int
    full_scale_V: float


@dataclass(frozen=True)
class Waveform:
    """Samples of one channel: sample i was taken `start_s + i * step_s` after the trigger edge, on its clock.

    `clipped` marks samples at a code limit, `holes` those that were not taken; both are None where there is
    none. `resolution_V` is the step between neighbouring codes.
    """

    start_s: float
    step_s: float
    volts: NDArray[np.float32]
    clipped: NDArray[np.bool_] | None
    holes: NDArray[np.bool_] | None
    resolution_V: float


class AbstractDigitizer(ABC):
    """An oscilloscope that records all channels of the bench file at once.

    The order is configure, arm, (the board runs), wait, read.
    """

    idn_pattern: ClassVar[str]
    usual_trigger: ClassVar[str] = "EXT"
    """Where the cable from the board's trigger jack ends, where nothing else is said."""

    @property
    @abstractmethod
    def identity(self) -> str:
        """The answer to `*IDN?`."""

    @property
    @abstractmethod
    def channels(self) -> Mapping[int, int]:
        """Channel number of each board probe that a cable leads to."""

    @property
    @abstractmethod
    def full_scales(self) -> tuple[float, ...]:
        """Heights of the screen, in volts, ascending."""

    @property
    @abstractmethod
    def most_points(self) -> int:
        """Samples a channel that one record can hold."""

    @abstractmethod
    def configure(self, acquisition: Acquisition) -> None:
        """Set up for `acquisition`; what the instrument has already is not sent again."""

    @abstractmethod
    def arm(self) -> None:
        """Wait for one trigger; returns once the instrument has confirmed that it is armed."""

    @abstractmethod
    def wait(self, timeout_s: float) -> None:
        """Return once the record is complete; raises InstrumentError where no trigger came."""

    @abstractmethod
    def read(self) -> dict[int, Waveform]:
        """The record, by channel number."""

    @abstractmethod
    def close(self) -> None:
        """Leave the instrument; never raises."""
