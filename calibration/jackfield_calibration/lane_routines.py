"""What is set and read on a board of integrators and lanes: nothing, random lanes, multipliers."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from jackfield.board import BoardSpec, ConfigImage, RunProgram
from jackfield_calibration.routine import Routine, Setting

__all__ = ["IdleRoutine", "LaneRoutine", "MultiplierRoutine"]

Integers = NDArray[np.int64]
LARGEST_INPUT = 0.8  # of the rail: the states grow on the way
LARGEST_FACTOR = 0.7  # of the rail, for what is multiplied
COEFFICIENTS = (0.5, 0.8)  # either sign: small ones would say little of a gain
LANE_RUN_S = 50e-6  # 0.5/k0: each lane has moved its node by a third of its input, few have overflowed
PRODUCT_RUN_S = 120e-6
IDLE_RUNS_S = (60e-6, 2e-3)  # what a bias adds shows in the difference


class _LanesRoutine(Routine):
    """Common to all three: `inputs` presets a setting, integrators alone, all of them read."""

    def __init__(self, spec: BoardSpec, tag: str, inputs: int, random: np.random.Generator) -> None:
        self._spec = spec
        self._tag = tag
        self._inputs = inputs
        self._random = random

    def _setting(self, number: int, image: ConfigImage, seconds: float, most: float = LARGEST_INPUT) -> Setting:
        spec = self._spec
        integrators = spec.group("K").count
        volts = np.zeros((self._inputs, spec.nodes.count))
        volts[:, :integrators] = self._random.uniform(-most, most, (self._inputs, integrators))
        scan = tuple((node,) if node <= integrators else () for node in range(1, spec.probe.count + 1))
        program = RunProgram(steps=((0, round(seconds / spec.run.tick_s)),), scan=scan)
        return Setting(f"{self._tag} {self.name} {number}", image, spec.nodes.preset.code(volts), program)

    def _blank(self) -> ConfigImage:
        image, group = ConfigImage.safe(self._spec), self._spec.group("K")
        image.enable[0, group.members] = True
        image.codes["rate"][0, group.members] = group.parameters["rate"].code(group.parameters["rate"].hi)
        return image

    def _lane(self, image: ConfigImage, lane: int, source: int, destination: int, value: float) -> None:
        image.enable[0, lane] = True
        image.source[0, lane], image.destination[0, lane] = source, destination
        image.codes["coefficient"][0, lane] = self._spec.group("L").parameters["coefficient"].code(value)


class IdleRoutine(_LanesRoutine):
    """No lane at all, a short and a long run: presets and biases."""

    name = "idle"

    def settings(self) -> Iterator[Setting]:
        """See Routine."""
        for number, seconds in enumerate(IDLE_RUNS_S):
            yield self._setting(number, self._blank(), seconds)


class LaneRoutine(_LanesRoutine):
    """All lanes at once, between random integrators: every lane meets every other setting of the rest."""

    name = "lanes"

    def __init__(self, spec: BoardSpec, tag: str, count: int, inputs: int, random: np.random.Generator) -> None:
        super().__init__(spec, tag, inputs, random)
        self._count = count

    def settings(self) -> Iterator[Setting]:
        """See Routine."""
        lanes, integrators = self._spec.group("L").count, self._spec.group("K").count
        for number in range(self._count):
            image = self._blank()
            # Equally many lanes at each integrator, so that none overflows.
            destination = self._random.permutation(np.arange(lanes) % integrators) + 1
            source = self._random.integers(1, integrators + 1, lanes)
            value = self._random.uniform(*COEFFICIENTS, lanes) * self._random.choice([-1.0, 1.0], lanes)
            for lane in range(lanes):
                self._lane(image, lane, int(source[lane]), int(destination[lane]), float(value[lane]))
            yield self._setting(number, image, LANE_RUN_S)


class MultiplierRoutine(_LanesRoutine):
    """Each multiplier between two random integrators and a third one: gain, offsets of inputs and output."""

    name = "multipliers"

    def __init__(self, spec: BoardSpec, tag: str, count: int, inputs: int, random: np.random.Generator) -> None:
        super().__init__(spec, tag, inputs, random)
        self._count = count

    def settings(self) -> Iterator[Setting]:
        """See Routine."""
        integrators, lanes = self._spec.group("K").count, self._spec.group("L").count
        for number in range(self._count):
            image, free = self._blank(), iter(self._random.permutation(lanes).tolist())
            ends = self._random.permutation(integrators) + 1
            for m in range(self._spec.group("M").count):
                a, b = int(ends[m]), int(self._random.integers(1, integrators + 1))
                first = integrators + 2 * m + 1
                for source, port in ((a, first), (b, first + 1)):
                    value = float(self._random.choice([-1.0, 1.0]) * self._random.uniform(0.7, 1.0))
                    self._lane(image, next(free), source, port, value)
                value = float(self._random.choice([-1.0, 1.0]) * self._random.uniform(0.7, 1.0))
                self._lane(image, next(free), integrators + m + 1, int(ends[-1 - m]), value)
            yield self._setting(number, image, PRODUCT_RUN_S, LARGEST_FACTOR)
