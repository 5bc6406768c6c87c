"""Node runs with every cell off: presets, leak, offset current, trim DAC and droop of a held node.

Presets are drawn from evenly spaced levels in random order, so that each node meets the whole range and
neighbouring probes do not move together (crosstalk then adds noise, not error). From record to record each node moves
on to the next probe, so that a switch that does not close is met wherever there are no more probes than records.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jackfield.board import BoardSpec, ConfigImage, RunProgram
from jackfield_calibration.routine import Routine, Setting, scans_of_all

__all__ = ["RECORDS", "NodeRoutine", "NodeRuns"]

RECORDS = ("preset", "leak", "droop", "trim-up", "trim-down")

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_RANGE = 0.9  # of the rail
_TRIM_SWING = 0.6  # of the rail, what the trim DAC moves a node by
_LONG_TAU = 8.0  # time constants of the fastest cell: long enough for leak and offset to show
_HOLD_SLOTS = 100  # extra delay before the scan, in slots: twice the droop of a whole scan on jf96


@dataclass(frozen=True)
class NodeRuns:
    """One record of node runs: `preset_V[input, node]` and `trim_A[node]` nominal, run and hold in seconds.

    On a large board a record scans a part of the nodes.
    """

    preset_V: Floats
    trim_A: Floats
    run_s: float
    setting: Setting


class NodeRoutine(Routine):
    """Short runs (presets), long runs (leak, offset), late scans (droop), trims up and down."""

    def __init__(
        self, spec: BoardSpec, tag: str, inputs: int, random: np.random.Generator, records: Collection[str] = RECORDS
    ) -> None:
        """`records` names those to take."""
        self.name = f"nodes-{tag}"
        self._spec = spec
        self._random = random
        self._order = random.permutation(spec.nodes.count) + 1
        short, long = spec.run.min_s, min(spec.run.max_s, _LONG_TAU * time_constant(spec))
        swing = _TRIM_SWING * spec.nodes.rail_V[1]
        trim_s = float(np.clip(swing * spec.nodes.capacitance_F / spec.nodes.trim.hi, short, spec.run.max_s))
        late = round(_HOLD_SLOTS * spec.probe.slot_s / spec.run.tick_s)
        every = (
            self._record("preset", inputs, short, 0, 0.0, _RANGE),
            self._record("leak", inputs, long, 0, 0.0, _RANGE),
            self._record("droop", max(inputs // 2, 4), short, late, 0.0, _RANGE),
            self._record("trim-up", max(inputs // 8, 4), trim_s, 0, 0.9, 0.3),
            self._record("trim-down", max(inputs // 8, 4), trim_s, 0, -0.9, 0.3),
        )
        self.runs = tuple(run for name, runs in zip(RECORDS, every, strict=True) if name in records for run in runs)

    def settings(self) -> Iterator[Setting]:
        """See Routine."""
        return (run.setting for run in self.runs)

    def _record(self, name: str, inputs: int, run_s: float, hold: int, trim: float, span: float) -> list[NodeRuns]:
        spec, count = self._spec, self._spec.nodes.count
        ticks = round(run_s / spec.run.tick_s)
        levels = np.tile(np.linspace(-span, span, inputs) * spec.nodes.rail_V[1], (count, 1))
        codes = spec.nodes.preset.code(self._random.permuted(levels, axis=1).T)
        image = ConfigImage.safe(spec)
        image.trim[:] = spec.nodes.trim.code(trim * spec.nodes.trim.hi)
        scans = scans_of_all(spec, self._dealt_anew())
        preset_V, trim_A = spec.nodes.preset.value(codes), spec.nodes.trim.value(image.trim[0])
        keys = [f"{self.name}/{name}" + (f"/{part}" if len(scans) > 1 else "") for part in range(len(scans))]
        programs = [RunProgram(((0, ticks),), scan, count=inputs, hold_ticks=hold) for scan in scans]
        return [
            NodeRuns(preset_V, trim_A, ticks * spec.run.tick_s, Setting(key, image, codes, program))
            for key, program in zip(keys, programs, strict=True)
        ]

    def _dealt_anew(self) -> Integers:
        """All nodes in another order than before, each on the next probe."""
        probes = self._spec.probe.count
        self._order = np.roll(self._order, 1)
        for probe in range(probes):
            self._order[probe::probes] = self._random.permutation(self._order[probe::probes])
        return self._order


def time_constant(spec: BoardSpec) -> float:
    """Seconds that a node needs with the largest gain of any cell: C over it."""
    largest = max(scale.hi for group in spec.groups for name, scale in group.parameters.items() if name == "gain")
    return spec.nodes.capacitance_F / largest
