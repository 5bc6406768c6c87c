"""Refinement: the digits network compiled with a record, predicted and run before and after its runs corrected it.

Smooth non-linearity, and binary-weighted, of which the record's curves hold the less.
"""

import numpy as np
from benchmarks._calibration_bench import Memory, open_here
from benchmarks._rows import Row, figure_row

from jackfield.board import BoardSpec, CalibrationRecord
from jackfield.cli.demo_run import trained
from jackfield.cli.models import compiled_for
from jackfield.cli.output import Output
from jackfield.compile import twin
from jackfield.data import digits_split
from jackfield.emulator import Planted
from jackfield.evaluate import answers_of, model_outputs, play
from jackfield.model import Checkpoint
from jackfield.session import load_spec
from jackfield_calibration import calibrate, refine

__all__ = ["rows"]

CASES, SEED, INPUTS, TRAINED_ON = (("cmos", "smooth"), ("rough", "binary")), 21, 256, 96


def rows(quick: bool) -> list[Row]:
    """Four rows a case (quick: the first, a short training)."""
    spec, data = load_spec("jf96"), digits_split()
    checkpoint = trained(spec, data, quick, Output(as_json=True))
    return [row for case in CASES[: 1 if quick else None] for row in _rows(spec, checkpoint, *case)]


def _rows(spec: BoardSpec, checkpoint: Checkpoint, profile: str, inl: str) -> list[Row]:
    bench, _ = open_here(spec, profile, SEED, planted=Planted(inl=inl))
    data, given = digits_split(), {"board_id": "scored"}
    x = data.x_test[:INPUTS]
    raw = compiled_for(checkpoint, spec).only
    record = calibrate(bench, spec, Memory(), seed=SEED, image=raw.image, level="cells", provenance=given)
    wanted = model_outputs(checkpoint, x, quantised=True)

    def off_mV(known: CalibrationRecord) -> tuple[float, float]:
        """Measured against predicted, and against the model, rms."""
        passes = compiled_for(checkpoint, spec, known)
        compiled = passes.only
        measured = play(bench, passes, x.astype(np.float64)).measured
        order = [measured.nodes.index(node) for node in compiled.outputs]
        predicted, _ = twin(compiled, spec, known).predict(x)
        parity = float(np.sqrt(np.mean((measured.values_V[:, order] - predicted) ** 2)))
        volts = compiled.scaling.volts_per_unit * wanted
        return 1e3 * parity, 1e3 * answers_of(measured, compiled, known).error_rms_V(volts)

    compiled = compiled_for(checkpoint, spec, record).only
    codes = compiled.input_codes(data.x_train[:TRAINED_ON])
    refined = refine(
        bench, spec, Memory(), record, compiled.image, compiled.program, seed=SEED, provenance=given, codes=codes
    )
    reads = refined.provenance["reads"]
    workload = f"digits on jf96, {profile}, {inl} INL, board {SEED}, {reads} reads besides {record.provenance['reads']}"
    before, after = off_mV(record), off_mV(refined)
    return [
        figure_row(name, workload, against, (pair[at], "mV rms"), "printed")
        for at, name in enumerate(("refined, twin_parity", "refined, output_error"))
        for against, pair in (("record", before), ("refined record", after))
    ]
