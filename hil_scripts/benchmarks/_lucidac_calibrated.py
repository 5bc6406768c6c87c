"""Emulated LUCIDACs with mismatch: how far their records bring circuits that calibration never saw."""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from benchmarks._lucidac_peer import Case, random_case
from benchmarks._lucidac_trained import output_error, trained
from benchmarks._rows import Row

from jackfield.bench import Bench
from jackfield.board import CalibrationRecord
from jackfield.compile import compile_circuit
from jackfield.device import AbstractBoard
from jackfield.journal import Run
from jackfield.model import MOONS_RECIPE, Bounds, KirchhoffNet
from jackfield.session import load_spec, open_bench
from jackfield_calibration import calibrate

__all__ = ["calibrated_rows"]

SPEC = "lucidac-2024"
BOARDS, NETWORKS, RANDOM = 5, 3, 5
POINTS, EPOCHS, VOLTS = 100, 20, 0.9
RATIO, GOOD = 3.0, 0.9


def calibrated_rows(quick: bool) -> list[Row]:
    """Output errors with and without the record, and how many gains verification passes."""
    boards = range(1, 2 if quick else BOARDS + 1)
    bounds = Bounds.from_spec(load_spec(SPEC), MOONS_RECIPE.volts_per_unit, MOONS_RECIPE.seconds_per_unit, "polynomial")
    networks = [trained(bounds, EPOCHS, seed) for seed in range(1, 2 if quick else NETWORKS + 1)]
    found = [_board(seed, networks) for seed in boards]
    reads = found[0][1].provenance["reads"]
    what = (
        f"{len(boards)} emulated boards with mismatch, {len(networks)} trained and {RANDOM} random circuits that "
        f"calibration never saw, {reads} reads a board; largest of the boards' V rms"
    )
    worst = min(raw / corrected for (raw, corrected), _ in found)
    raw, corrected = (max(errors[way] for errors, _ in found) for way in (0, 1))
    good = min(float(record.tables["gain_scale"].good.mean()) for _, record in found)
    return [
        {
            "name": "lucidac calibrated", "workload": what, "against": "uncalibrated", "ours": corrected, "theirs": raw,
            "unit": "V rms", "ratio": worst, "error": corrected, "asked": f"ratio >= {RATIO:g} on each board",
            "holds": worst >= RATIO,
        },
        {
            "name": "lucidac gains verified", "workload": f"{len(boards)} boards, fresh runs with other codes",
            "against": "tolerance: 2 LSB", "ours": good, "theirs": None, "unit": "share of the worst board",
            "ratio": None, "error": 1 - good, "asked": f">= {GOOD:g}", "holds": good >= GOOD,
        },
    ]  # fmt: skip


def _board(seed: int, networks: Sequence[KirchhoffNet]) -> tuple[tuple[float, float], CalibrationRecord]:
    """Rms over all circuits, without and with the board's record, in V; and the record."""
    with tempfile.TemporaryDirectory() as folder, open_bench(f"emulator://{SPEC}?profile=typical&seed={seed}") as bench:
        name = bench.board.hello.board_id
        with Run.create(Path(folder), "calibrate", name) as run:
            record = calibrate(bench, bench.spec, run, seed=0, provenance={"board_id": name})
        errors = [
            [
                *(output_error(network, bench, POINTS, known) for network in networks),
                *(_case_error(random_case(number), bench, known) for number in range(RANDOM)),
            ]
            for known in (None, record)
        ]
    raw, corrected = np.sqrt(np.mean(np.square(errors), axis=1))
    return (float(raw), float(corrected)), record


def _case_error(case: Case, bench: Bench[AbstractBoard], record: CalibrationRecord | None) -> float:
    compiled = compile_circuit(case.circuit, bench.spec, volts_per_unit=VOLTS, record=record)
    bench.board.apply(compiled.image)
    read = bench.measure(compiled.input_codes(case.start), replace(compiled.program, count=len(case.start)))
    wanted = VOLTS * np.array([case.trajectory(start)[:, -1] for start in case.start])
    order = [read.nodes.index(node) for node in compiled.outputs]
    return float(np.sqrt(np.mean((read.values_V[:, order] - wanted) ** 2)))
