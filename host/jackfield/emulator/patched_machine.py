"""An emulated machine that is wired by hand, by its own reading of a patch file: knobs, resistors, offsets, noise."""

import re
import tomllib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jackfield.emulator.randomness import Randomness
from jackfield.errors import DesignError

__all__ = ["PROFILES", "PatchedMachine"]

Floats = NDArray[np.float64]
LIMIT = 1.2  # where an output stops, in full scales
STEP = 0.02  # of the fastest time constant


@dataclass(frozen=True)
class Imperfect:
    """Standard deviations: relative for knob, resistor, capacitor, product; offsets and noise in full scales."""

    knob: float
    resistor: float
    capacitor: float
    product: float
    offset: float
    initial: float
    noise: float


PROFILES = {
    "ideal": Imperfect(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    "typical": Imperfect(0.02, 0.01, 0.01, 0.01, 0.003, 0.005, 0.003),
}
"""A knob set by eye, 1 % parts, and 0.6 codes of noise at a 10-bit converter."""


class PatchedMachine:
    """The machine that somebody has wired after patch file `text`; the same seed, the same hand and parts."""

    def __init__(self, text: str, profile: str, seed: int) -> None:
        if profile not in PROFILES:
            raise DesignError(f"profile {profile!r} is asked of a patched machine; it has {', '.join(PROFILES)}")
        values = tomllib.loads(text)
        self.nodes, self.k0 = int(values["nodes"]), float(values["k0_per_s"])
        self.shown = [int(node) for node in values["shown"]]
        self._p = PROFILES[profile]
        self._random = Randomness(values["machine"], profile, seed)
        self._from: dict[str, tuple[str, float]] = {}  # what feeds an inverter or a multiplier's side
        self._into: list[list[tuple[str, float]]] = [[] for _ in range(self.nodes)]
        self._start = self._errors("initial", self.nodes, self._p.initial)
        for line in values["cables"]:
            self._plug(line)
        self._offset = self._errors("integrator offset", self.nodes, self._p.offset)
        self._product = 1 + self._errors("product", 8, self._p.product)
        self._product_offset = self._errors("product offset", 8, self._p.offset)
        self._converter = self._errors("converter", 8, self._p.offset)

    def _errors(self, name: str, count: int, sigma: float) -> Floats:
        return np.asarray(sigma * self._random.normals(name, count))

    def _plug(self, line: str) -> None:
        path, _, pot = line.partition(" through potentiometer ")
        source, _, destination = path.partition(" to ")
        share = 1.0
        if pot:
            number, dial = int(pot.split(",")[0]), float(pot.rsplit("dial ", 1)[1])
            share = dial * (1 + float(self._errors(f"knob {number}", 1, self._p.knob)[0]))
        if (found := re.fullmatch(r"input x(\d+) of integrator (\d+)", destination)) is not None:
            node = int(found[2]) - 1
            resistor = float(self._errors(f"resistor {node} {len(self._into[node])}", 1, self._p.resistor)[0])
            capacitor = float(self._errors(f"capacitor {node}", 1, self._p.capacitor)[0])
            self._into[node].append((source, int(found[1]) * share / (1 + resistor) / (1 + capacitor)))
        elif (found := re.fullmatch(r"IC of integrator (\d+)", destination)) is not None:
            self._start[int(found[1]) - 1] += float(source) * share
        else:
            self._from[destination] = (source, share)

    def _shows(self, jack: str, v: Floats) -> float:
        if jack in ("+1", "-1"):
            return float(jack)
        kind, number = jack.split(" ")
        if kind == "integrator":
            return float(v[int(number) - 1])
        if kind == "inverter":
            return -self._shows(self._from[f"input of {jack}"][0], v)
        a, b = (self._shows(self._from[f"input {side} of {jack}"][0], v) for side in "AB")
        place = int(number) - 1
        return float(self._product[place] * a * b + self._product_offset[place])

    def _slope(self, v: Floats) -> Floats:
        inputs = [sum(gain * self._shows(jack, v) for jack, gain in feeds) for feeds in self._into]
        return np.asarray(-self.k0 * (np.array(inputs) + self._offset))

    def trajectory(self, seconds: float, least_steps: int) -> Floats:
        """Integrators `[step, node]` from IC on, at least `least_steps` equal steps."""
        fastest = max((abs(gain) for feeds in self._into for _, gain in feeds), default=0.0) * self.k0
        steps = least_steps * max(1, int(np.ceil(seconds * fastest / STEP / least_steps)))
        h, v = seconds / steps, self._start.copy()
        found = [v]
        for _ in range(steps):
            a = self._slope(v)
            b = self._slope(v + h / 2 * a)
            c = self._slope(v + h / 2 * b)
            v = np.clip(v + h / 6 * (a + 2 * b + 2 * c + self._slope(v + h * c)), -LIMIT, LIMIT)
            found.append(v)
        return np.array(found)

    def logged(self, samples: int, interval_s: float, channels: int, channel_s: float, run: int) -> Floats:
        """What the converters see in a logged OP, `[sample, channel]`, with the noise of run `run`."""
        path = self.trajectory((samples + 1) * interval_s, samples + 1)
        times = np.linspace(0, (samples + 1) * interval_s, len(path))
        rows = np.empty((samples, channels))
        for channel in range(channels):
            at = (np.arange(samples) + 1) * interval_s + channel * channel_s
            rows[:, channel] = (
                np.interp(at, times, path[:, self.shown[channel] - 1]) if channel < len(self.shown) else 0.0
            )
        return rows + self._seen(samples, channels, run)

    def now(self, seconds: float, channels: int, run: int) -> Floats:
        """What the converters see `seconds` after the begin of OP, 0 in IC."""
        v = self.trajectory(seconds, 1)[-1] if seconds else self._start
        row = [v[self.shown[channel] - 1] if channel < len(self.shown) else 0.0 for channel in range(channels)]
        return np.asarray(np.array(row) + self._seen(1, channels, run)[0])

    def _seen(self, samples: int, channels: int, run: int) -> Floats:
        noise = self._random.noise(f"converter noise {run}", samples * channels).reshape(samples, channels)
        return np.asarray(self._p.noise * noise + self._converter[:channels])
