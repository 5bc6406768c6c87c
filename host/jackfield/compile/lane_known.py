"""What is known of one board of integrators and multipliers: nominal, or as a record says."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from jackfield.board import BoardSpec, CalibrationRecord
from jackfield.errors import CalibrationError

__all__ = ["KnownLanes"]

Floats = NDArray[np.float64]
_DRAWN = (
    *("gain", "offset", "input_offset", "speed"),
    *("preset_gain", "preset_offset_V", "reading_gain", "reading_offset_V"),
)


@dataclass(frozen=True)
class KnownLanes:
    """`gain[cell]` over nominal and `offset[cell]` at the end of lanes and of multipliers, `[cell]` in spec order.

    `input_offset[node]` is added to the sum of lanes at each input: an integrator's bias, a multiplier's offset.
    `speed[integrator]` is k0 over nominal. Voltages are as read: presets V = gain nominal + offset, and an
    integrator that shows x to the lanes is read as `reading_gain` x + `reading_offset_V`.
    `bad[cell]` marks lanes not to be used.
    """

    gain: Floats
    offset: Floats
    input_offset: Floats
    speed: Floats
    preset_gain: Floats
    preset_offset_V: Floats
    reading_gain: Floats
    reading_offset_V: Floats
    bad: NDArray[np.bool_]

    @classmethod
    def from_record(cls, spec: BoardSpec, record: CalibrationRecord | None) -> Self:
        """What `record` says; None, and what it lacks, is nominal. CalibrationError where it is for another spec."""
        nodes, integrators = spec.nodes.count, spec.group("K").count
        known = cls(
            gain=np.ones(spec.cell_count),
            offset=np.zeros(spec.cell_count),
            input_offset=np.zeros(nodes),
            speed=np.ones(integrators),
            preset_gain=np.ones(nodes),
            preset_offset_V=np.zeros(nodes),
            reading_gain=np.ones(nodes),
            reading_offset_V=np.zeros(nodes),
            bad=np.zeros(spec.cell_count, dtype=np.bool_),
        )
        if record is None:
            return known
        if record.provenance["spec_digest"] != spec.digest:
            raise CalibrationError(
                f"the record is for a spec of digest {str(record.provenance['spec_digest'])[:12]}, board {spec.name} "
                f"has {spec.digest[:12]}; calibrate the board again or use the spec of the record"
            )
        for quantity, (array, index) in known._places(spec).items():
            if quantity in record.tables:
                table = record.tables[quantity]
                array[[index[name] for name in table.index]] = table.value
        known.speed[:] = 1 / known.speed
        if "gain_scale" in record.tables:
            table = record.tables["gain_scale"]
            dead = [name for name, why in zip(table.index, table.reason, strict=True) if why in ("dead", "stuck")]
            known.bad[[known._places(spec)["gain_scale"][1][name] for name in dead]] = True
        return known

    def _places(self, spec: BoardSpec) -> dict[str, tuple[Floats, dict[str, int]]]:
        """Where each of a record's quantities stands: the array, and the position by the name of the instance."""
        cells = {str(cell): i for i, cell in enumerate(spec.cells)}
        nodes = {str(node + 1): node for node in range(spec.nodes.count)}
        return {
            "gain_scale": (self.gain, cells),
            "current_offset_A": (self.offset, cells),
            "node_offset_A": (self.input_offset, nodes),
            "capacitance_ratio": (self.speed, nodes),
            "preset_gain": (self.preset_gain, nodes),
            "preset_offset_V": (self.preset_offset_V, nodes),
            "probe_gain": (self.reading_gain, nodes),
            "probe_offset_V": (self.reading_offset_V, nodes),
        }

    def drawn(self, record: CalibrationRecord, spec: BoardSpec, random: np.random.Generator) -> Self:
        """A board as this one might be, by the standard errors of `record`."""
        other = replace(self, **{name: getattr(self, name).copy() for name in _DRAWN})
        for quantity, (array, index) in other._places(spec).items():
            if quantity in record.tables:
                table = record.tables[quantity]
                where = [index[name] for name in table.index]
                # A relative error of the time constant is, to first order, one of its inverse.
                array[where] += np.nan_to_num(table.se) * random.standard_normal(len(where))
        return other
