"""The main way through on several emulated boards of each profile: accuracy and output error."""

import tempfile
from functools import cache, partial
from pathlib import Path

import numpy as np
from benchmarks._rows import Parts, Row

from jackfield.cli.demo_run import DemoResult, run_on_bench, trained
from jackfield.cli.output import Output
from jackfield.data import Split, digits_split
from jackfield.journal import Run
from jackfield.model import Checkpoint
from jackfield.session import load_spec, open_bench

# Largest calibrated over raw output error, by profile.
ERROR_BARS = {"cmos": 0.12, "rough": 0.15, "modules": 0.4}
SEEDS = 5
FLOAT_BAR, RAW_BAR, POINTS_BAR, PREDICTION_BAR = 0.975, 0.93, 1.0, 2.0


def parts(quick: bool) -> Parts:
    """A profile each, the mean over 5 boards (quick: one cmos board, short training)."""
    output, data = Output(as_json=True), digits_split()

    @cache
    def checkpoint() -> Checkpoint:
        return trained(load_spec("jf96"), data, quick, output)

    def rows(profile: str) -> list[Row]:
        seeds = range(1 if quick else SEEDS)
        return _rows(profile, [_board(profile, seed, checkpoint(), data, quick, output) for seed in seeds])

    return {profile: partial(rows, profile) for profile in (("cmos",) if quick else ERROR_BARS)}


def _board(profile: str, seed: int, checkpoint: Checkpoint, data: Split, quick: bool, output: Output) -> DemoResult:
    with (
        tempfile.TemporaryDirectory(prefix="jackfield-") as runs,
        open_bench(f"emulator://jf96?profile={profile}&seed={seed}") as bench,
        Run.create(Path(runs), "ladder", bench.board.hello.board_id) as run,
    ):
        return run_on_bench(bench, checkpoint, data, run, seed=seed, quick=quick, output=output)


def _rows(profile: str, boards: list[DemoResult]) -> list[Row]:
    def mean(rung: str) -> float:
        return float(np.mean([found.accuracy for board in boards for found in board.rungs if found.rung == rung]))

    raw, calibrated = (
        float(np.mean([answers.error_rms_V(board.wanted_V) for board, answers in pairs]))
        for pairs in ([(b, b.raw_answers) for b in boards], [(b, b.answers) for b in boards])
    )
    workload = f"digits on jf96, {profile}, {len(boards)} boards, {len(boards[0].labels)} held-out inputs each"
    bar = ERROR_BARS[profile]
    off = float(np.mean([board.mean_abs_z for board in boards]))
    rows = [
        _row("output_error", "board_raw", (calibrated, raw), "V", f"at most {bar:g} of raw", calibrated <= bar * raw),
        _row("prediction", "measured", (off, None), "se", f"at most {PREDICTION_BAR:g}", off <= PREDICTION_BAR),
    ]
    if profile == "cmos":
        exact, uncorrected, corrected = (mean(rung) for rung in ("float", "board_raw", "board_calibrated"))
        lost = 100 * (exact - corrected)
        rows += [
            _row("float", "labels", (exact, None), "share", f"at least {FLOAT_BAR:g}", exact >= FLOAT_BAR),
            _row("raw", "labels", (uncorrected, None), "share", f"at most {RAW_BAR:g}", uncorrected <= RAW_BAR),
            _row("calibrated", "float", (corrected, exact), "share", "within 1 point", lost <= POINTS_BAR),
        ]
    for row in rows:
        row["workload"] = workload
    return rows


def _row(name: str, against: str, values: tuple[float, float | None], unit: str, asked: str, holds: bool) -> Row:
    ours, theirs = values
    return {
        "name": name,
        "workload": "",
        "against": against,
        "ours": ours,
        "theirs": theirs,
        "unit": unit,
        "ratio": None if theirs is None else ours / theirs,
        "error": None,
        "asked": asked,
        "holds": holds,
    }
