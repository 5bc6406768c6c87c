"""What the gradients on an emulated board really are: those of the circuit that its draws make of an image."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from benchmarks._gradients_circuits import implicit, through_time
from torch import Tensor

from jackfield.board import BoardSpec
from jackfield.emulator import AnalogBoard, Settings, truth
from jackfield.physics import Circuit
from jackfield.tune import BenchPlant, PhysicsPlant

__all__ = ["TrueBoard"]

SETTLE_S = 2e-3


@dataclass(frozen=True)
class TrueBoard:
    """The emulated board `seed` of a profile, drawn once more here; nobody who measures looks at it."""

    spec: BoardSpec
    profile: str
    seed: int

    def at_rest(self, plant: BenchPlant, start: Tensor, loss: Any, seconds_per_unit: float) -> Tensor:
        """dloss/dparameters at the fixed points, machine units at 1 V a unit, gains before thresholds."""
        there, volts = self._there(plant, start, SETTLE_S)
        settled = PhysicsPlant(there, steps=200).settle(volts)
        assert bool(settled.settled.all())
        return self._per_unit(plant, implicit(there, settled.values, loss), seconds_per_unit)

    def after(self, plant: BenchPlant, start: Tensor, loss: Any, duration: float, seconds_per_unit: float) -> Tensor:
        """The same for a loss of v(`duration`)."""
        seconds = duration * seconds_per_unit
        there, volts = self._there(plant, start, seconds)
        return self._per_unit(plant, through_time(there, volts, seconds, loss), seconds_per_unit)

    def _there(self, plant: BenchPlant, start: Tensor, seconds: float) -> tuple[Circuit, Tensor]:
        image, asked, board = plant.image, plant.circuit, self._drawn
        routes = image.source.astype(np.int64), image.destination.astype(np.int64)
        made = board.plant.circuit(Settings(image.enable, *routes, dict(image.codes), image.trim), 0, seconds, 0)
        presets = self.spec.nodes.preset.value(plant.preset_codes(start))
        volts = board.plant.nodes.preset_gain * presets + board.plant.nodes.preset_offset_V
        ends = {"inputs": asked.inputs, "outputs": asked.outputs, "clamped": asked.clamped}
        return replace(made, rails=None, **ends), torch.from_numpy(np.clip(volts, *self.spec.nodes.rail_V))

    def _per_unit(self, plant: BenchPlant, per_si: Tensor, seconds_per_unit: float) -> Tensor:
        """Entries of all cells of the image; cells that carry nothing have no gradient."""
        defects = truth(self._drawn)["defects"]
        used = np.flatnonzero(plant.image.enable[0])
        carries = [defects.get(str(self.spec.cells[cell])) not in ("dead", "open") for cell in used]
        whole = torch.zeros(2, len(used), dtype=per_si.dtype)
        whole[:, torch.tensor(carries)] = per_si.reshape(2, -1)
        whole[0] *= self.spec.nodes.capacitance_F / seconds_per_unit
        return whole.flatten()

    @cached_property
    def _drawn(self) -> AnalogBoard:
        return AnalogBoard(self.spec, self.profile, self.seed)
