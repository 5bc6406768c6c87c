"""The twin of a circuit that runs in several passes, and what carrying node voltages between them costs."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from jackfield.board import BoardSpec, CalibrationRecord
from jackfield.compile.known import Floats, Integers, KnownBoard
from jackfield.compile.lane_twin import LaneTwin
from jackfield.compile.passes import CompiledPasses
from jackfield.compile.twin import Twin, twin

__all__ = ["CarryCost", "PassesTwin", "twin_of_passes"]

_DRAWS = 12
_SUMS = 6


@dataclass(frozen=True)
class CarryCost:
    """What reading `nodes` nodes after a pass and presetting them for the next one costs, rms in V.

    At a node: `rounding_V` of the preset's code, `preset_V` by which the board's preset is off and no code corrects
    it, `readout_V` of the reading, `droop_V` by which its droop is not known. At the outputs: `predicted_V` by the
    circuit's linear response to these, `measured_V` on the twin, against a run that hands every voltage on exactly.
    """

    nodes: int
    rounding_V: float
    preset_V: float
    readout_V: float
    droop_V: float
    predicted_V: float
    measured_V: float


@dataclass(frozen=True)
class PassesTwin:
    """A board's prediction over all passes; see `twin_of_passes`. `readout_V` is the error of one carried reading.

    Without a record and without `readout_V` standard errors are zero. `alone` is the twin of a board of lanes, whose
    circuits run in one pass.
    """

    compiled: CompiledPasses
    twins: tuple[Twin, ...]
    readout_V: float
    seed: int = 0
    alone: LaneTwin | None = None

    def predict(self, x: ArrayLike) -> tuple[Floats, Floats]:
        """Output voltages as the probes will show them, and standard errors, `[batch, output]` in V."""
        first = self.compiled.passes[0]
        if self.alone is not None:
            return self.alone.predict(x)
        if len(self.twins) == 1:
            return self.twins[0].predict(x)
        codes, rng = first.input_codes(x), np.random.default_rng(self.seed)
        volts = self._shown(codes)
        if not all(part.measured for part in self.twins):
            return volts, np.full_like(volts, np.inf)
        boards: tuple[KnownBoard | None, ...] = self.twins[0].boards
        if not boards and self.readout_V > 0:
            boards = (None,) * _DRAWS
        drawn = [self._shown(codes, board, rng) for board in boards]
        return volts, np.std(drawn, axis=0, ddof=1) if drawn else np.zeros_like(volts)

    def _shown(
        self, codes: Integers, board: KnownBoard | None = None, rng: np.random.Generator | None = None
    ) -> Floats:
        """Output voltages `[batch, output]`; with `rng` carried readings err by `readout_V`."""
        for number, part in enumerate(self.twins):
            shown = part.shown(codes, board)
            if number + 1 < len(self.twins):
                noise = 0.0 if rng is None else self.readout_V * rng.standard_normal(shown.shape)
                codes = self.compiled.carried(number, shown + noise)
        return shown

    def costs(self, x: ArrayLike) -> tuple[CarryCost, ...]:
        """The cost of each handing over, for inputs `x` `[batch, input]` in machine units."""
        rng, found = np.random.default_rng(self.seed), []
        if len(self.compiled.passes) == 1:
            return ()
        start = self.twins[0].preset(self.compiled.passes[0].input_codes(x))
        for number, part in enumerate(self.twins[:-1]):
            with torch.no_grad():
                end = part.held(start)
            found.append(self._cost(number, end, rng))
            start = end
        return tuple(found)

    def _cost(self, number: int, end: Tensor, rng: np.random.Generator) -> CarryCost:
        """Of carrying `end` `[batch, node]`, the voltages at HOLD of pass `number`."""
        before, after = self.compiled.passes[number : number + 2]
        nodes = np.array(before.outputs, dtype=np.int64) - 1
        held = end[:, nodes].numpy()
        rounding = after.spec.nodes.preset.lsb / np.sqrt(12) * after.preset_gain[nodes]
        off = self._preset_off(number + 1, held)
        late = np.abs(held) * self._droop_sigma[nodes] * before.held_s
        exact, slopes = self._response(number + 1, end, rng)
        variance = rounding**2 + off**2 + self.readout_V**2 + late**2
        predicted = np.mean(np.sum(slopes[:, :, nodes] ** 2 * variance, axis=2)) / exact.shape[1]
        size = (_DRAWS, *held.shape)
        slips = self.readout_V * rng.standard_normal(size) + late * rng.standard_normal(size)
        codes = after.codes_at((held + slips).reshape(-1, len(nodes)))
        with torch.no_grad():
            found = self._on(number + 1, self.twins[number + 1].preset(codes)).numpy()
        return CarryCost(
            nodes=len(nodes),
            rounding_V=_rms(rounding),
            preset_V=_rms(off),
            readout_V=self.readout_V,
            droop_V=_rms(late),
            predicted_V=float(np.sqrt(predicted)),
            measured_V=_rms(found.reshape(_DRAWS, *exact.shape) - exact),
        )

    def _preset_off(self, number: int, held: Floats) -> Floats:
        """What the twin's presets give beyond `held` `[batch, input]` of pass `number`, rounding aside."""
        part, known = self.compiled.passes[number], self.twins[number].known
        at = np.array(part.inputs, dtype=np.int64) - 1
        nominal = (held - part.preset_offset_V[at]) / part.preset_gain[at]
        return np.asarray(nominal * known.preset_gain[at] + known.preset_offset_V[at] - held)

    @cached_property
    def _droop_sigma(self) -> Floats:
        """How well each node's droop is known, 1/s `[node]`."""
        boards = self.twins[0].boards
        if not boards:
            return np.zeros(self.compiled.spec.nodes.count)
        spread = np.std([board.droop_per_s for board in boards], axis=0, ddof=1)
        return np.asarray(spread)

    def _response(self, number: int, start: Tensor, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Outputs `[batch, output]` of passes `number` and on from `start`, and derivatives by it of sums of them
        with random signs `[sum, batch, node]`: the mean square of these is that over the outputs, summed."""
        leaf = start.clone().requires_grad_()
        outputs = self._on(number, leaf)
        signs = torch.from_numpy(rng.choice([-1.0, 1.0], (_SUMS, *outputs.shape))).to(outputs.dtype)
        rows = [torch.autograd.grad(outputs, leaf, sign, retain_graph=True)[0] for sign in signs]
        return outputs.detach().numpy(), torch.stack(rows).numpy()

    def _on(self, number: int, volts: Tensor) -> Tensor:
        """Output voltages at HOLD `[batch, output]` of passes `number` and on from `volts` `[batch, node]`.

        Differences of them are asked for: coarse steps do.
        """
        for part in self.twins[number:]:
            volts = part.held(volts, part.known)
        return volts[:, torch.tensor(self.compiled.outputs) - 1]


def _rms(values: Floats) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def twin_of_passes(
    compiled: CompiledPasses,
    spec: BoardSpec,
    record: CalibrationRecord | None = None,
    *,
    readout_V: float = 0.0,
    seed: int = 0,
) -> PassesTwin:
    """The twin (see `twin`) of each pass, and what the host does between them.

    Raises CalibrationError where the record belongs to another spec.
    """
    found = [twin(part, spec, record, seed) for part in compiled.passes]
    alone = next((part for part in found if isinstance(part, LaneTwin)), None)
    return PassesTwin(compiled, tuple(part for part in found if isinstance(part, Twin)), readout_V, seed, alone)
