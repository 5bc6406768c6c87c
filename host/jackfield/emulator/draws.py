"""One board of a kind: every quantity drawn once, each under its own name.

A cell's parameter is `scale * nominal(code) + zero + INL(code)` if it is a gain (siemens, amperes, ...) and
`nominal(code) + offset` if it is a threshold (volts) or a plain number; drift comes on top.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from jackfield.board import BoardSpec, CellGroup, CodeScale
from jackfield.emulator.inl import FAMILIES, inl_shapes, inl_terms
from jackfield.emulator.profiles import DROOP_SPREAD, Profile
from jackfield.emulator.randomness import Randomness
from jackfield.errors import DesignError

__all__ = [
    "DEFECTS",
    "CellDraws",
    "NodeDraws",
    "ParameterDraws",
    "Planted",
    "ProbeDraws",
    "draw_cells",
]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

DEFECTS = ("none", "dead", "open", "stuck", "swapped", "noisy")
RATED = 4  # of these, the ones that come at the profile's rate
_INL_NAMES = {"smooth": "INL", "binary": "bit weights"}
_OFFSET_UNITS = ("V", "1")  # parameters that err by an offset; all others err in scale


@dataclass(frozen=True)
class Planted:
    """What is asked of a board beside its profile: so many more `dead` and `noisy` cells, so many `stuck_probes`
    (switches that never close), and the family `inl` of its gain DACs' non-linearity.
    """

    dead: int = 0
    noisy: int = 0
    stuck_probes: int = 0
    inl: str = "smooth"

    def __post_init__(self) -> None:
        if self.inl not in FAMILIES:
            raise DesignError(f"INL family {self.inl!r} is asked of the gain DACs; use one of {', '.join(FAMILIES)}")

    @property
    def cells(self) -> dict[str, int]:
        """How many cells get which defect."""
        return {"dead": self.dead, "noisy": self.noisy}


@dataclass(frozen=True)
class ParameterDraws:
    """One parameter of one group: `[cell in group]`, in the parameter's unit; `inl` `[cell, term]` of `family` too.

    `per_K` and the walk act on the scale (relative) or on the offset (of the range), as `is_offset` says.
    """

    dac: CodeScale
    family: str
    is_offset: bool
    scale: Floats
    zero: Floats
    inl: Floats
    per_K: Floats
    stuck_code: Integers

    def value(self, codes: Integers, cells: Integers, drift: Floats) -> Floats:
        """True values of `cells` at `codes`."""
        nominal = self.dac.value(codes)
        if self.is_offset:
            return np.asarray(nominal + self.zero[cells] + drift)
        curve = np.einsum("ct,ct->c", self.inl[cells], inl_shapes(self.family, self.dac)[codes])
        return np.asarray(self.scale[cells] * (1 + drift) * nominal + self.zero[cells] + curve)


@dataclass(frozen=True)
class CellDraws:
    """All cells of one group: `defect` indexes DEFECTS, `current_A` flows whatever the voltages."""

    group: CellGroup
    parameters: Mapping[str, ParameterDraws]
    current_A: Floats
    defect: Integers


def draw_cells(spec: BoardSpec, profile: Profile, randomness: Randomness, planted: Planted) -> tuple[CellDraws, ...]:
    """One entry a group."""
    extra = {kind: _chosen(f"injected {kind} cells", count, spec, randomness) for kind, count in planted.cells.items()}
    draws = []
    for group in spec.groups:
        parameters = {
            name: _parameter(group, name, scale, profile, randomness, planted.inl)
            for name, scale in group.parameters.items()
        }
        current = randomness.normals(f"{group.name} current offset", group.count)
        u = randomness.uniforms(f"{group.name} defect", group.count)
        defect = np.zeros(group.count, dtype=np.int64)
        for kind in range(1, 1 + RATED):
            defect[(u >= (kind - 1) * profile.defect_rate) & (u < kind * profile.defect_rate)] = kind
        for name, chosen in extra.items():
            defect[chosen[group.members]] = DEFECTS.index(name)
        current_A = current * (profile.current_of_limit * group.output_limit_A)
        draws.append(CellDraws(group, parameters, current_A, defect))
    return tuple(draws)


def _chosen(name: str, count: int, spec: BoardSpec, randomness: Randomness) -> NDArray[np.bool_]:
    order = np.argsort(randomness.uniforms(name, spec.cell_count), kind="stable")
    chosen = np.zeros(spec.cell_count, dtype=np.bool_)
    chosen[order[:count]] = True
    return chosen


def _parameter(
    group: CellGroup, name: str, scale: CodeScale, profile: Profile, randomness: Randomness, inl: str
) -> ParameterDraws:
    key, count = f"{group.name} {name}", group.count
    is_offset = scale.unit in _OFFSET_UNITS
    first, last = scale.code_range
    stuck = first + (randomness.uniforms(f"{key} stuck code", count) * (last - first + 1)).astype(np.int64)
    drift = randomness.normals(f"{key} drift", count)
    zero = randomness.normals(f"{key} zero", count)
    if is_offset:
        return ParameterDraws(
            scale,
            inl,
            True,
            np.ones(count),
            zero * (profile.threshold_of_range * scale.hi),
            np.zeros((count, 0)),
            drift * (profile.offset_drift_per_K * scale.hi),
            stuck,
        )
    terms = inl_terms(inl, scale)
    bent = randomness.normals(f"{key} {_INL_NAMES[inl]}", count * len(terms)).reshape(count, -1)
    return ParameterDraws(
        scale,
        inl,
        False,
        1 + profile.gain_relative * randomness.normals(f"{key} scale", count),
        zero * (profile.gain_zero_lsb * scale.lsb),
        bent * terms * (profile.gain_inl_lsb * scale.lsb),
        drift * profile.gain_drift_per_K,
        stuck,
    )


@dataclass(frozen=True)
class NodeDraws:
    """`[node]` arrays, node n at index n - 1; SI. `preset`, `trim` and `injection` are gain times nominal (+ offset).

    An injection DAC drives its node through a transconductor like that of a cell, and errs as much.
    """

    capacitance_F: Floats
    leak_S: Floats
    offset_A: Floats
    trim_gain: Floats
    injection_gain: Floats
    preset_gain: Floats
    preset_offset_V: Floats
    droop_per_s: Floats
    switch_V: Floats

    @classmethod
    def draw(cls, spec: BoardSpec, profile: Profile, randomness: Randomness) -> "NodeDraws":
        """One draw for each node."""
        nodes = spec.nodes

        def normal(quantity: str) -> Floats:
            return randomness.normals(f"node {quantity}", nodes.count)

        leak = profile.leak_S * (1 + profile.leak_relative * normal("leak"))
        droop = profile.droop_per_s * (1 + DROOP_SPREAD * normal("droop"))
        return cls(
            capacitance_F=nodes.capacitance_F * (1 + profile.capacitance_relative * normal("capacitance")),
            leak_S=nodes.leak_S + np.maximum(leak, 0.0),
            offset_A=profile.node_current_A * normal("offset current"),
            trim_gain=1 + profile.preset_gain * normal("trim gain"),
            injection_gain=1 + profile.gain_relative * normal("injection gain"),
            preset_gain=1 + profile.preset_gain * normal("preset gain"),
            preset_offset_V=profile.preset_offset_V * normal("preset offset"),
            droop_per_s=np.maximum(droop, 0.0),
            switch_V=profile.switch_charge_V * normal("bank switch charge"),
        )


class ProbeSpread(Protocol):
    """How much probes differ: what a profile says of them."""

    @property
    def probe_gain(self) -> float:
        """Relative."""

    @property
    def probe_offset_V(self) -> float:
        """Volts."""

    @property
    def reference_relative(self) -> float:
        """Of the reference voltage."""

    @property
    def crosstalk(self) -> float:
        """Share of the neighbour."""


@dataclass(frozen=True)
class ProbeDraws:
    """`[probe]` arrays and the reference; `crosstalk[p, q]` is the share of probe q in probe p.

    `stuck[p, node]`: the switch never closes, and the probe keeps what it showed before.
    """

    gain: Floats
    offset_V: Floats
    crosstalk: Floats
    reference_V: float
    stuck: NDArray[np.bool_]

    @classmethod
    def draw(cls, spec: BoardSpec, profile: ProbeSpread, randomness: Randomness, stuck: int = 0) -> "ProbeDraws":
        """One draw for each probe, and `stuck` of the switches."""
        count = spec.probe.count
        share = profile.crosstalk * randomness.normals("probe crosstalk", count * count).reshape(count, count)
        beside = np.abs(np.subtract.outer(np.arange(count), np.arange(count))) == 1
        switches = randomness.uniforms("stuck probe switches", count * spec.nodes.count).reshape(count, -1)
        error = profile.reference_relative * float(randomness.normals("reference", 1)[0])
        return cls(
            gain=1 + profile.probe_gain * randomness.normals("probe gain", count),
            offset_V=profile.probe_offset_V * randomness.normals("probe offset", count),
            crosstalk=share * beside,
            reference_V=spec.probe.reference_V * (1 + error),
            stuck=switches < np.sort(switches, axis=None)[stuck],
        )
