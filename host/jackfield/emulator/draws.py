"""One board of a kind: every quantity drawn once, each under its own name.

A cell's parameter is `scale * nominal(code) + zero + INL(code)` if it is a gain (siemens, amperes, ...) and
`nominal(code) + offset` if it is a threshold (volts) or a plain number; drift comes on top.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jackfield.board import BoardSpec, CellGroup, CodeScale
from jackfield.emulator.profiles import DROOP_SPREAD, Profile
from jackfield.emulator.randomness import Randomness

__all__ = [
    "DEFECTS",
    "INL_DEGREES",
    "INL_TERMS",
    "CellDraws",
    "NodeDraws",
    "ParameterDraws",
    "ProbeDraws",
    "draw_cells",
    "inl_curve",
]

Floats = NDArray[np.float64]

DEFECTS = ("none", "dead", "open", "stuck", "swapped")
_OFFSET_UNITS = ("V", "1")  # parameters that err by an offset; all others err in scale
_INL_WEIGHTS = np.array([0.7, 0.5, 0.4, 0.3])
INL_DEGREES = (2, 3, 4, 5)  # of the Legendre polynomials that an INL curve is made of
INL_TERMS = _INL_WEIGHTS / np.sqrt(np.sum(_INL_WEIGHTS**2))


@dataclass(frozen=True)
class ParameterDraws:
    """One parameter of one group: `[cell in group]`, in the parameter's unit; `inl` `[cell, term]` too.

    `per_K` and the walk act on the scale (relative) or on the offset (of the range), as `is_offset` says.
    """

    is_offset: bool
    scale: Floats
    zero: Floats
    inl: Floats
    per_K: Floats
    stuck_code: NDArray[np.int64]

    def value(self, nominal: Floats, position: Floats, cells: NDArray[np.int64], drift: Floats) -> Floats:
        """True values of `cells` whose codes mean `nominal` and lie at `position` (-1..1) of the range."""
        if self.is_offset:
            return np.asarray(nominal + self.zero[cells] + drift)
        curve = inl_curve(self.inl[cells], position)
        return np.asarray(self.scale[cells] * (1 + drift) * nominal + self.zero[cells] + curve)


def inl_curve(terms: Floats, position: Floats) -> Floats:
    """INL at `position` (-1..1) of curves with `terms` `[cell, 4]`: orthonormal Legendre polynomials 2 to 5.

    They have no mean and no slope over the codes, which belong to zero and scale.
    """
    x = position
    basis = (
        np.sqrt(5) * (3 * x**2 - 1) / 2,
        np.sqrt(7) * (5 * x**3 - 3 * x) / 2,
        3 * (35 * x**4 - 30 * x**2 + 3) / 8,
        np.sqrt(11) * (63 * x**5 - 70 * x**3 + 15 * x) / 8,
    )
    return np.asarray(sum(terms[:, k] * basis[k] for k in range(len(basis))))


@dataclass(frozen=True)
class CellDraws:
    """All cells of one group: `defect` indexes DEFECTS, `current_A` flows whatever the voltages."""

    group: CellGroup
    parameters: Mapping[str, ParameterDraws]
    current_A: Floats
    defect: NDArray[np.int64]


def draw_cells(spec: BoardSpec, profile: Profile, randomness: Randomness, dead: int) -> tuple[CellDraws, ...]:
    """One entry a group; `dead` more cells of the whole board carry nothing."""
    order = np.argsort(randomness.uniforms("injected dead cells", spec.cell_count), kind="stable")
    extra = np.zeros(spec.cell_count, dtype=np.bool_)
    extra[order[:dead]] = True
    draws = []
    for group in spec.groups:
        parameters = {
            name: _parameter(group, name, scale, profile, randomness) for name, scale in group.parameters.items()
        }
        current = randomness.normals(f"{group.name} current offset", group.count)
        u = randomness.uniforms(f"{group.name} defect", group.count)
        defect = np.zeros(group.count, dtype=np.int64)
        for kind in range(1, len(DEFECTS)):
            defect[(u >= (kind - 1) * profile.defect_rate) & (u < kind * profile.defect_rate)] = kind
        defect[extra[group.members]] = DEFECTS.index("dead")
        current_A = current * (profile.current_of_limit * group.output_limit_A)
        draws.append(CellDraws(group, parameters, current_A, defect))
    return tuple(draws)


def _parameter(
    group: CellGroup, name: str, scale: CodeScale, profile: Profile, randomness: Randomness
) -> ParameterDraws:
    key, count = f"{group.name} {name}", group.count
    is_offset = scale.unit in _OFFSET_UNITS
    first, last = scale.code_range
    stuck = first + (randomness.uniforms(f"{key} stuck code", count) * (last - first + 1)).astype(np.int64)
    drift = randomness.normals(f"{key} drift", count)
    zero = randomness.normals(f"{key} zero", count)
    if is_offset:
        nothing = np.zeros((count, len(INL_TERMS)))
        return ParameterDraws(
            True,
            np.ones(count),
            zero * (profile.threshold_of_range * scale.hi),
            nothing,
            drift * (profile.offset_drift_per_K * scale.hi),
            stuck,
        )
    inl = randomness.normals(f"{key} INL", count * len(INL_TERMS)).reshape(count, -1)
    return ParameterDraws(
        False,
        1 + profile.gain_relative * randomness.normals(f"{key} scale", count),
        zero * (profile.gain_zero_lsb * scale.lsb),
        inl * INL_TERMS * (profile.gain_inl_lsb * scale.lsb),
        drift * profile.gain_drift_per_K,
        stuck,
    )


@dataclass(frozen=True)
class NodeDraws:
    """`[node]` arrays, node n at index n - 1; SI. `preset` and `trim` are V = gain nominal + offset."""

    capacitance_F: Floats
    leak_S: Floats
    offset_A: Floats
    trim_gain: Floats
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
            preset_gain=1 + profile.preset_gain * normal("preset gain"),
            preset_offset_V=profile.preset_offset_V * normal("preset offset"),
            droop_per_s=np.maximum(droop, 0.0),
            switch_V=profile.switch_charge_V * normal("bank switch charge"),
        )


@dataclass(frozen=True)
class ProbeDraws:
    """`[probe]` arrays and the reference; `crosstalk[p, q]` is the share of probe q in probe p."""

    gain: Floats
    offset_V: Floats
    crosstalk: Floats
    reference_V: float

    @classmethod
    def draw(cls, spec: BoardSpec, profile: Profile, randomness: Randomness) -> "ProbeDraws":
        """One draw for each probe."""
        count = spec.probe.count
        share = profile.crosstalk * randomness.normals("probe crosstalk", count * count).reshape(count, count)
        beside = np.abs(np.subtract.outer(np.arange(count), np.arange(count))) == 1
        error = profile.reference_relative * float(randomness.normals("reference", 1)[0])
        return cls(
            gain=1 + profile.probe_gain * randomness.normals("probe gain", count),
            offset_V=profile.probe_offset_V * randomness.normals("probe offset", count),
            crosstalk=share * beside,
            reference_V=spec.probe.reference_V * (1 + error),
        )
