"""The twin: what a compiled circuit does on the board that a record describes, with standard errors."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from jackfield.board import BoardSpec, CalibrationRecord, ConfigImage
from jackfield.compile.board_circuit import board_circuit
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
        volts = self._outputs(self.circuit, self.known, codes, _STEPS)
        if self.record is None:
            return volts, np.zeros_like(volts)
        # Draws differ by millivolts and share the error of coarse steps: their spread needs no fine arithmetic.
        rng = np.random.default_rng(self.seed)
        sigma = uncertainties(self.compiled.spec, self.record)
        boards = [self.known.drawn(sigma, rng) for _ in range(_DRAWS)]
        used = self.image.enable.any(axis=0)
        if not all(np.isfinite(size[used]).all() for size in sigma.values() if size.shape == used.shape):
            return volts, np.full_like(volts, np.inf)
        drawn = [self._outputs(self._circuit(board, torch.float32), board, codes, _DRAW_STEPS) for board in boards]
        return volts, np.asarray(np.std(drawn, axis=0, ddof=1))

    def states(self, x: ArrayLike, snapshots: int = 16) -> NDArray[np.float64]:
        """Voltages of all nodes `[slices * snapshots, batch, node]` at equally spaced times of each slice."""
        preset = self._preset(self.known, self.compiled.input_codes(x))
        steps = -(-_STEPS // snapshots) * snapshots
        with torch.no_grad():
            return np.asarray(integrate(self.circuit, preset, steps=steps, snapshots=snapshots).numpy())

    def _circuit(self, board: KnownBoard, dtype: torch.dtype) -> Circuit:
        compiled = self.compiled
        return board_circuit(
            self.image,
            compiled.program.steps,
            compiled.spec,
            board,
            inputs=compiled.inputs,
            outputs=compiled.outputs,
            dtype=dtype,
        )

    def _preset(self, board: KnownBoard, codes: Integers) -> torch.Tensor:
        nominal = self.compiled.spec.nodes.preset.value(codes)
        return torch.from_numpy(nominal * board.preset_gain + board.preset_offset_V)

    def _outputs(self, circuit: Circuit, board: KnownBoard, codes: Integers, steps: int) -> Floats:
        nodes = np.array(self.compiled.outputs, dtype=np.int64) - 1
        with torch.no_grad():
            end = integrate(circuit, self._preset(board, codes).to(circuit.dtype), steps=steps)[-1]
        return np.asarray(end[:, nodes].double().numpy() * np.exp(-board.droop_per_s[nodes] * self.compiled.held_s))


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
