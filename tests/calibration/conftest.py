"""An in-process board with drawn errors, quick enough to calibrate in a test: no link, no instruments."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from numpy.polynomial import Legendre as Polynomial
from numpy.typing import NDArray

from jackfield.board import BoardSpec, ConfigImage, Measurement, RunProgram, hold_times
from jackfield.physics import Circuit, EdgeSet, Imperfection, Slice, integrate
from jackfield_boards import spec_folder

Floats = NDArray[np.float64]
BEND_SHARES = np.array([1.5, 1.2, 1.0, 0.8])
BEND_SHARES /= np.sqrt(np.sum(BEND_SHARES**2 / (2 * np.arange(2, 6) + 1)))  # rms 1 LSB over the codes


def legendre(order: int) -> Polynomial:
    return Polynomial.basis(order)


@dataclass
class Truth:
    """What was drawn, SI, currents and capacitances as they are (no gauge)."""

    scale: Floats
    zero_S: Floats
    bend: Floats
    threshold_V: Floats
    offset_A: Floats
    capacitance_F: Floats
    leak_S: Floats
    node_offset_A: Floats
    preset_gain: Floats
    preset_offset_V: Floats
    trim_gain: Floats
    droop: float
    knee_V: float
    saturation_A: float
    dead: NDArray[np.int64]
    stuck: NDArray[np.int64]
    swapped: NDArray[np.int64]


def draw(spec: BoardSpec, profile: str, seed: int) -> Truth:
    random = np.random.default_rng([seed, 77])
    part, nodes, kind = spec.groups[0], spec.nodes, dict(spec.statistics[profile])
    gain, threshold, limit = part.parameters["gain"], part.parameters["threshold"], part.output_limit_A
    cells, count = spec.cell_count, nodes.count

    def normal(width: float, size: int) -> Floats:
        return width * random.standard_normal(size)

    faulty = random.permutation(cells)
    each = max(round(kind["defect_rate"] * cells), 1) if kind["defect_rate"] else 0
    return Truth(
        scale=1 + normal(kind["gain_relative"], cells),
        zero_S=normal(kind["gain_zero_lsb"] * gain.lsb, cells),
        bend=normal(kind["gain_inl_lsb"] * gain.lsb, 4 * cells).reshape(cells, 4) * BEND_SHARES,
        threshold_V=normal(kind["threshold_offset"] * threshold.hi, cells),
        offset_A=normal(kind["cell_current_offset"] * limit, cells),
        capacitance_F=nodes.capacitance_F * (1 + normal(kind["capacitance_relative"], count)),
        leak_S=nodes.leak_S
        + nodes.capacitance_F / 100e-6 * kind["leak_mean"] * (1 + normal(kind["leak_relative"], count)),
        node_offset_A=normal(kind["node_offset_current"] * limit, count),
        preset_gain=1 + normal(kind["preset_gain"], count),
        preset_offset_V=normal(kind["preset_offset"], count),
        trim_gain=1 + normal(kind["preset_gain"], count),
        droop=kind["droop_per_slot"] / spec.probe.slot_s,
        knee_V=kind["knee"],
        saturation_A=kind["saturation"] * limit,
        dead=faulty[:each],
        stuck=faulty[each : 2 * each],
        swapped=faulty[2 * each : 3 * each],
    )


class FakeBench:
    """Board and instruments in one: `apply`, `measure`, `reference_V`, noise keyed by `noise`, image and program."""

    def __init__(self, spec: BoardSpec, profile: str, seed: int, noise: int = 0) -> None:
        self.spec, self.truth, self.seed, self.noise = spec, draw(spec, profile, seed), seed, noise
        self.kind = dict(spec.statistics[profile])
        self.board = self
        self.measured = 0
        self._image = ConfigImage.safe(spec)

    @property
    def gauge(self) -> float:
        """Mean capacitance over nominal: only currents over capacitances can be observed."""
        return float(np.exp(np.mean(np.log(self.truth.capacitance_F / self.spec.nodes.capacitance_F))))

    @property
    def sound(self) -> NDArray[np.bool_]:
        """Cells without a planted defect."""
        truth = self.truth
        return ~np.isin(np.arange(self.spec.cell_count), np.concatenate([truth.dead, truth.stuck, truth.swapped]))

    def bent(self, u: Floats) -> Floats:
        """The gain DACs' non-linearity at nominal gain u (of the largest), `[cell]`, S."""
        return np.asarray(sum(self.truth.bend[:, k] * legendre(k + 2)(u) for k in range(4)))

    def apply(self, image: ConfigImage) -> None:
        self._image = image

    def reference_V(self) -> float:
        return self.spec.probe.reference_V * 1.0004

    def measure(
        self, input_codes: NDArray[np.int64], program: RunProgram, run_number: int | None = None
    ) -> Measurement:
        self.measured += 1
        final, key = self._play(input_codes, program)
        random = np.random.default_rng([self.seed, self.noise, key, run_number or 0])
        final = final + self.kind["node_noise"] * random.standard_normal(final.shape)
        nodes = [node for scanned in program.scan for node in scanned]
        se = np.full((len(final), len(nodes)), self.kind["readout_noise"] / 10)
        at = np.array(nodes) - 1
        left = np.exp(-self.truth.droop * hold_times(self.spec, program)[at])
        values = final[:, at] * left + se * random.standard_normal(se.shape)
        slots = (len(final), len(program.scan))
        return Measurement(
            nodes=tuple(nodes),
            values_V=values,
            se_V=se,
            clipped=np.zeros(values.shape, dtype=np.bool_),
            railed=np.abs(final[:, at]) > 0.98 * self.spec.nodes.rail_V[1],
            ground_V=0.003 + 1e-4 * random.standard_normal(slots),
            reference_V=0.003 + 0.8 * 1.01 + 1e-4 * random.standard_normal(slots),
            clock_ratio=1.0,
        )

    def _play(self, codes: NDArray[np.int64], program: RunProgram) -> tuple[Floats, int]:
        spec, truth, image = self.spec, self.truth, self._image
        (bank, ticks) = program.steps[0]
        on = np.flatnonzero(image.enable[bank])
        start = np.clip(truth.preset_gain * spec.nodes.preset.value(codes) + truth.preset_offset_V, -1, 1)
        injected = truth.node_offset_A + truth.trim_gain * spec.nodes.trim.value(image.trim[bank])
        edges = self._edges(bank, on)
        circuit = Circuit(
            spec.nodes.count,
            (Slice(ticks * spec.run.tick_s, edges, _tensor(injected)),),
            _tensor(truth.capacitance_F),
            _tensor(truth.leak_S),
            rails=spec.nodes.rail_V,
        )
        final = integrate(circuit, _tensor(start), steps=max(8, ticks // 8))[-1].numpy()
        parts = (image.enable[bank], image.source[bank], *(c[bank] for c in image.codes.values()), image.trim, codes)
        key = zlib.crc32(b"".join(np.ascontiguousarray(part).tobytes() for part in parts) + repr(program).encode())
        return final, key

    def _edges(self, bank: int, on: NDArray[np.int64]) -> tuple[EdgeSet, ...]:
        if not len(on):
            return ()
        spec, truth, image = self.spec, self.truth, self._image
        part = spec.groups[0]
        nominal = part.parameters["gain"].value(image.codes["gain"][bank, on])
        threshold = part.parameters["threshold"].value(image.codes["threshold"][bank, on]) + truth.threshold_V[on]
        u = nominal / part.parameters["gain"].hi
        bend = sum(truth.bend[on, k] * legendre(k + 2)(u) for k in range(4))
        gain = nominal * truth.scale[on] + truth.zero_S[on] + bend
        gain[np.isin(on, truth.stuck)] = 0.4 * part.parameters["gain"].hi
        gain[np.isin(on, truth.dead)] = 0.0
        turned = np.isin(on, truth.swapped)
        s, d = image.source[bank, on], image.destination[bank, on]
        offset = np.where(np.isin(on, truth.dead), 0.0, truth.offset_A[on])
        shape = Imperfection(_tensor(truth.knee_V), _tensor(truth.saturation_A), _tensor(offset))
        first, last = (torch.from_numpy(np.where(turned, *pair)) for pair in ((d, s), (s, d)))
        return (EdgeSet(part.law, first, last, {"gain": _tensor(gain), "threshold": _tensor(threshold)}, shape),)


def _tensor(values: Any) -> torch.Tensor:
    return torch.as_tensor(np.asarray(values), dtype=torch.float64)


@pytest.fixture(scope="session")
def make_bench() -> Callable[..., FakeBench]:
    """FakeBench(spec, profile, seed, noise=0)."""
    return FakeBench


@pytest.fixture(scope="session")
def small_spec() -> BoardSpec:
    """jf16 with 8-bit cells and a defect or two, so that few reads do."""
    folder = spec_folder()
    text = (folder / "jf16.toml").read_text(encoding="utf-8")
    for line in ("gain = { range_S = [-100e-6, 100e-6]", "threshold = { range_V = [-0.5, 0.5]"):
        text = text.replace(f"{line}, bits = 12", f"{line}, bits = 8")
    return BoardSpec.from_toml(text, {"jf16_reach.csv": (folder / "jf16_reach.csv").read_text(encoding="utf-8")})
