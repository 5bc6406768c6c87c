"""What the digital half hands to the analog half: the codes of one image, as plain arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from jackfield.board import RunProgram

__all__ = ["AnalogHalf", "Settings"]


@dataclass(frozen=True)
class Settings:
    """Codes on the board's switches and DACs, cells by their 0-based index in spec order.

    `enable[bank, cell]`; `source` and `destination[bank, cell]` node numbers, 0 = ground;
    `codes[parameter][bank, cell]` DAC codes; `trim[bank, node]` DAC codes.
    """

    enable: NDArray[np.bool_]
    source: NDArray[np.int64]
    destination: NDArray[np.int64]
    codes: Mapping[str, NDArray[np.int64]]
    trim: NDArray[np.int64]


class AnalogHalf(Protocol):
    """What the digital half expects of the analog half."""

    def configure(self, settings: Settings) -> None:
        """Take new codes; nothing runs."""

    def run(
        self,
        program: RunProgram,
        inputs: NDArray[np.int64],
        image_crc: int,
        run_number: int,
        steps: Sequence[Settings] = (),
        injection: NDArray[np.int64] | None = None,
    ) -> None:
        """Play `inputs[count, node]` (preset codes) and drive the probes; one trigger pulse a batch.

        With `steps` each input is played with settings of its own; the last ones stay. `injection` `[count, point,
        node]` are injection codes.
        """

    def safe(self) -> None:
        """Probes at ground, nothing driven."""
