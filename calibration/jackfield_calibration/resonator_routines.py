"""What is set and read on a board of resonators: how each dies away, and how it answers drives of random phases."""

from collections.abc import Iterator

import numpy as np

from jackfield.board import BoardSpec, ConfigImage, RunProgram
from jackfield.compile import nominal_answer
from jackfield_calibration.routine import Routine, Setting, scan_lists

__all__ = ["DriveRoutine", "RingDownRoutine"]

DRIVEN_TIMES, DEAD_TIMES = 3.0, 5.0  # in time constants of a nominal resonator
WANTED_V = 0.25  # of the rail, rms, of neurons driven with random phases: few are longer than three times that
RUNG_V = 0.4  # of the rail at the start of a ring-down


class RingDownRoutine(Routine):
    """All channels drive in phase, then bank 1 lets go of them; each resonator is watched, one a probe."""

    name = "ring-down"

    def __init__(self, spec: BoardSpec, tag: str) -> None:
        assert spec.oscillator is not None
        self._spec = spec
        self._tag = tag

    def settings(self) -> Iterator[Setting]:
        """See Routine."""
        spec, oscillator = self._spec, self._spec.oscillator
        assert oscillator is not None
        image, gain = ConfigImage.safe(spec).copy(), spec.groups[0].parameters["gain"]
        channels = spec.nodes.count - oscillator.neurons
        siemens = RUNG_V * spec.nodes.rail_V[1] / channels / abs(nominal_answer(spec))
        image.enable[0], image.codes["gain"][0] = True, gain.code(max(siemens, gain.lsb))
        constant_s = oscillator.quality(spec.nodes) / np.pi / oscillator.frequency_Hz
        ticks = [round(times * constant_s / spec.run.tick_s) for times in (DRIVEN_TIMES, DEAD_TIMES)]
        inputs = spec.nodes.preset.code(np.zeros((1, spec.nodes.count)))
        for first in range(1, oscillator.neurons + 1, spec.probe.count):
            nodes = [min(first + probe, oscillator.neurons) for probe in range(spec.probe.count)]
            program = RunProgram(tuple(enumerate(ticks)), tuple((node,) for node in nodes), mode="watch")
            yield Setting(f"{self._tag} {self.name} {first}", image, inputs, program)


class DriveRoutine(Routine):
    """All cells on, channels of random phases, all resonators read: `memories` times what the input memory holds.

    `measure` sets all cells to one code; other tags give each channel one of two, of either sign, at random. Fewer
    memories are the first ones of more, so that a run of one level goes on from another's readings.
    """

    name = "drive"

    def __init__(self, spec: BoardSpec, tag: str, memories: int, seed: int) -> None:
        self._spec = spec
        self._tag = tag
        self._memories = memories
        self._seed = seed

    def settings(self) -> Iterator[Setting]:
        """See Routine."""
        spec, oscillator = self._spec, self._spec.oscillator
        assert oscillator is not None
        neurons, channels = oscillator.neurons, spec.nodes.count - oscillator.neurons
        gain, random = spec.groups[0].parameters["gain"], np.random.default_rng([self._seed, self._tag == "measure"])
        siemens = WANTED_V * spec.nodes.rail_V[1] / np.sqrt(channels) / abs(nominal_answer(spec))
        level = min(siemens, gain.hi) * np.ones(channels)
        if self._tag != "measure":
            level *= random.choice([-1.0, 1.0], channels) * random.choice([0.8, 1.0], channels)
        image = ConfigImage.safe(spec).copy()
        image.enable[0], image.codes["gain"][0] = True, np.tile(gain.code(level), neurons)
        quality = oscillator.quality(spec.nodes)
        ticks = round(DEAD_TIMES * quality / np.pi / oscillator.frequency_Hz / spec.run.tick_s)
        scan = tuple(
            (spec.nodes.count, *nodes) for nodes in scan_lists(spec, np.arange(1, neurons + 1, dtype=np.int64))
        )
        for number in range(self._memories):
            phases = random.uniform(-1, 1, (spec.run.inputs, spec.nodes.count))
            phases[:, -1] = 0.0
            inputs = spec.nodes.preset.code(phases)
            program = RunProgram(((0, ticks),), scan, count=len(inputs))
            yield Setting(f"{self._tag} {self.name} {number}", image, inputs, program)
