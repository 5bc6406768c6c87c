"""The main way through, once: train, run raw, calibrate, run again, compare."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jackfield import __version__
from jackfield.bench import Bench
from jackfield.board import BoardSpec, CalibrationRecord
from jackfield.cli.evaluation import asked, model_outputs
from jackfield.cli.live import live_view
from jackfield.cli.models import compiled_for, trained_for
from jackfield.cli.output import Output
from jackfield.compile import CompiledCircuit, twin
from jackfield.data import Split
from jackfield.device import AbstractBoard, UploadReport
from jackfield.evaluate import Answers, Rung, Trajectory, ladder, requested_trajectories, score, watch_nodes
from jackfield.journal import Run, save_record
from jackfield.model import Checkpoint, packaged_plan, save_checkpoint
from jackfield_calibration import calibrate

__all__ = ["DemoResult", "run_on_bench", "trained", "true_defects"]

TRAINING_SEED = 0  # one network for all boards, so that ladders of different boards can be compared
QUICK_EPOCHS = 16
QUICK_INPUTS = 256
WATCHED = 6

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class DemoResult:
    """Everything that the demo prints and shows."""

    board_id: str
    rungs: tuple[Rung, ...]
    raw: CompiledCircuit
    calibrated: CompiledCircuit
    upload: UploadReport
    raw_answers: Answers
    answers: Answers
    wanted_V: Floats
    predicted: tuple[Floats, Floats]
    labels: NDArray[np.int64]
    record: CalibrationRecord
    requested: tuple[Trajectory, ...]
    measured: tuple[Trajectory, ...]

    @property
    def mean_abs_z(self) -> float:
        """Mean of |measured - predicted| over their joint standard error."""
        return self.answers.mean_abs_z(*self.predicted)


def trained(spec: BoardSpec, data: Split, quick: bool, output: Output) -> Checkpoint:
    """The digits network, trained inside the rails and codes of `spec`."""
    plan = packaged_plan("digits")
    if quick:
        plan = replace(plan, recipe=replace(plan.recipe, epochs=QUICK_EPOCHS))
    with output.progress("training") as advance:
        checkpoint, result = trained_for(
            spec, data, plan, TRAINING_SEED, lambda epoch: advance(epoch.number, epoch.count)
        )
    output.say(f"trained: {result.test} of held-out digits inside the rails, largest |v| {result.largest_v:.2f}")
    return checkpoint


def run_on_bench(
    bench: Bench[AbstractBoard],
    checkpoint: Checkpoint,
    data: Split,
    run: Run,
    *,
    seed: int,
    quick: bool,
    output: Output,
) -> DemoResult:
    """Raw, calibrated and predicted answers of the board on `bench`; model and record are kept in the run folder."""
    count = QUICK_INPUTS if quick else len(data.x_test)
    x, labels = data.x_test[:count], data.y_test[:count]
    save_checkpoint(checkpoint, run.folder / "digits.model")
    raw = compiled_for(checkpoint, bench.spec).only
    raw.save(run.folder / "raw.jfi")
    upload = bench.board.apply(raw.image)
    output.say(f"uploaded {upload.bytes} bytes in {upload.seconds:.2f} s, read back code by code")
    raw_answers = _asked(bench, raw, x, None, output, "running raw")
    record = _calibrated(bench, raw, run, seed, output)
    calibrated = compiled_for(checkpoint, bench.spec, record).only
    calibrated.save(run.folder / "calibrated.jfi")
    bench.board.apply(calibrated.image)
    answers = _asked(bench, calibrated, x, record, output, "running calibrated")
    predicted = twin(calibrated, bench.spec, record).predict(x)
    rounded = model_outputs(checkpoint, x, quantised=True)
    nodes = _lively_nodes(raw, x[:1])
    return DemoResult(
        board_id=bench.board.hello.board_id,
        rungs=ladder(
            [
                score("float", model_outputs(checkpoint, x, quantised=False), labels),
                score("quantised", rounded, labels),
                score("board_raw", raw_answers.held_V, labels),
                score("twin", predicted[0], labels),
                score("board_calibrated", answers.held_V, labels),
            ]
        ),
        raw=raw,
        calibrated=calibrated,
        upload=upload,
        raw_answers=raw_answers,
        answers=answers,
        wanted_V=calibrated.scaling.volts_per_unit * rounded,
        predicted=predicted,
        labels=labels,
        record=record,
        requested=requested_trajectories(raw, x[0], nodes),
        measured=watch_nodes(bench, calibrated, x[0], nodes),
    )


def true_defects(truth: Path) -> frozenset[str]:
    """Names of the cells that the emulated board was really given a defect; for scoring alone."""
    return frozenset(json.loads(truth.read_text(encoding="utf-8"))["defects"])


def _asked(
    bench: Bench[AbstractBoard],
    compiled: CompiledCircuit,
    x: NDArray[np.float32],
    record: CalibrationRecord | None,
    output: Output,
    what: str,
) -> Answers:
    with output.progress(what) as advance:
        return asked(bench, compiled, x, record, advance)


def _calibrated(
    bench: Bench[AbstractBoard], raw: CompiledCircuit, run: Run, seed: int, output: Output
) -> CalibrationRecord:
    provenance: dict[str, Any] = {
        "board_id": bench.board.hello.board_id,
        "started_utc": run.details["started_utc"],
        "firmware": bench.board.hello.firmware,
        "instruments": "; ".join(bench.identities),
        "software": f"jackfield {__version__}",
    }
    with live_view(output, "calibrating") as view:
        record = calibrate(
            bench,
            bench.spec,
            run,
            seed=seed,
            image=raw.image,
            provenance=provenance,
            observer=view,
        )
    save_record(record, run.folder / "board.record")
    output.say(f"calibrated with {record.provenance['reads']} reads")
    return record


def _lively_nodes(raw: CompiledCircuit, x: NDArray[np.float32]) -> list[int]:
    """The nodes that move most for one input, none of them an input."""
    swing = np.ptp(twin(raw, raw.spec).states(x)[:, 0], axis=0)
    swing[np.array(raw.inputs) - 1] = 0.0
    return [int(node) + 1 for node in np.argsort(swing)[::-1][:WATCHED]]
