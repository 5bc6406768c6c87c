"""What calibration is for: the digits network on emulated boards, raw, with nodes calibrated, with cells calibrated."""

from dataclasses import dataclass

import numpy as np
from benchmarks._calibration_bench import Memory, open_here
from benchmarks._rows import Row
from numpy.typing import NDArray

from jackfield.board import BoardSpec, CalibrationRecord
from jackfield.cli.demo_run import trained
from jackfield.cli.evaluation import asked, model_outputs
from jackfield.cli.models import compiled_for
from jackfield.cli.output import Output
from jackfield.compile import twin
from jackfield.data import digits_split
from jackfield.model import Checkpoint
from jackfield.session import load_spec
from jackfield_calibration import calibrate

__all__ = ["rows"]

Floats = NDArray[np.float64]
ERROR_BARS = {"cmos": 0.10, "rough": 0.12, "modules": 0.35}
BOARDS, INPUTS = 5, 540
RMS_BAR, POINTS_BAR = 1.3, 0.5


@dataclass(frozen=True)
class _Board:
    """Output errors in V, share of right answers, measured minus predicted in standard errors, reads."""

    errors: dict[str, float]
    right: float
    twin_right: float
    z_rms: float
    reads: dict[str, float]


def rows(quick: bool) -> list[Row]:
    """Two rows of errors and two of the twin for each profile (quick: one board, a short training)."""
    output, spec = Output(as_json=True), load_spec("jf96")
    checkpoint = trained(spec, digits_split(), quick, output)
    found: list[Row] = []
    for profile, bar in list(ERROR_BARS.items())[: 1 if quick else None]:
        boards = [_board(spec, profile, seed, checkpoint, quick) for seed in range(1 if quick else BOARDS)]
        found += _rows(f"digits on jf96, {profile}, {len(boards)} boards", boards, bar)
    return found


def _board(spec: BoardSpec, profile: str, seed: int, checkpoint: Checkpoint, quick: bool) -> _Board:
    data, count = digits_split(), 128 if quick else INPUTS
    x, labels = data.x_test[:count], data.y_test[:count]
    bench, _ = open_here(spec, profile, seed)
    wanted = model_outputs(checkpoint, x, quantised=True)
    errors, reads, answers = {}, {}, None
    raw = compiled_for(checkpoint, spec).only
    for level in ("raw", "nodes", "cells"):
        record: CalibrationRecord | None = None
        if level != "raw":
            given = {"board_id": "scored"}
            record = calibrate(bench, spec, Memory(), seed=seed, image=raw.image, level=level, provenance=given)
            reads[level] = float(record.provenance["reads"])
        compiled = compiled_for(checkpoint, spec, record).only
        bench.board.apply(compiled.image)
        answers = asked(bench, compiled, x, record, lambda done, of: None)
        errors[level] = answers.error_rms_V(compiled.scaling.volts_per_unit * wanted)
    assert answers is not None
    assert record is not None
    predicted, predicted_se = twin(compiled, spec, record).predict(x)
    z = (answers.shown_V - predicted)[answers.valid] / np.hypot(answers.se_V, predicted_se)[answers.valid]
    right, twin_right = (float(np.mean(v.argmax(1) == labels)) for v in (answers.held_V, predicted))
    return _Board(errors, right, twin_right, float(np.sqrt(np.mean(z**2))), reads)


def _rows(workload: str, boards: list[_Board], bar: float) -> list[Row]:
    def mean(values: list[float]) -> float:
        return float(np.mean(values))

    raw, nodes, cells = (mean([board.errors[level] for board in boards]) for level in ("raw", "nodes", "cells"))
    read_n, read_c = (mean([board.reads[level] for board in boards]) for level in ("nodes", "cells"))
    z, right, said = (
        mean([b.z_rms for b in boards]),
        mean([b.right for b in boards]),
        mean([b.twin_right for b in boards]),
    )
    return [
        _row(
            "output_error", f"{workload}, {read_c:.0f} reads", "raw", (cells, raw), "V", f"at most {bar:g}",
            cells <= bar * raw,
        ),
        _row("output_error nodes", f"{workload}, {read_n:.0f} reads", "raw", (nodes, raw), "V", "printed", True),
        _row("twin_parity", workload, "predicted", (z, None), "se rms", f"at most {RMS_BAR:g}", z <= RMS_BAR),
        _row(
            "twin_parity accuracy", workload, "predicted", (right, said), "share", "within 0.005",
            100 * abs(right - said) <= POINTS_BAR,
        ),
    ]  # fmt: skip


def _row(
    name: str, workload: str, against: str, pair: tuple[float, float | None], unit: str, asked: str, holds: bool
) -> Row:
    ours, theirs = pair
    ratio = None if theirs is None else ours / theirs
    return Row(
        name=name, workload=workload, against=against, ours=ours, theirs=theirs, unit=unit, ratio=ratio, error=None,
        asked=asked, holds=bool(holds),
    )  # fmt: skip
