"""The twin: what a compiled circuit does on the board that a record describes, with standard errors."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from jackfield.board import BoardSpec, CalibrationRecord, ConfigImage
from jackfield.compile.board_circuit import board_circuit, steps_to_follow
from jackfield.compile.compiled import CompiledCircuit
from jackfield.compile.known import Floats, Integers, KnownBoard, uncertainties
from jackfield.compile.lane_twin import LaneTwin
from jackfield.compile.lanes import is_lane_board
from jackfield.physics import Circuit, integrate

__all__ = ["Twin", "twin"]

_DRAWS = 12
_STEPS = 32
_DRAW_STEPS = 8


@dataclass(frozen=True)
class Twin:
    """A board's prediction; see `twin`.

    Standard errors come from boards drawn from the record's uncertainties (see `uncertainties`); they are
    infinite where a cell in use was never measured, and zero without a record. What no record knows (noise of
    one run, charge at a bank switch, crosstalk) is not in them.
    """

    compiled: CompiledCircuit
    image: ConfigImage
    known: KnownBoard
    record: CalibrationRecord | None
    seed: int = 0

    @cached_property
    def circuit(self) -> Circuit:
        """The board's circuit in SI units, float64."""
        return self._circuit(self.known, torch.float64)

    def predict(self, x: ArrayLike) -> tuple[Floats, Floats]:
        """Output voltages as the probes will show them, and standard errors, `[batch, output]` in V.

        `x` is `[batch, input]` in machine units; it passes through the preset DACs' codes.
        """
        return self.predict_codes(self.compiled.input_codes(x))

    def predict_codes(self, codes: Integers) -> tuple[Floats, Floats]:
        """`predict` for preset codes `[batch, node]`."""
        volts = self.shown(codes)
        if not self.measured:
            return volts, np.full_like(volts, np.inf)
        drawn = [self.shown(codes, board) for board in self.boards]
        return volts, np.std(drawn, axis=0, ddof=1) if drawn else np.zeros_like(volts)

    @cached_property
    def boards(self) -> tuple[KnownBoard, ...]:
        """Boards drawn from the record's uncertainties; none without a record."""
        if self.record is None:
            return ()
        rng = np.random.default_rng(self.seed)
        return tuple(self.known.drawn(self._sigma, rng) for _ in range(_DRAWS))

    @property
    def measured(self) -> bool:
        """Whether the record, if there is one, has measured every cell in use."""
        used = self.image.enable.any(axis=0)
        return all(np.isfinite(size[used]).all() for size in self._sigma.values() if size.shape == used.shape)

    @cached_property
    def _sigma(self) -> dict[str, Floats]:
        return {} if self.record is None else uncertainties(self.compiled.spec, self.record)

    def shown(self, codes: Integers, board: KnownBoard | None = None) -> Floats:
        """Output voltages `[batch, output]` as the probes show them after the presets `codes` `[batch, node]`.

        `board` stands for one of `boards`, which differ by millivolts and share the error of coarse steps: their
        spread needs no fine arithmetic.
        """
        with torch.no_grad():
            end = self.held(self.preset(codes, board), board)
        nodes = np.array(self.compiled.outputs, dtype=np.int64) - 1
        share = np.exp(-(board or self.known).droop_per_s[nodes] * self.compiled.held_s)
        return np.asarray(end[:, nodes].double().numpy() * share)

    def preset(self, codes: Integers, board: KnownBoard | None = None) -> torch.Tensor:
        """Volts of all nodes `[batch, node]` that the presets `codes` give; `board` as for `shown`."""
        known = board or self.known
        nominal = self.compiled.spec.nodes.preset.value(codes)
        return torch.from_numpy(nominal * known.preset_gain + known.preset_offset_V)

    def held(self, start: torch.Tensor, board: KnownBoard | None = None) -> torch.Tensor:
        """Volts of all nodes `[batch, node]` at HOLD of a run from `start` `[batch, node]`; `board` as for `shown`."""
        circuit, steps = self.circuit, _STEPS
        if board is not None:
            circuit, steps = self._circuit(board, torch.float32), _DRAW_STEPS
        return integrate(circuit, start.to(circuit.dtype), steps=steps_to_follow(circuit, steps))[-1]

    def states(self, x: ArrayLike, snapshots: int = 16) -> NDArray[np.float64]:
        """Voltages of all nodes `[steps * snapshots, batch, node]` at equally spaced times of each step of the run."""
        preset = self.preset(self.compiled.input_codes(x))
        steps = -(-max(steps_to_follow(self.circuit, _STEPS)) // snapshots) * snapshots
        with torch.no_grad():
            path = integrate(self.circuit, preset, steps=steps, snapshots=snapshots).numpy()
        playing = np.repeat([bool(part.edges) for part in self.circuit.slices], snapshots)
        return np.asarray(path[playing])

    def _circuit(self, board: KnownBoard, dtype: torch.dtype) -> Circuit:
        compiled = self.compiled
        return board_circuit(
            self.image,
            compiled.program.steps,
            compiled.spec,
            board,
            inputs=compiled.inputs,
            outputs=compiled.outputs,
            clamped=compiled.program.clamp,
            dtype=dtype,
        )


def twin(
    compiled: CompiledCircuit, spec: BoardSpec, record: CalibrationRecord | None = None, seed: int = 0
) -> Twin | LaneTwin:
    """The circuit that the image of `compiled` makes on the board that `record` describes (None: nominal).

    The codes are read back from the image's payload, so the twin knows what was uploaded, not what was meant.
    Raises CalibrationError where the record belongs to another spec.
    """
    image = ConfigImage.from_payload(spec, compiled.image.payload(spec))
    if is_lane_board(spec):
        return LaneTwin(compiled, image, record, seed)
    return Twin(compiled, image, KnownBoard.from_record(spec, record), record, seed)
