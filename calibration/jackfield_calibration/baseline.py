"""What a record keeps so that the board can be recognised and watched: the fingerprint and the sentinels."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jackfield.board import BoardSpec, CalibrationRecord, Table
from jackfield_calibration.fingerprint import FingerprintRoutine
from jackfield_calibration.plan import PlannedStep, RecordTime, planned_step
from jackfield_calibration.reader import Reader
from jackfield_calibration.sentinel import TABLE, SentinelRoutine, sentinel_table

__all__ = ["planned_baseline", "with_fingerprint", "with_sentinels"]

Integers = NDArray[np.int64]


def planned_baseline(spec: BoardSpec, cells: Integers, record_s: RecordTime) -> list[PlannedStep]:
    """What the baseline costs where `cells` are calibrated."""
    steps = [planned_step(spec, FingerprintRoutine(spec), record_s)]
    if len(cells):
        steps.append(planned_step(spec, SentinelRoutine.nominal(spec, cells), record_s))
    return steps


def with_fingerprint(provenance: Mapping[str, Any], spec: BoardSpec, reader: Reader) -> dict[str, Any]:
    """`provenance` and the board's fingerprint, read for it."""
    routine = FingerprintRoutine(spec)
    return {**provenance, "fingerprint": routine.found(reader.read_all(routine)).to_provenance()}


def with_sentinels(
    tables: Mapping[str, Table],
    spec: BoardSpec,
    reader: Reader,
    cells: Integers,
    noise_V: float,
    name: str = "sentinels",
) -> dict[str, Table]:
    """`tables` and the sentinels of `cells`, read as step `name`; `noise_V` is a read's noise beyond its slot's."""
    if not len(cells):
        return dict(tables)
    routine = SentinelRoutine(spec, CalibrationRecord({}, tables), cells, name)
    gains = tables["gain_scale"]
    reasons = dict(zip(gains.index, gains.reason, strict=True))
    found = routine.found(reader.read_all(routine))
    return {**tables, TABLE: sentinel_table(spec, found, noise_V, reasons)}
