"""`update`: read the sentinels of a record, measure again what has moved and nothing else."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from jackfield.bench import BenchTime
from jackfield.board import BoardSpec, CalibrationRecord
from jackfield.errors import CalibrationError
from jackfield_calibration.baseline import with_fingerprint, with_sentinels
from jackfield_calibration.calibrate import measured_cells
from jackfield_calibration.cell_calibration import CellCalibration
from jackfield_calibration.fingerprint import MATCH, Fingerprint
from jackfield_calibration.from_record import begin_from, nodes_from
from jackfield_calibration.observer import Observer, Silent
from jackfield_calibration.plan import Plan, RecordTime, planned_step
from jackfield_calibration.reader import Reader
from jackfield_calibration.record_edit import merged
from jackfield_calibration.routine import Bench, Journal
from jackfield_calibration.sentinel import TABLE, Moved, SentinelRoutine, moved_cells, watched_cells
from jackfield_calibration.tables import cell_tables

__all__ = ["make_update_plan", "update"]

_MOST = 0.5  # of the watched cells: where more have moved, nodes and what cells share have, too


def make_update_plan(spec: BoardSpec, record: CalibrationRecord, record_s: RecordTime | None = None) -> Plan:
    """What `update` reads to find out what moved; what it measures again comes on top. Errors as for `update`."""
    routine = SentinelRoutine(spec, record, watched_cells(spec, record))
    step = planned_step(spec, routine, record_s or BenchTime.of(spec).record_s)
    return Plan((step,), step.reads)


def update(
    bench: Bench,
    spec: BoardSpec,
    run: Journal,
    record: CalibrationRecord,
    *,
    seed: int,
    provenance: Mapping[str, Any],
    observer: Observer | None = None,
) -> CalibrationRecord:
    """`record` brought up to date: one read a cell finds what moved, only that is measured again.

    `provenance` is that of this run, as for `calibrate`. Nodes and what the cells share are taken from `record`.
    Raises CalibrationError where the record has no sentinels, is another board's, or most of its cells have moved.
    """
    if provenance["board_id"] != record.provenance["board_id"]:
        raise CalibrationError(
            f"the record is that of board {record.provenance['board_id']}, board {provenance['board_id']} is "
            "connected; calibrate this one from the beginning"
        )
    plan = make_update_plan(spec, record)
    reader = Reader(bench, spec, run, plan, observer or Silent())
    reader.reference_V()
    moved = _moved(spec, record, reader)
    part = _measured_again(spec, record, reader, moved, seed)
    before_it = {name: value for name, value in record.provenance.items() if name != "refined"}  # what another run did
    fresh = with_fingerprint({**before_it, **provenance}, spec, reader)
    alike = Fingerprint.from_provenance(record.provenance).likeness(Fingerprint.from_provenance(fresh))
    if not alike > MATCH:
        raise CalibrationError(
            f"the board's fingerprint correlates with the record's by {alike:.2f}, asked is {MATCH:g}: it is another "
            "board or has changed altogether; calibrate it from the beginning"
        )
    names = [str(spec.cells[cell]) for cell in moved.cells]
    fresh |= {"seed": seed, "settings": reader.settings, "reads": reader.reads, "parent": record.digest}
    fresh |= {"planned_settings": plan.settings, "planned_reads": plan.reads}
    tables = record.tables if part is None else merged(record, part, rows=names).tables
    return CalibrationRecord(fresh | {"update": {"sentinels": len(moved.watched), "moved": names}}, tables)


def _moved(spec: BoardSpec, record: CalibrationRecord, reader: Reader) -> Moved:
    routine = SentinelRoutine(spec, record, watched_cells(spec, record))
    moved = moved_cells(spec, record, routine.found(reader.read_all(routine)))
    if len(moved.cells) > _MOST * len(moved.watched):
        raise CalibrationError(
            f"{len(moved.cells)} of {len(moved.watched)} cells have moved by {np.nanmedian(np.abs(moved.z)):.1f} "
            "standard errors in the median: that is the whole board (its temperature, its supply); calibrate it again"
        )
    return moved


def _measured_again(
    spec: BoardSpec, record: CalibrationRecord, reader: Reader, moved: Moved, seed: int
) -> CalibrationRecord | None:
    """A record of the moved cells alone, their sentinels with them."""
    cells = moved.cells
    if not len(cells):
        return None
    part = spec.group_of(int(cells[0]))
    nodes = nodes_from(spec, record)
    begin = begin_from(spec, record, nodes, part.name)
    outcome = CellCalibration(spec, cells, nodes, reader, np.random.default_rng([seed, 3]), begin).run()
    deviation = np.sqrt(outcome.fit.covariance[:, 3, 3].numpy()) * part.output_limit_A
    offset = outcome.fit.value[:, 3].numpy() * part.output_limit_A
    results = measured_cells(cells, part.parameters["gain"].hi, outcome, offset, deviation)
    found = cell_tables(spec, results)
    tables = with_sentinels({**record.tables, **found}, spec, reader, cells, nodes.noise_V, "sentinels-again")
    return CalibrationRecord(record.provenance, {name: tables[name] for name in (*found, TABLE)})
