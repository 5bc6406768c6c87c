"""What a run plays and reads, and when each slot of it happens."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from jackfield.board.spec import BoardSpec
from jackfield.errors import DesignError

__all__ = ["MODES", "RunProgram", "Schedule", "hold_times", "schedule"]

MODES = ("run", "watch", "hold_preset", "spikes")
_OF_MANY = ("run", "spikes")  # modes of many inputs, scanned one after the other


@dataclass(frozen=True)
class RunProgram:
    """One run: banks and ticks, inputs first..first+count-1 of the input memory, nodes on each probe.

    `run` holds all nodes at the end of each input's run and scans them; `watch` lets the probes follow one
    node each, live, for one input; `hold_preset` keeps input `first` driven for a slow meter. `spikes` is `run` by
    pulses in and out, on boards of resonators with comparators.
    `clamp` names nodes that stay driven at their presets during the run; `inject` adds to each input's run the
    currents that the injection memory holds for it, a waveform being played once over the run's one step.
    `hold_ticks` delays the scan after HOLD. `step` n above 0 plays the first input with held step n - 1 of the
    board and each further one with the next; 0 leaves the configuration as it is.
    """

    steps: tuple[tuple[int, int], ...]
    scan: tuple[tuple[int, ...], ...]
    first: int = 0
    count: int = 1
    mode: str = "run"
    hold_ticks: int = 0
    step: int = 0
    clamp: tuple[int, ...] = ()
    inject: bool = False

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise DesignError(f"run mode {self.mode!r} is unknown; use one of {', '.join(MODES)}")
        if self.mode not in _OF_MANY and (self.count != 1 or any(len(nodes) != 1 for nodes in self.scan)):
            raise DesignError(f"mode {self.mode!r} takes one input and one node a probe")

    def part(self, first: int, count: int) -> Self:
        """The same for inputs first .. first + count - 1 alone, each with the step that it has in the whole."""
        step = self.step + first - self.first if self.step else 0
        return replace(self, first=first, count=count, step=step)

    def check(self, spec: BoardSpec) -> None:
        """Raise DesignError, naming the limit, where the board cannot run this program."""
        if not 1 <= self.count <= spec.run.inputs or not 0 <= self.first <= spec.run.inputs - self.count:
            raise DesignError(
                f"inputs {self.first}..{self.first + self.count - 1} are asked, board {spec.name} holds "
                f"{spec.run.inputs}; split the batch"
            )
        if self.step and not 0 < self.step <= spec.run.sequence_depth - self.count + 1:
            raise DesignError(
                f"steps {self.step - 1}..{self.step + self.count - 2} are asked, board {spec.name} holds "
                f"{spec.run.sequence_depth}; split the batch"
            )
        if len(self.scan) != spec.probe.count:
            raise DesignError(f"{len(self.scan)} scan lists are given, board {spec.name} has {spec.probe.count} probes")
        for node in (node for nodes in self.scan for node in nodes):
            if not 1 <= node <= spec.nodes.count:
                raise DesignError(f"node {node} is to be read, board {spec.name} has 1..{spec.nodes.count}")
        for bank, ticks in self.steps:
            if not 0 <= bank < spec.run.banks or ticks < 1:
                raise DesignError(
                    f"bank {bank}, {ticks} ticks: banks 0..{spec.run.banks - 1} and 1 tick or more are possible"
                )
        self._check_drive(spec)
        self._check_spikes(spec)
        length = sum(ticks for _, ticks in self.steps) * spec.run.tick_s
        if self.mode != "hold_preset" and not spec.run.min_s <= length * (1 + 1e-9) <= spec.run.max_s * (1 + 2e-9):
            raise DesignError(
                f"a run of {length:g} s is asked, board {spec.name} runs {spec.run.min_s:g} to {spec.run.max_s:g} s"
            )

    def _check_drive(self, spec: BoardSpec) -> None:
        if self.clamp and not spec.nodes.clamp:
            raise DesignError(
                f"node {self.clamp[0]} is to stay driven; board {spec.name} presets nodes before a run alone"
            )
        if len(set(self.clamp)) < len(self.clamp) or not all(1 <= node <= spec.nodes.count for node in self.clamp):
            raise DesignError(
                f"nodes {self.clamp} are to stay driven; name each once, board {spec.name} has 1..{spec.nodes.count}"
            )
        if self.inject and spec.nodes.injection is None:
            raise DesignError(f"currents are to be injected; board {spec.name} has no injection DACs")
        if self.inject and spec.nodes.injection and spec.nodes.injection.points > 1 and len(self.steps) != 1:
            raise DesignError(
                f"a waveform is to be injected in a run of {len(self.steps)} steps; it is played over one step"
            )

    def _check_spikes(self, spec: BoardSpec) -> None:
        if self.mode == "spikes" and spec.oscillator is None:
            raise DesignError(f"spikes are asked of board {spec.name}, which has no resonators; use mode 'run'")
        if self.mode == "spikes" and len(self.steps) != 1:
            raise DesignError(f"spikes are asked in a run of {len(self.steps)} steps; they take one")


@dataclass(frozen=True)
class Schedule:
    """Times in seconds after the trigger edge.

    `slot_start_s[input, slot]`: slot 0 shows ground, slot 1 the reference, then the scanned nodes; slots last
    `slot_s`. For mode `watch` the probes are live from `watch_start_s` to `watch_stop_s`.
    """

    slot_start_s: NDArray[np.float64]
    slot_s: float
    watch_start_s: float
    watch_stop_s: float
    total_s: float


def schedule(spec: BoardSpec, program: RunProgram) -> Schedule:
    """When `program` does what on board `spec`: preset, run, hold, scan, one input after the other."""
    run_s = sum(ticks for _, ticks in program.steps) * spec.run.tick_s
    run_s += max(len(program.steps) - 1, 0) * spec.run.bank_switch_s
    slot_s, settle_s = spec.probe.slot_s, spec.nodes.preset_settle_s
    if program.mode == "watch":
        start = max(2 * slot_s, settle_s)
        return Schedule(np.array([[0.0, slot_s]]), slot_s, start, start + run_s, start + run_s)
    lead = settle_s + run_s + program.hold_ticks * spec.run.tick_s
    slots = 2 + max((len(nodes) for nodes in program.scan), default=0)
    period = lead + slots * slot_s
    starts = np.arange(program.count)[:, None] * period + lead + np.arange(slots) * slot_s
    return Schedule(starts, slot_s, 0.0, 0.0, program.count * period)


def hold_times(spec: BoardSpec, program: RunProgram) -> NDArray[np.float64]:
    """Seconds from HOLD to the middle of what is averaged of each node's slot, `[node]`; NaN where not scanned."""
    held = np.full(spec.nodes.count, np.nan)
    middle = (1 + spec.probe.settle_fraction) / 2
    for nodes in program.scan:
        slots = 2 + np.arange(len(nodes)) + middle
        held[np.array(nodes, dtype=np.int64) - 1] = program.hold_ticks * spec.run.tick_s + slots * spec.probe.slot_s
    return held
