"""The budget of a calibration: what will be set and read, known before the first reading."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from jackfield.board import BoardSpec, ConfigImage, RunProgram, schedule
from jackfield_calibration.routine import Routine

__all__ = ["Plan", "PlannedStep", "RecordTime", "planned_step"]

RecordTime = Callable[[RunProgram, int], float]
"""Seconds that a record of a program takes on a bench, so many bytes of settings being sent for it."""


@dataclass(frozen=True)
class PlannedStep:
    """One routine's records: `settings` uploads with a trigger each, `reads` settled slots.

    `board_s` is the time that the board itself is busy, `bench_s` what the records take on the bench, in s.
    """

    name: str
    settings: int
    reads: int
    board_s: float
    bench_s: float


@dataclass(frozen=True)
class Plan:
    """All steps in order; adaptive repeats of cells that stay uncertain come on top and are reported."""

    steps: tuple[PlannedStep, ...]
    parameters: int

    @property
    def settings(self) -> int:
        """Records to take."""
        return sum(step.settings for step in self.steps)

    @property
    def reads(self) -> int:
        """Settled slots to read."""
        return sum(step.reads for step in self.steps)

    @property
    def board_s(self) -> float:
        """Seconds that the board itself is busy: presets, runs and scans."""
        return sum(step.board_s for step in self.steps)

    @property
    def bench_s(self) -> float:
        """Seconds on the bench: uploads, triggers, runs, transfers."""
        return sum(step.bench_s for step in self.steps)

    @property
    def reads_per_parameter(self) -> float:
        """Reads over gains and thresholds of the wanted cells (presets, where no cell is wanted)."""
        return self.reads / max(self.parameters, 1)

    def __str__(self) -> str:
        lines = [
            f"{step.name:24} {step.settings:6d} settings {step.reads:8d} reads {step.bench_s:7.1f} s on the bench"
            for step in self.steps
        ]
        total = (
            f"{'in all':24} {self.settings:6d} settings {self.reads:8d} reads {self.bench_s:7.1f} s on the bench, "
            f"{self.reads_per_parameter:.1f} reads a parameter, {self.board_s:.1f} s of board time"
        )
        return "\n".join([*lines, total])


def planned_step(spec: BoardSpec, routine: Routine, record_s: RecordTime) -> PlannedStep:
    """What `routine` costs: each of its settings after the one before, the first after a safe board."""
    settings = reads = 0
    board_s = bench_s = 0.0
    before = ConfigImage.safe(spec)
    for setting in routine.settings():
        settings, reads = settings + 1, reads + setting.reads
        board_s += schedule(spec, setting.program).total_s
        bench_s += record_s(setting.program, _changed_bytes(spec, before, setting.image))
        before = setting.image
    return PlannedStep(routine.name, settings, reads, board_s, bench_s)


def _changed_bytes(spec: BoardSpec, old: ConfigImage, new: ConfigImage) -> int:
    """About what a delta between two images takes on the wire: changed cells and trims with their addresses."""
    if new is old:
        return 0
    whole = len(spec.cells) * spec.run.banks * _cell_bytes(spec)
    pairs = [(old.enable, new.enable), (old.source, new.source), (old.destination, new.destination)]
    pairs += [(old.codes[name], codes) for name, codes in new.codes.items()]
    cells = np.any([one != other for one, other in pairs], axis=0)
    return min(whole, int(cells.sum()) * (_cell_bytes(spec) + _ADDRESS) + int((old.trim != new.trim).sum()) * _ADDRESS)


_ADDRESS = 4  # bytes of offset and length in front of each changed piece


def _cell_bytes(spec: BoardSpec) -> int:
    part = spec.groups[0]
    bits = 1 + part.reach.source_bits + part.reach.destination_bits
    return (bits + sum(scale.bits for scale in part.parameters.values()) + 7) // 8
