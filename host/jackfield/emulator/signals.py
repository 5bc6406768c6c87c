"""The wires between the board and the instruments."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from jackfield.board import Trigger

__all__ = ["Shot"]

Floats = NDArray[np.float64]


class Shot(Protocol):
    """What the board's jacks show around one trigger pulse; time zero is the pulse's first edge."""

    @property
    def key(self) -> str:
        """Names the run: noise that an instrument adds to it is a function of this name."""

    @property
    def trigger(self) -> Trigger:
        """The pulse on the trigger jack: `level_V` is half its height, where a trigger level belongs."""

    @property
    def duration_s(self) -> float:
        """When the board's outputs are back at ground."""

    @property
    def output_ohm(self) -> float:
        """Source resistance of the probe outputs."""

    def volts(self, jack: int, start_s: float, step_s: float, count: int, window_s: float) -> Floats:
        """Volts on probe jack `jack` (1-based) at `count` times, each an average over `window_s`.

        Zero where there is no such jack.
        """
