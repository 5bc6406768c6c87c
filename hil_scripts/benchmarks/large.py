"""The MNIST network on an emulated jf1024: raw, calibrated at node level and tuned, through serial port and VISA.

Images are validation ones, none of which the network was trained on: `JACKFIELD_MNIST` names the folder with the
training files.
"""

import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks._rows import Parts, Row, figure_row

from jackfield.cli.models import compiled_for, data_of
from jackfield.data import Split
from jackfield.journal import Run
from jackfield.model import Checkpoint, load_checkpoint, packaged_model
from jackfield.session import load_spec, open_bench
from jackfield.tune import Height, Starts, TuneRecipe, climb
from jackfield_calibration import calibrate

BOARD, SEED, POINTS = "jf1024", 1, 0.5
IMAGES, QUICK_IMAGES = 2500, 32
PASSES, QUICK_PASSES = 2560, 64
RATE, NOISE = 0.0005, 0.0


@dataclass(frozen=True)
class _Ladder:
    """What each rung reaches, and the calibration: reads and seconds."""

    heights: tuple[Height, ...]
    reads: int
    seconds: float


def parts(quick: bool) -> Parts:
    """`modules` and `cmos` (quick: a few images on `modules`)."""
    folder = packaged_model("mnist")
    assert folder is not None
    checkpoint = load_checkpoint(folder)
    data, count, passes = data_of(checkpoint), *((QUICK_IMAGES, QUICK_PASSES) if quick else (IMAGES, PASSES))

    def rows(profile: str) -> list[Row]:
        return _rows(profile, count, _ladder(profile, checkpoint, data, count, passes))

    return {profile: partial(rows, profile) for profile in (("modules",) if quick else ("modules", "cmos"))}


def _ladder(profile: str, checkpoint: Checkpoint, data: Split, count: int, passes: int) -> _Ladder:
    spec = load_spec(BOARD)
    raw = compiled_for(checkpoint, spec).only
    with (
        tempfile.TemporaryDirectory(prefix="jackfield-") as runs,
        open_bench(f"emulator://{BOARD}?profile={profile}&seed={SEED}") as bench,
        Run.create(Path(runs), "large", bench.board.hello.board_id) as journal,
    ):
        begin, provenance = time.perf_counter(), {"board_id": bench.board.hello.board_id}
        record = calibrate(bench, spec, journal, seed=SEED, image=raw.image, level="nodes", provenance=provenance)
        seconds = time.perf_counter() - begin
        starts = Starts(raw, corrected=compiled_for(checkpoint, spec, record).only)
        recipe = TuneRecipe(passes=passes, rate=RATE, noise=NOISE)
        found = climb(bench, checkpoint, data, starts, record=record, recipe=recipe, count=count)
    return _Ladder(found.heights, int(record.provenance["reads"]), seconds)


def _rows(profile: str, count: int, found: _Ladder) -> list[Row]:
    workload = f"MNIST on {BOARD}, {profile}, board {SEED}, {count} validation images"
    share = {height.rung.rung: height.rung.accuracy for height in found.heights}
    calibrated, tuned = (
        100 * (share[of] - share[rung]) for of, rung in (("float", "board_calibrated"), ("quantised", "board_tuned"))
    )
    held, asked = (calibrated <= POINTS, f"at most {POINTS}") if profile == "modules" else (True, "printed")
    return [
        *(figure_row("accuracy", workload, h.rung.rung, (h.rung.accuracy, "share"), _said(h)) for h in found.heights),
        figure_row("lost, calibrated", workload, "float", (calibrated, "points"), asked, held),
        figure_row("lost, tuned", workload, "quantised", (tuned, "points"), f"at most {POINTS}", tuned <= POINTS),
        figure_row("calibration, node level", workload, "-", (float(found.reads), "reads"), "printed"),
        figure_row("calibration, node level", workload, "-", (found.seconds, "s"), "printed"),
    ]


def _said(height: Height) -> str:
    if height.error_V is None:
        return "printed"
    return f"error {1e3 * height.error_V:.3g} mV; {height.passes} passes, {height.seconds:.0f} s"
