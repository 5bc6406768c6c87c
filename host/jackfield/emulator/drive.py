"""What acts on the nodes while a run lasts: driven nodes and injected currents."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from jackfield.physics import Circuit, Waveform

__all__ = ["Drive"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Drive:
    """Nodes `clamp` stay at their presets; `currents_A` `[input, point, node]` flow into the nodes, None: none.

    Several points are a waveform over the run, which then has one step.
    """

    clamp: tuple[int, ...]
    currents_A: Floats | None

    @property
    def intervals(self) -> int:
        """Straight lines of a waveform: what steps must not be coarser than, and at best share the ends of."""
        return 1 if self.currents_A is None else max(1, self.currents_A.shape[1] - 1)

    def part(self, number: int) -> "Drive":
        """The same for one of the inputs."""
        return self if self.currents_A is None else replace(self, currents_A=self.currents_A[number : number + 1])

    def on(self, circuit: Circuit) -> Circuit:
        """`circuit`, whose one slice has an injection `[node]`, with all this besides."""
        part = circuit.slices[0]
        if self.currents_A is not None:
            assert isinstance(part.injection, torch.Tensor)
            flowing = part.injection + torch.from_numpy(self.currents_A.transpose(1, 0, 2)).to(circuit.dtype)
            part = replace(part, injection=flowing[0] if len(flowing) == 1 else Waveform(flowing))
        return replace(circuit, slices=(part,), clamped=self.clamp)

    @property
    def constant(self) -> Floats | float:
        """Currents `[input, node]` that flow between the steps of a run, too."""
        return 0.0 if self.currents_A is None else np.asarray(self.currents_A[:, -1])

    def held(self, before: Floats, after: Floats) -> Floats:
        """Volts `[input, node]` that were to go from `before` to `after`: driven nodes stay."""
        index = np.array(self.clamp, dtype=np.int64) - 1
        after[:, index] = before[:, index]
        return after
