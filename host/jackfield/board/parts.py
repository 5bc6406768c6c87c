"""The sections of a board spec, in SI units."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from jackfield.board.reach import Reach
from jackfield.board.scale import CodeScale

__all__ = [
    "CellGroup",
    "Injection",
    "LinkSpec",
    "NodeSpec",
    "OscillatorSpec",
    "Probe",
    "RunSpec",
    "Tolerance",
    "Trigger",
]


@dataclass(frozen=True)
class Injection:
    """A current DAC at every node that plays `points` values in each run, linear between them: one is a constant."""

    points: int
    dac: CodeScale


@dataclass(frozen=True)
class NodeSpec:
    """Nodes with their capacitors, preset switches, trim-current DACs and, on some boards, injection DACs.

    `clamp`: nodes can stay driven by their presets during a run.
    """

    count: int
    capacitance_F: float
    rail_V: tuple[float, float]
    common_mode_V: float
    leak_S: float
    hold_droop_V_per_s: float
    preset: CodeScale
    preset_settle_s: float
    trim: CodeScale
    clamp: bool
    injection: Injection | None


@dataclass(frozen=True)
class OscillatorSpec:
    """What only a board of resonators has: nodes 1..`neurons` are resonators, all others drive channels.

    Channels give sinusoids of amplitude `drive_V` at `frequency_Hz`, each with the phase of the input memory; the last
    one is the reference. A scan slot holds `cycles` whole periods after what is dropped of it. In spike mode channels
    and comparators give pulses of `drive_V` and `pulse_s`, a comparator where its resonator has a maximum above
    `threshold_V`, at most once in `refractory_s`.
    """

    neurons: int
    frequency_Hz: float
    drive_V: float
    pulse_s: float
    threshold_V: float
    refractory_s: float
    cycles: int

    def quality(self, nodes: NodeSpec) -> float:
        """Nominal Q: omega C / (2 loss)."""
        return float(np.pi * self.frequency_Hz * nodes.capacitance_F / nodes.leak_S)


@dataclass(frozen=True)
class CellGroup:
    """Cells of one kind; `first` is the index of its first cell in spec order.

    `parameters` are in wire order.
    """

    name: str
    law: str
    count: int
    first: int
    parameters: Mapping[str, CodeScale]
    reach: Reach
    output_limit_A: float
    bandwidth_Hz: float

    @property
    def members(self) -> slice:
        """Where the group's cells stand in arrays over all cells."""
        return slice(self.first, self.first + self.count)

    @property
    def cell_bits(self) -> int:
        """Bits of one cell in the image."""
        codes = sum(scale.bits for scale in self.parameters.values())
        return 1 + self.reach.source_bits + self.reach.destination_bits + codes


@dataclass(frozen=True)
class RunSpec:
    """Banks, run length, input memory, held deltas."""

    banks: int
    min_s: float
    max_s: float
    tick_s: float
    bank_switch_s: float
    inputs: int
    sequence_depth: int


@dataclass(frozen=True)
class Trigger:
    """The pulse at the first PRESET of a batch."""

    width_s: float
    level_V: float
    edge: str


@dataclass(frozen=True)
class Probe:
    """The analog outputs that instruments read."""

    count: int
    slot_s: float
    settle_fraction: float
    reference_V: float
    output_ohm: float
    absolute_max_V: float
    trigger: Trigger


@dataclass(frozen=True)
class LinkSpec:
    """Serial link: baud rates, frame size, frames in flight, watchdog."""

    baud: tuple[int, ...]
    frame_bytes: int
    window: int
    watchdog_s: float


@dataclass(frozen=True)
class Tolerance:
    """Within what a verified parameter is good, in LSB of its DAC (probe: of the preset DAC)."""

    gain_lsb: float
    threshold_lsb: float
    preset_lsb: float
    probe_lsb: float
