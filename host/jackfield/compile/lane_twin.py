"""The twin of a board of integrators and lanes: what an image does there, as a record describes the board."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from jackfield.board import CalibrationRecord, ConfigImage
from jackfield.compile.compiled import CompiledCircuit
from jackfield.compile.lane_known import KnownLanes
from jackfield.compile.lane_machine import LaneParameters, LaneSettings, lane_response

__all__ = ["LaneTwin"]

Floats = NDArray[np.float64]
STEPS_A_PACE = 20  # of 1/(k0 coefficient): the rule's error stays far below a reading's last digit
DRAWS = 12


@dataclass(frozen=True)
class LaneTwin:
    """A board's prediction; standard errors come from boards drawn from the record's, zero without a record."""

    compiled: CompiledCircuit
    image: ConfigImage
    record: CalibrationRecord | None
    seed: int = 0

    def predict(self, x: ArrayLike) -> tuple[Floats, Floats]:
        """Output voltages and standard errors `[batch, output]` in V for `x[batch, input]` in machine units."""
        return self.predict_codes(self.compiled.input_codes(x))

    def predict_codes(self, codes: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """`predict` for preset codes `[batch, node]`."""
        known = KnownLanes.from_record(self.compiled.spec, self.record)
        volts = self._outputs(known, codes)
        if self.record is None:
            return volts, np.zeros_like(volts)
        random = np.random.default_rng(self.seed)
        drawn = [self._outputs(known.drawn(self.record, self.compiled.spec, random), codes) for _ in range(DRAWS)]
        return volts, np.asarray(np.std(drawn, axis=0, ddof=1))

    def states(self, x: ArrayLike, snapshots: int = 16) -> Floats:
        """Voltages of all integrators `[snapshots, batch, node]` at equally spaced times."""
        known = KnownLanes.from_record(self.compiled.spec, self.record)
        return self._run(known, self.compiled.input_codes(x), snapshots).numpy()

    def _outputs(self, known: KnownLanes, codes: NDArray[np.int64]) -> Floats:
        nodes = np.array(self.compiled.outputs, dtype=np.int64) - 1
        return np.asarray(self._run(known, codes, 1)[-1].numpy()[:, nodes])

    def _run(self, known: KnownLanes, codes: NDArray[np.int64], snapshots: int) -> Tensor:
        spec, count = self.compiled.spec, len(codes)
        integrators = spec.group("K").count
        settings = LaneSettings.of([self.image] * count, spec)
        preset = spec.nodes.preset.value(codes) * known.preset_gain + known.preset_offset_V
        seconds = sum(ticks for _, ticks in self.compiled.program.steps) * spec.run.tick_s
        fastest = float(settings.rate[0]) * float((settings.value[0].abs() * settings.on[0]).max()) * seconds
        steps = snapshots * max(2, int(np.ceil(fastest * STEPS_A_PACE / snapshots)))
        return lane_response(
            LaneParameters.of(known),
            settings,
            torch.from_numpy(preset[:, :integrators]),
            torch.full((count,), seconds, dtype=torch.float64),
            steps,
            snapshots,
        )
