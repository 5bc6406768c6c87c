"""Cell runs: disjoint cells together, each alone between two nodes, with codes and presets of its own.

A step gives every wanted cell one setting. With overdrive x = v_s - v_d - threshold and k = 2 g T/C, x ends at
x exp(-k). Negative gains are the better meter: the overdrive grows before it is read. They need presets of their
own, from what earlier steps found, so that growth ends inside the rails and below saturation. Cells with gains of one
sign run the same steps at positive gains.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from jackfield.board import BoardSpec, CodeScale, ConfigImage, RunProgram
from jackfield_calibration.cell_runs import CellBlock
from jackfield_calibration.groups import Group, form_groups
from jackfield_calibration.node_estimator import NodeFit
from jackfield_calibration.routine import Reading, Routine, Setting, scan_lists

__all__ = ["CellRoutine", "Known", "Step"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_CURRENT = 0.8  # of the output limit, the most that a run is planned for
_SWING = 1.6  # of the rail, the largest difference between two nodes that a run is planned for
_NODE = 0.85  # of the rail, the largest node voltage that a run is planned for
_JITTER, _JITTERED = 0.08, 0.3  # spread of a step's gains, relative; below this gain it shrinks no further
_FREE_SHARES = (0.6, 1.0)
_MODES = 4
_RAILED = 0.97  # of the rail, once droop is corrected
_STEP_TURN = 0.2  # k of one integration step: 3e-5 V after a growth of 20


@dataclass(frozen=True)
class Step:
    """One setting of every cell: wanted true gain (of the largest, 0 is code zero), k, overdrives, banks.

    `overdrives` are shares of the largest overdrive that the run allows, one an input; negative ones are volts
    below the threshold, where only the current offset flows. Each input is played `copies` times and averaged.
    With `sizes` (verification) every cell draws the size of its gain between these and its overdrive at random;
    `gain` and `k` then set the sign and the run's length.
    """

    name: str
    gain: float
    k: float
    overdrives: tuple[float, ...]
    sizes: tuple[float, float] | None = None
    copies: int = 1

    def within(self, gain: CodeScale) -> "Step":
        """The same at a gain that the DAC has."""
        return replace(self, gain=abs(self.gain)) if gain.one_sided else self

    def repeated(self, times: int) -> "Step":
        """The same with every overdrive about `times` over, on up to four common modes."""
        modes = min(times, _MODES)
        return replace(self, overdrives=self.overdrives * modes, copies=round(times / modes))


@dataclass(frozen=True)
class Known:
    """What is known of each wanted cell when a step is planned: `[cell]` arrays, SI."""

    scale: Floats
    zero_S: Floats
    threshold_V: Floats

    @classmethod
    def nothing(cls, cells: int) -> "Known":
        """Nominal cells."""
        return cls(np.ones(cells), np.zeros(cells), np.zeros(cells))

    def of(self, rows: Integers) -> "Known":
        """The same of some cells only."""
        return Known(self.scale[rows], self.zero_S[rows], self.threshold_V[rows])


class CellRoutine(Routine):
    """The records of one step, group by group, and the block that their readings make."""

    def __init__(
        self,
        spec: BoardSpec,
        cells: Integers,
        step: Step,
        tag: str,
        known: Known,
        random: np.random.Generator,
        stuck: Collection[tuple[int, int]] = (),
        unread: Collection[int] = (),
    ) -> None:
        """`stuck`: switches (probe and node from 0) to read no node through; `unread`: nodes (from 1) to keep off."""
        self.name = f"cells-{tag}-{step.name}"
        self._spec, self._cells, self._stuck = spec, cells, stuck
        self._groups = form_groups(spec, cells, random, unread)
        self._rows = {int(cell): row for row, cell in enumerate(cells)}
        part = spec.group_of(int(cells[0]))
        self._gain, self._threshold, self._limit = (
            part.parameters["gain"],
            part.parameters["threshold"],
            part.output_limit_A,
        )
        self._step = step.within(self._gain)
        self._choose_codes(known, random)
        self._choose_presets(known, random)

    def settings(self) -> Iterator[Setting]:
        """See Routine; made one by one, an image of a dense board is half a megabyte."""
        return (self._setting(number, group) for number, group in enumerate(self._groups))

    @property
    def run_s(self) -> float:
        """Length of the run, in s."""
        run, unit = self._spec.run, self._unit_s
        wanted = self._step.k * unit / (2 * abs(self._step.gain)) if self._step.gain else self._step.k * unit
        return round(float(np.clip(wanted, run.min_s, run.max_s)) / run.tick_s) * run.tick_s

    @property
    def _unit_s(self) -> float:
        """Time constant of a node with the largest gain."""
        return self._spec.nodes.capacitance_F / self._gain.hi

    def _choose_codes(self, known: Known, random: np.random.Generator) -> None:
        count, step = len(self._cells), self._step
        wanted = step.gain * (1 + random.uniform(-_JITTER, _JITTER, count) / max(abs(step.gain), _JITTERED))
        if step.sizes:
            wanted = np.sign(step.gain) * random.uniform(*step.sizes, count)
        nominal = (wanted * self._gain.hi - known.zero_S) / known.scale if step.gain else np.zeros(count)
        self._gain_codes = self._gain.code(self._gain.clip(nominal))
        self._threshold_codes = self._threshold.code(random.uniform(-0.5, 0.5, count) * self._threshold.hi)
        self.true_gain = self._gain.value(self._gain_codes) * known.scale + known.zero_S

    def _choose_presets(self, known: Known, random: np.random.Generator) -> None:
        rail, run_s = self._spec.nodes.rail_V[1], self.run_s
        threshold = self._threshold.value(self._threshold_codes) + known.threshold_V
        growth = np.exp(-2 * self.true_gain * run_s / self._spec.nodes.capacitance_F)
        largest = np.maximum(np.abs(self.true_gain), 0.05 * self._gain.hi)
        highest = np.minimum(_CURRENT * self._limit / largest, _SWING * rail - threshold)
        allowed = highest / np.maximum(growth, 1.0)
        presets = []
        for share in self._step.overdrives:
            own = random.uniform(*_FREE_SHARES, len(self._cells)) if self._step.sizes else 1.0
            over = own * share * allowed if share > 0 else np.full(len(self._cells), share * rail)
            start = np.clip(threshold + over, -_SWING * rail, _SWING * rail)
            end = np.where(share > 0, threshold + (start - threshold) * growth, start)
            room = _NODE * rail - np.maximum(np.abs(start), np.abs(end)) / 2
            common = random.uniform(-1, 1, len(self._cells)) * np.maximum(room, 0.0)
            presets.append(np.stack([common + start / 2, common - start / 2], axis=1))
        scale = self._spec.nodes.preset
        self._preset_codes = scale.code(scale.clip(np.stack(presets, axis=1)))

    def _setting(self, number: int, group: Group) -> Setting:
        spec, rows = self._spec, self._rows_of(group)
        image = ConfigImage.safe(spec)
        image.enable[0, group.cells] = True
        image.source[0, group.cells], image.destination[0, group.cells] = group.source, group.destination
        image.codes["gain"][0, group.cells] = self._gain_codes[rows]
        image.codes["threshold"][0, group.cells] = self._threshold_codes[rows]
        inputs = np.full((len(self._step.overdrives), spec.nodes.count), spec.nodes.preset.middle, dtype=np.int64)
        inputs[:, group.source - 1] = self._preset_codes[rows, :, 0].T
        inputs[:, group.destination - 1] = self._preset_codes[rows, :, 1].T
        inputs = np.repeat(inputs, self._step.copies, axis=0)
        nodes = np.concatenate([group.source, group.destination])
        scan = scan_lists(spec, nodes, self._stuck)
        program = RunProgram(((0, round(self.run_s / spec.run.tick_s)),), scan, count=len(inputs))
        return Setting(f"{self.name}/{number}", image, inputs, program)

    def _rows_of(self, group: Group) -> Integers:
        return np.array([self._rows[int(cell)] for cell in group.cells], dtype=np.int64)

    def block(self, readings: list[Reading], nodes: NodeFit) -> CellBlock:
        """The readings as one block, corrected for the droop of held nodes."""
        count, inputs = len(self._cells), len(self._step.overdrives)
        ends = np.zeros((count, 2), dtype=np.int64)
        volts, variance, averaged = (np.full((count, inputs, 2), start) for start in (0.0, 1.0, 0.0))
        for group, reading in zip(self._groups, readings, strict=True):
            rows, means = self._rows_of(group), self._averaged(reading, nodes)
            for end, node in enumerate((group.source - 1, group.destination - 1)):
                ends[rows, end] = node
                for array, mean in zip((volts, variance, averaged), means, strict=True):
                    array[rows, :, end] = mean[:, node].T
        usable = averaged > 0
        usable &= usable[:, :, ::-1]  # a node at its rail makes the reading of its partner wrong too
        turn = 2 * float(np.abs(self.true_gain).max()) * self.run_s / self._spec.nodes.capacitance_F
        return CellBlock(
            torch.from_numpy(ends[:, 0].copy()),
            torch.from_numpy(ends[:, 1].copy()),
            torch.from_numpy(self._gain.value(self._gain_codes)),
            torch.from_numpy(self._threshold.value(self._threshold_codes)),
            torch.from_numpy(self._spec.nodes.preset.value(self._preset_codes)),
            torch.from_numpy(np.where(usable, volts, 0.0)),
            torch.from_numpy(np.where(usable, variance, 1.0)),
            torch.from_numpy(usable),
            torch.from_numpy(np.where(usable, averaged, 1.0)),
            self.run_s,
            max(4, int(np.ceil(turn / _STEP_TURN))),
        )

    def _averaged(self, reading: Reading, nodes: NodeFit) -> tuple[Floats, Floats, Floats]:
        """Volts at HOLD, their variance within slots and how many usable copies they are means of, `[input, node]`."""
        volts = nodes.at_hold(reading)
        usable = reading.usable & np.isfinite(volts) & np.isfinite(reading.se)
        usable &= np.abs(volts) < _RAILED * self._spec.nodes.rail_V[1]  # droop had hidden it
        shape = (len(self._step.overdrives), self._step.copies, -1)
        usable = usable.reshape(shape)
        count = usable.sum(axis=1)
        most = np.maximum(count, 1)
        mean = np.where(usable, volts.reshape(shape), 0.0).sum(axis=1) / most
        variance = np.where(usable, reading.se.reshape(shape) ** 2, 0.0).sum(axis=1) / most**2
        return mean, np.where(count, variance, 1.0), count.astype(np.float64)
