"""What a board answers to a set of inputs, and how far that is from what was wanted."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jackfield.bench import Bench
from jackfield.board import CalibrationRecord, Measurement
from jackfield.compile import CompiledCircuit
from jackfield.device import AbstractBoard

__all__ = ["Answers", "answers_of", "ask_board"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Answers:
    """Output voltages `[input, output]` in volts, with standard errors.

    `shown_V` is what the probes showed in each output's slot, `held_V` the same corrected for the droop since
    HOLD; `valid` is neither clipped nor railed.
    """

    shown_V: Floats
    held_V: Floats
    se_V: Floats
    valid: NDArray[np.bool_]

    def error_rms_V(self, wanted_V: Floats) -> float:
        """The output error: rms over inputs and outputs of the held volts minus `wanted_V` `[input, output]`."""
        return float(np.sqrt(np.mean((self.held_V - wanted_V) ** 2)))

    def mean_abs_z(self, predicted_V: Floats, predicted_se_V: Floats) -> float:
        """Mean of |shown - predicted| over their joint standard error, `[input, output]` both.

        Readings that are not valid and predictions without a finite standard error say nothing; NaN where
        nothing is left.
        """
        telling = self.valid & np.isfinite(predicted_se_V)
        if not telling.any():
            return float("nan")
        z = np.abs(self.shown_V - predicted_V)[telling] / np.hypot(self.se_V, predicted_se_V)[telling]
        return float(z.mean())


def ask_board(
    bench: Bench[AbstractBoard], compiled: CompiledCircuit, inputs: Floats, record: CalibrationRecord | None
) -> Answers:
    """Run `inputs` `[input, input node]` (machine units) on the board that holds `compiled`, and read the outputs.

    Raises LinkError, BoardError or InstrumentError as the bench does.
    """
    return answers_of(bench.measure(compiled.input_codes(inputs), compiled.program), compiled, record)


def answers_of(measured: Measurement, compiled: CompiledCircuit, record: CalibrationRecord | None) -> Answers:
    """What `measured`, a reading of the outputs of `compiled`, says; droop is corrected by `record` alone."""
    order = [measured.nodes.index(node) for node in compiled.outputs]
    shown, valid = measured.values_V[:, order], ~(measured.clipped | measured.railed)[:, order]
    held_share = np.ones(len(order))
    if record is not None and "droop_per_s" in record.tables:
        droop = record.tables["droop_per_s"].value[np.array(compiled.outputs) - 1]
        held_share = np.exp(-droop * compiled.held_s)
    return Answers(shown, shown / held_share, measured.se_V[:, order] / held_share, valid)
