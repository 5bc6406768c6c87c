"""The analog half of an emulated LUCIDAC: lanes, multipliers and integrators that are not ideal."""

from dataclasses import dataclass, field
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm

from jackfield.board import BoardSpec
from jackfield.emulator.profiles import Profile
from jackfield.emulator.randomness import Randomness

__all__ = ["LoopError", "LucidacAnalog", "LucidacSettings"]

Floats = NDArray[np.float64]
INTEGRATORS, MULTIPLIERS, LANES, PORTS = 8, 4, 32, 16
DAC_STEPS, DAC_ZERO, DAC_DROPPED = 7447, 8192, 2  # code = int(7447 c + 8192), the lowest two bits dropped
CONVERTER_V = 1.25
CONVERTER_LSB = 2 * CONVERTER_V / 2**14
LIMIT_V = 1.2  # where an element's output stops
OVERLOAD_V = 1.1  # from where its overload lamp is on
STEP = 0.1  # of the fastest time constant


class LoopError(Exception):
    """Multipliers feed each other in a circle; stays in this room."""


@dataclass
class LucidacSettings:
    """What set_circuit has set: `source[lane]`, `destination[lane]` from 0, -1 for none; `constant` 0 for off."""

    ic: Floats = field(default_factory=lambda: np.zeros(INTEGRATORS))
    k0: Floats = field(default_factory=lambda: np.full(INTEGRATORS, 10_000.0))
    source: NDArray[np.int64] = field(default_factory=lambda: np.full(LANES, -1, dtype=np.int64))
    destination: NDArray[np.int64] = field(default_factory=lambda: np.full(LANES, -1, dtype=np.int64))
    coefficient: Floats = field(default_factory=lambda: np.zeros(LANES))
    upscaling: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(LANES, dtype=np.bool_))
    constant: float = 0.0
    channels: list[int] = field(default_factory=list)


class LucidacAnalog:
    """One LUCIDAC of a profile; the same seed, the same machine."""

    def __init__(self, spec: BoardSpec, profile: str, seed: int) -> None:
        self.spec = spec
        self.randomness = Randomness(spec.name, profile, seed)
        self._upscale = spec.group("L").parameters["upscale"].hi
        p, normal = Profile.of(spec, profile), self.randomness.normals
        lsb = spec.group("L").parameters["coefficient"].lsb
        self.gain = 1 + p.gain_relative * normal("lane gain", LANES)
        self.zero = p.gain_zero_lsb * lsb * normal("lane zero", LANES)
        self.offset = p.current_of_limit * normal("lane offset", LANES)
        self.product_gain = 1 + p.gain_relative * normal("multiplier gain", MULTIPLIERS)
        self.product_offset = p.current_of_limit * normal("multiplier offset", MULTIPLIERS)
        bias = p.node_current_A * normal("integrator bias", INTEGRATORS)
        self.input_offset = np.concatenate([bias, p.threshold_of_range * normal("input offset", PORTS - INTEGRATORS)])
        self.slowness = 1 + p.capacitance_relative * normal("capacitance", INTEGRATORS)
        self.preset_gain = 1 + p.preset_gain * normal("preset gain", INTEGRATORS)
        self.preset_offset = p.preset_offset_V * normal("preset offset", INTEGRATORS)
        self._converter_gain = 1 + p.probe_gain * normal("converter gain", 8)
        self._converter_offset = p.probe_offset_V * normal("converter offset", 8)
        self._noise_V = np.hypot(p.node_noise_V, p.readout_noise_V)
        self.overloaded: list[str] = []
        self._runs = 0

    def run(self, settings: LucidacSettings, times_s: Floats) -> Floats:
        """Converted samples `[time, channel]` of a run from the initial values; sets `overloaded`.

        Raises LoopError where the multipliers have no order.
        """
        weights, constant = self._lanes(settings)
        outputs = self._integrate(settings, weights, constant, times_s)
        peaks = np.abs(outputs).max(axis=0)
        names = [f"/0/M0/{i}" for i in range(INTEGRATORS)] + [f"/0/M1/{i}" for i in range(MULTIPLIERS)]
        self.overloaded = [name for name, peak in zip(names, peaks, strict=False) if peak > OVERLOAD_V]
        self._runs += 1
        return self._converted(outputs[:, settings.channels])

    def _converted(self, volts: Floats) -> Floats:
        count, channels = volts.shape
        noise = self.randomness.normals(f"reading {self._runs}", count * channels).reshape(count, channels)
        seen = volts * self._converter_gain[:channels] + self._converter_offset[:channels] + self._noise_V * noise
        whole = np.rint(np.clip(seen, -CONVERTER_V, CONVERTER_V) / CONVERTER_LSB) * CONVERTER_LSB
        return np.asarray(np.round(whole, 3))

    def _lanes(self, settings: LucidacSettings) -> tuple[Floats, Floats]:
        """Weights `[input, output]` of what is connected, and what comes in besides."""
        weights, constant = np.zeros((PORTS, PORTS)), self.input_offset.copy()
        codes = (settings.coefficient * DAC_STEPS + DAC_ZERO).astype(np.int64) >> DAC_DROPPED
        nominal = (codes - (DAC_ZERO >> DAC_DROPPED)) * (1 << DAC_DROPPED) / DAC_STEPS
        value = (self.gain * nominal + self.zero) * np.where(settings.upscaling, self._upscale, 1.0)
        for lane in np.flatnonzero((settings.source >= 0) & (settings.destination >= 0)):
            source, port = settings.source[lane], settings.destination[lane]
            constant[port] += self.offset[lane]
            if settings.constant and source >= PORTS - 2:
                shown = PORTS - 1 if lane < LANES // 2 else PORTS - 2
                constant[port] += value[lane] * settings.constant * (source == shown)
            else:
                weights[port, source] += value[lane]
        return weights, constant

    def _integrate(self, settings: LucidacSettings, weights: Floats, constant: Floats, times_s: Floats) -> Floats:
        speed = settings.k0 / self.slowness
        fastest = float(np.max(speed * np.abs(weights[:INTEGRATORS]).sum(axis=1), initial=1.0))

        def slope(x: Floats) -> Floats:
            out = self._outputs(x, weights, constant)
            return np.asarray(-speed * (weights[:INTEGRATORS] @ out + constant[:INTEGRATORS]))

        x = -(self.preset_gain * settings.ic) + self.preset_offset
        if not weights[:INTEGRATORS, INTEGRATORS:].any():
            states = _linear(x, speed[:, None] * weights[:INTEGRATORS, :INTEGRATORS], -speed * constant[:8], times_s)
            if np.abs(states).max() < LIMIT_V:
                return np.array([self._outputs(state, weights, constant) for state in states])
        rows, now = [self._outputs(x, weights, constant)], float(times_s[0])
        for then in times_s[1:]:
            steps = max(1, ceil((then - now) * fastest / STEP))
            h = (then - now) / steps
            for _ in range(steps):
                a = slope(x)
                b = slope(x + h / 2 * a)
                c = slope(x + h / 2 * b)
                d = slope(x + h * c)
                x = np.clip(x + h / 6 * (a + 2 * b + 2 * c + d), -LIMIT_V, LIMIT_V)
            rows.append(self._outputs(x, weights, constant))
            now = float(then)
        return np.array(rows)

    def _outputs(self, x: Floats, weights: Floats, constant: Floats) -> Floats:
        """All outputs for integrator states `x`; the multipliers settle one behind the other."""
        out = np.zeros(PORTS)
        out[:INTEGRATORS] = x
        across = weights[INTEGRATORS:]
        if not across.any():
            return out
        for _ in range(MULTIPLIERS + 1):
            ports = across @ out + constant[INTEGRATORS:]
            product = self.product_gain * ports[0::2] * ports[1::2] + self.product_offset
            settled = np.clip(product, -LIMIT_V, LIMIT_V)
            if np.array_equal(settled, out[INTEGRATORS : INTEGRATORS + MULTIPLIERS]):
                out[INTEGRATORS + MULTIPLIERS :] = ports[:4]
                return out
            out[INTEGRATORS : INTEGRATORS + MULTIPLIERS] = settled
        raise LoopError("the multipliers feed each other in a circle")

    def truth(self) -> dict[str, Any]:
        """What was drawn, by a record's quantities, for scoring."""
        cells, nodes = [str(cell) for cell in self.spec.cells], [str(n + 1) for n in range(PORTS)]
        named: dict[str, tuple[list[str], Any]] = {
            "gain_scale": (cells, [*self.gain, *self.product_gain]),
            "current_offset_A": (cells, [*self.offset, *self.product_offset]),
            "node_offset_A": (nodes, self.input_offset),
            "capacitance_ratio": (nodes, self.slowness),
            "preset_gain": (nodes, self.preset_gain),
            "preset_offset_V": (nodes, self.preset_offset),
        }
        quantities = {
            name: {key: float(value) for key, value in zip(keys, values, strict=False)}
            for name, (keys, values) in named.items()
        }
        return {"spec": self.spec.name, "spec_digest": self.spec.digest, "quantities": quantities}


def _linear(x: Floats, decay: Floats, drive: Floats, times_s: Floats) -> Floats:
    """States `[time, integrator]` of dx/dt = drive - decay x, exactly."""
    affine = np.zeros((INTEGRATORS + 1, INTEGRATORS + 1))
    affine[:INTEGRATORS, :INTEGRATORS], affine[:INTEGRATORS, INTEGRATORS] = -decay, drive
    spans = np.round(np.diff(times_s), 12)
    steps = {span: expm(affine * span) for span in np.unique(spans)}
    states = [np.append(x, 1.0)]
    for span in spans:
        states.append(steps[span] @ states[-1])
    return np.array(states)[:, :INTEGRATORS]
