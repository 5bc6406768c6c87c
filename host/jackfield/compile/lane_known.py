"""What is known of one board of integrators and multipliers: nominal, or as a record says."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from jackfield.board import BoardSpec, CalibrationRecord
from jackfield.errors import CalibrationError

__all__ = ["KnownLanes"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class KnownLanes:
    """`gain[cell]` over nominal and `offset[cell]` at the end of lanes and of multipliers, `[cell]` in spec order.

    `input_offset[node]` is added to the sum of lanes at each input: an integrator's bias, a multiplier's offset.
    `speed[node]` is an integrator's k0 over nominal. Presets and converters: V = gain nominal + offset.
    `bad[cell]` marks lanes not to be used.
    """

    gain: Floats
    offset: Floats
    input_offset: Floats
    speed: Floats
    preset_gain: Floats
    preset_offset_V: Floats
    bad: NDArray[np.bool_]

    @classmethod
    def from_record(cls, spec: BoardSpec, record: CalibrationRecord | None) -> Self:
        """What `record` says; None, and what it lacks, is nominal. CalibrationError where it is for another spec."""
        cells, nodes = {str(cell): i for i, cell in enumerate(spec.cells)}, spec.nodes.count
        known = cls(
            gain=np.ones(spec.cell_count),
            offset=np.zeros(spec.cell_count),
            input_offset=np.zeros(nodes),
            speed=np.ones(nodes),
            preset_gain=np.ones(nodes),
            preset_offset_V=np.zeros(nodes),
            bad=np.zeros(spec.cell_count, dtype=np.bool_),
        )
        if record is None:
            return known
        if record.provenance["spec_digest"] != spec.digest:
            raise CalibrationError(
                f"the record is for a spec of digest {str(record.provenance['spec_digest'])[:12]}, board {spec.name} "
                f"has {spec.digest[:12]}; calibrate the board again or use the spec of the record"
            )
        by_node = {str(node + 1): node for node in range(nodes)}
        for quantity, array, index in (
            ("gain_scale", known.gain, cells),
            ("current_offset_A", known.offset, cells),
            ("node_offset_A", known.input_offset, by_node),
            ("capacitance_ratio", known.speed, by_node),
            ("preset_gain", known.preset_gain, by_node),
            ("preset_offset_V", known.preset_offset_V, by_node),
        ):
            if quantity in record.tables:
                table = record.tables[quantity]
                array[[index[name] for name in table.index]] = table.value
        known.speed[:] = 1 / known.speed
        if "gain_scale" in record.tables:
            table = record.tables["gain_scale"]
            dead = [name for name, why in zip(table.index, table.reason, strict=True) if why in ("dead", "stuck")]
            known.bad[[cells[name] for name in dead]] = True
        return known
