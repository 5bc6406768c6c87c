"""What `jackfield evaluate` measures and compares."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jackfield.bench import Bench
from jackfield.board import CalibrationRecord
from jackfield.cli.models import data_of
from jackfield.cli.output import Advance
from jackfield.compile import CarryCost, CompiledCircuit, CompiledPasses, twin_of_passes
from jackfield.device import AbstractBoard
from jackfield.evaluate import Answers, Rung, answers_of, ask_board, ladder, model_outputs, play, score
from jackfield.model import Checkpoint

__all__ = ["Evaluation", "asked", "evaluation", "model_outputs"]

COST_INPUTS = 8

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Evaluation:
    """Rungs of the ladder; rms of measured volts minus U times the rounded model; mean of |measured -
    predicted| over their joint standard error (NaN where the record has none for cells in use); share of
    readings that were clipped or railed; what each handing over between passes costs."""

    rungs: tuple[Rung, ...]
    error_rms_V: float
    mean_abs_z: float
    invalid: float
    costs: tuple[CarryCost, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "ladder": [rung.to_dict() for rung in self.rungs],
            "output_error_rms_V": self.error_rms_V,
            "measured_minus_predicted_se": self.mean_abs_z,
            "invalid_share": self.invalid,
            "handing_over": [asdict(cost) for cost in self.costs],
        }


def evaluation(
    bench: Bench[AbstractBoard],
    checkpoint: Checkpoint,
    compiled: CompiledPasses,
    record: CalibrationRecord | None,
    count: int | None,
    advance: Advance,
) -> Evaluation:
    """Run the first `count` held-out inputs of the model's data (None: all) and compare.

    Raises DesignError where the data is not at hand, else what the bench raises.
    """
    data = data_of(checkpoint)
    x, labels = data.x_test[:count], data.y_test[:count]
    played = play(bench, compiled, x.astype(np.float64), advance)
    answers = answers_of(played.measured, compiled.passes[-1], record)
    rounded = model_outputs(checkpoint, x, quantised=True)
    twin = twin_of_passes(compiled, compiled.spec, record, readout_V=played.readout_V)
    predicted, predicted_se = twin.predict(x)
    rungs = [
        score("float", model_outputs(checkpoint, x, quantised=False), labels),
        score("quantised", rounded, labels),
        score("board_calibrated" if compiled.record_id else "board_raw", answers.held_V, labels),
        score("twin", predicted, labels),
    ]
    return Evaluation(
        ladder(rungs),
        answers.error_rms_V(compiled.volts_per_unit * rounded),
        answers.mean_abs_z(predicted, predicted_se),
        float(1 - answers.valid.mean()),
        twin.costs(x[:COST_INPUTS]),
    )


def asked(
    bench: Bench[AbstractBoard],
    compiled: CompiledCircuit,
    x: NDArray[np.float32],
    record: CalibrationRecord | None,
    advance: Advance,
) -> Answers:
    """What the board that holds `compiled` answers to `x` `[input, input node]`, batch by batch."""
    size = bench.spec.run.inputs
    parts = []
    for start in range(0, len(x), size):
        parts.append(ask_board(bench, compiled, x[start : start + size].astype(np.float64), record))
        advance(min(start + size, len(x)), len(x))
    return Answers(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in ("shown_V", "held_V", "se_V", "valid"))
    )
