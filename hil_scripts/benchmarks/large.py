"""The MNIST network on an emulated jf1024: raw and calibrated at node level, through serial port and VISA.

Images are validation ones, none of which the network was trained on: `JACKFIELD_MNIST` names the folder with the
training files.
"""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from benchmarks._rows import Row, figure_row
from numpy.typing import NDArray

from jackfield.bench import Bench
from jackfield.board import CalibrationRecord
from jackfield.cli.models import compiled_for, data_of
from jackfield.compile import CompiledPasses
from jackfield.data import Split
from jackfield.device import AbstractBoard
from jackfield.evaluate import answers_of, model_outputs, play, score
from jackfield.journal import Run
from jackfield.model import Checkpoint, load_checkpoint, packaged_model
from jackfield.session import load_spec, open_bench
from jackfield_calibration import calibrate

Floats = NDArray[np.float64]

BOARD, SEED, POINTS = "jf1024", 1, 0.5
IMAGES, QUICK_IMAGES = 2500, 32


@dataclass(frozen=True)
class _Ladder:
    """Accuracies by rung, output errors in units by rung, and the calibration: reads and seconds."""

    accuracy: dict[str, float]
    error: dict[str, float]
    reads: int
    seconds: float


def run(quick: bool) -> list[Row]:
    """Rows of `modules` and `cmos` (quick: a few images on `modules`)."""
    folder = packaged_model("mnist")
    assert folder is not None
    checkpoint, count = load_checkpoint(folder), QUICK_IMAGES if quick else IMAGES
    data = data_of(checkpoint)
    return [
        row
        for profile in (("modules",) if quick else ("modules", "cmos"))
        for row in _rows(profile, count, _ladder(profile, checkpoint, data, count))
    ]


def _ladder(profile: str, checkpoint: Checkpoint, data: Split, count: int) -> _Ladder:
    spec, x, labels = load_spec(BOARD), data.x_test[:count], data.y_test[:count]
    raw = compiled_for(checkpoint, spec)
    exact = model_outputs(checkpoint, x, False)
    outputs = {"float": exact, "quantised": model_outputs(checkpoint, x, True)}
    with (
        tempfile.TemporaryDirectory(prefix="jackfield-") as runs,
        open_bench(f"emulator://{BOARD}?profile={profile}&seed={SEED}") as bench,
        Run.create(Path(runs), "large", bench.board.hello.board_id) as journal,
    ):
        outputs["board_raw"] = _answers(bench, raw, x, None)
        begin, provenance = time.perf_counter(), {"board_id": bench.board.hello.board_id}
        record = calibrate(
            bench, spec, journal, seed=SEED, image=raw.passes[0].image, level="nodes", provenance=provenance
        )
        seconds = time.perf_counter() - begin
        outputs["board_calibrated"] = _answers(bench, compiled_for(checkpoint, spec, record), x, record)
    accuracy = {name: score(name, found, labels).accuracy for name, found in outputs.items()}
    error = {name: float(np.sqrt(np.mean((found - exact) ** 2))) for name, found in outputs.items()}
    return _Ladder(accuracy, error, int(record.provenance["reads"]), seconds)


def _answers(
    bench: Bench[AbstractBoard], compiled: CompiledPasses, x: NDArray[np.float32], record: CalibrationRecord | None
) -> Floats:
    """Outputs `[input, class]` in machine units."""
    played = play(bench, compiled, x.astype(np.float64))
    last = compiled.passes[-1]
    return np.asarray(answers_of(played.measured, last, record).held_V / last.scaling.volts_per_unit)


def _rows(profile: str, count: int, found: _Ladder) -> list[Row]:
    workload = f"MNIST on {BOARD}, {profile}, board {SEED}, {count} validation images"
    lost = 100 * (found.accuracy["float"] - found.accuracy["board_calibrated"])
    holds, asked = lost <= POINTS, f"at most {POINTS}"
    if profile != "modules":
        holds, asked = True, "printed"
    return [
        *(
            figure_row("accuracy", workload, rung, (share, "share"), f"error {found.error[rung]:.2g}")
            for rung, share in found.accuracy.items()
        ),
        figure_row("lost", workload, "float", (lost, "points"), asked, holds),
        figure_row("calibration, node level", workload, "-", (float(found.reads), "reads"), "printed"),
        figure_row("calibration, node level", workload, "-", (found.seconds, "s"), "printed"),
    ]
