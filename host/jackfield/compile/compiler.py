"""compile_circuit: from a circuit, a board spec and perhaps a record to an image and its program."""

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from jackfield.board import BoardSpec, CalibrationRecord, RunProgram
from jackfield.compile.codes import circuit_targets, quantise
from jackfield.compile.compiled import CompiledCircuit
from jackfield.compile.known import KnownBoard
from jackfield.compile.lanes import compile_lanes, is_lane_board
from jackfield.compile.lower import LoweredSlice, check_leak, farads_per_unit, lower
from jackfield.compile.place import Placement, place_slices
from jackfield.compile.refit import refit
from jackfield.compile.scaling import Scaling, choose_scaling
from jackfield.compile.suit import suit_cells
from jackfield.errors import DesignError
from jackfield.physics import Circuit

__all__ = ["compile_circuit"]


def compile_circuit(
    circuit: Circuit,
    spec: BoardSpec,
    *,
    record: CalibrationRecord | None = None,
    largest_v: float | None = None,
    volts_per_unit: float | None = None,
    seconds_per_unit: float | Sequence[float] | None = None,
    allow_clipped: int = 0,
    fit_inputs: Tensor | None = None,
) -> CompiledCircuit:
    """`circuit` (machine units) as codes for board `spec`, slice k in bank k.

    With a `record`, cells that it finds bad are avoided, each cell's curve is inverted and each node's summed
    offset trimmed away. With `fit_inputs` `[batch, input]` besides, the codes are re-fitted on the twin before
    rounding, so that node currents match the circuit's at the states that these inputs pass through.
    `largest_v`, the largest |v| in machine units, sets the scale unless `volts_per_unit` does.
    Raises DesignError where the circuit does not fit the board or more than `allow_clipped` values lie out of
    range, CalibrationError where the record belongs to another spec.
    """
    if is_lane_board(spec):
        return compile_lanes(
            circuit,
            spec,
            record=record,
            record_name="" if record is None else record_id(record),
            largest_v=largest_v,
            volts_per_unit=volts_per_unit,
            seconds_per_unit=seconds_per_unit,
        )
    slices = lower(circuit, spec)
    farads = farads_per_unit(circuit, spec)
    scaling = choose_scaling(
        circuit,
        spec,
        largest_v=largest_v,
        volts_per_unit=volts_per_unit,
        seconds_per_unit=seconds_per_unit,
    )
    check_leak(circuit, spec, farads, scaling.seconds_per_unit)
    known = KnownBoard.from_record(spec, record)
    placement = _place_on_known(slices, scaling, spec, farads, known)
    requested = circuit_targets(placement, scaling, spec, farads, known)
    target = requested
    if record is not None and fit_inputs is not None:
        target = refit(circuit, placement, requested, scaling, spec, known, fit_inputs)
    image, report = quantise(placement, requested, target, spec, known, allow_clipped)
    return CompiledCircuit(
        spec=spec,
        image=image,
        program=_program(slices, scaling, spec, circuit),
        scaling=scaling,
        inputs=tuple(circuit.inputs),
        outputs=tuple(circuit.outputs),
        preset_gain=known.preset_gain,
        preset_offset_V=known.preset_offset_V,
        droop_per_s=known.droop_per_s,
        record_id="" if record is None else record_id(record),
        record={} if record is None else {name: record.provenance[name] for name in _KEPT if name in record.provenance},
        placement=placement,
        report=report,
    )


_KEPT = (
    "board_id", "spec_digest", "started_utc", "temperature_C", "valid_days", "valid_K", "fingerprint",
)  # fmt: skip
"""What an image keeps of its record's provenance: enough to know, without the record, where it may be used."""


def _place_on_known(
    slices: tuple[LoweredSlice, ...], scaling: Scaling, spec: BoardSpec, farads: float, known: KnownBoard
) -> Placement:
    """Verified cells where they suffice; doubtful ones only for want of these; bad ones never."""
    avoided = known.bad | known.doubtful
    try:
        placement = place_slices(slices, spec, np.flatnonzero(avoided))
    except DesignError:
        avoided = known.bad
        placement = place_slices(slices, spec, np.flatnonzero(avoided))
    targets = circuit_targets(placement, scaling, spec, farads, known)
    return suit_cells(placement, targets, spec, known, ~avoided)


def _program(slices: tuple[LoweredSlice, ...], scaling: Scaling, spec: BoardSpec, circuit: Circuit) -> RunProgram:
    ticks = (
        round(part.duration * tau / spec.run.tick_s) for part, tau in zip(slices, scaling.seconds_per_unit, strict=True)
    )
    shares = np.array_split(np.array(circuit.outputs, dtype=np.int64), spec.probe.count)
    scan = tuple(tuple(int(node) for node in share) for share in shares)
    return RunProgram(steps=tuple(enumerate(ticks)), scan=scan, clamp=tuple(circuit.clamped))


def record_id(record: CalibrationRecord) -> str:
    """A name for exactly this record: the board's id and the start of its digest."""
    return f"{record.provenance['board_id']}:{record.digest[:16]}"
