"""What is known about one board, as arrays in spec order: the nominal board, or what a record says of it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
from numpy.polynomial.legendre import legder, legval
from numpy.typing import NDArray

from jackfield.board import BENDS, BITS, BoardSpec, CalibrationRecord, CodeScale, curve_terms
from jackfield.compile.record_arrays import RecordArrays
from jackfield.errors import CalibrationError

__all__ = ["KnownBoard", "uncertainties"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_CURVE = (*(f"gain_bend_{degree}_S" for degree in BENDS), *(f"gain_bit_{number + 1}_S" for number in range(BITS)))
_NODE_QUANTITIES = ("leak_S", "node_offset_A", "trim_gain", "preset_gain", "preset_offset_V", "droop_per_s")
_VERIFIED = {
    "gain_scale": ("gain_curve_S",),
    "threshold_offset_V": (),
    **dict.fromkeys(_NODE_QUANTITIES, ()),
}
"""Quantities whose residuals of verification say all about them and about other terms of the same curve."""
_NEWTON = 8
_SEARCH = 2  # LSB: the leap of a bit's weight that is off


@dataclass(frozen=True)
class KnownBoard:
    """Curves of one board, SI units; field names are the record's quantities.

    Cell arrays `[cell]`, node arrays `[node]`, board values of shape `[]`. `gain = gain_scale nominal +
    gain_zero_S + gain_curve_S[cell, term]` on the terms of `jackfield.board.curve_terms`;
    `threshold = nominal + threshold_offset_V`, `preset = preset_gain nominal + preset_offset_V`,
    `trim = trim_gain nominal`. `gain_dacs` are the spec's: first cell, cell after the last, DAC. `bad` marks cells
    that must not be used, `doubtful` those that verification did not pass for a milder reason.
    """

    gain_scale: Floats
    gain_zero_S: Floats
    gain_curve_S: Floats
    threshold_offset_V: Floats
    current_offset_A: Floats
    capacitance_ratio: Floats
    leak_S: Floats
    node_offset_A: Floats
    trim_gain: Floats
    preset_gain: Floats
    preset_offset_V: Floats
    droop_per_s: Floats
    knee_V: Floats
    saturation: Floats
    gain_dacs: tuple[tuple[int, int, CodeScale], ...]
    bad: NDArray[np.bool_]
    doubtful: NDArray[np.bool_]

    @classmethod
    def as_specified(cls, spec: BoardSpec) -> Self:
        """The board as its spec describes it."""
        cells, nodes = np.zeros(spec.cell_count), np.zeros(spec.nodes.count)
        none = np.zeros(spec.cell_count, dtype=np.bool_)
        return cls(
            gain_scale=cells + 1,
            gain_zero_S=cells,
            gain_curve_S=np.zeros((spec.cell_count, len(_CURVE))),
            threshold_offset_V=cells,
            current_offset_A=cells,
            capacitance_ratio=nodes + 1,
            leak_S=nodes + spec.nodes.leak_S,
            node_offset_A=nodes,
            trim_gain=nodes + 1,
            preset_gain=nodes + 1,
            preset_offset_V=nodes,
            droop_per_s=nodes + spec.nodes.hold_droop_V_per_s / spec.nodes.rail_V[1],
            knee_V=np.array(0.0),
            saturation=np.array(np.inf),
            gain_dacs=_gain_dacs(spec),
            bad=none,
            doubtful=none,
        )

    @classmethod
    def from_record(cls, spec: BoardSpec, record: CalibrationRecord | None) -> Self:
        """What `record` says; None is the nominal board, and so is whatever the record lacks.

        Raises CalibrationError where the record was made with another spec.
        """
        if record is None:
            return cls.as_specified(spec)
        if record.provenance["spec_digest"] != spec.digest:
            raise CalibrationError(
                f"the record was made with a spec of digest {str(record.provenance['spec_digest'])[:12]}, board "
                f"{spec.name} has {spec.digest[:12]}; calibrate the board again or use the spec of the record"
            )
        nominal, arrays = cls.as_specified(spec), RecordArrays(spec, record)
        values: dict[str, Any] = {name: arrays.values(name, getattr(nominal, name)) for name in _quantities()}
        values["gain_curve_S"] = np.stack([arrays.values(name, np.zeros(spec.cell_count)) for name in _CURVE], axis=1)
        bad, doubtful = arrays.unfit_cells()
        # A curve that cannot be inverted holds nothing, whatever verification said of it.
        return replace(nominal, **values, bad=bad | (values["gain_scale"] <= 0), doubtful=doubtful)

    def to_actual(self, parameter: str, cells: Integers, nominal: Floats) -> Floats:
        """What `cells` give for the nominal values of their codes, SI."""
        if parameter == "gain":
            return self._smooth(cells, nominal) + self._bits(cells, nominal)
        return nominal + self.threshold_offset_V[cells] if parameter == "threshold" else nominal

    def to_nominal(self, parameter: str, cells: Integers, actual: Floats) -> Floats:
        """The nominal values at which `cells` give `actual`, SI; where a DAC leaps over it, those of the code nearest
        to it."""
        if parameter != "gain":
            return actual - self.threshold_offset_V[cells] if parameter == "threshold" else actual
        nominal = (actual - self.gain_zero_S[cells]) / self.gain_scale[cells]
        for _ in range(_NEWTON):
            nominal = nominal - (self._smooth(cells, nominal) - actual) / self.slope(parameter, cells, nominal)
        return self._stepped(cells, nominal, actual) if self.gain_curve_S[cells, len(BENDS) :].any() else nominal

    def slope(self, parameter: str, cells: Integers, nominal: Floats) -> Floats:
        """How far the actual value moves with the nominal one, steps of bits aside."""
        if parameter != "gain":
            return np.ones(len(cells))
        reach, x = self._position(cells, nominal)
        bend = np.where(np.abs(x) <= 1, legval(x, legder(self._bends(cells)), tensor=False) / reach, 0.0)
        # A curve that noise has folded near its end must not send the inversion away.
        return np.maximum(self.gain_scale[cells] + bend, self.gain_scale[cells] / 2)

    def _smooth(self, cells: Integers, nominal: Floats) -> Floats:
        # The polynomials say nothing beyond the range; the bend stays there as it is at its end.
        _, x = self._position(cells, nominal)
        bend = legval(np.clip(x, -1, 1), self._bends(cells), tensor=False)
        return np.asarray(self.gain_scale[cells] * nominal + self.gain_zero_S[cells] + bend)

    def _bits(self, cells: Integers, nominal: Floats) -> Floats:
        """What the bits of the nearest codes add."""
        added = np.zeros(len(cells))
        for first, stop, dac in self.gain_dacs:
            here = np.flatnonzero((cells >= first) & (cells < stop))
            terms = curve_terms(dac)[dac.code(dac.clip(nominal[here])), len(BENDS) :]
            added[here] = np.einsum("ct,ct->c", terms, self.gain_curve_S[cells[here], len(BENDS) :])
        return added

    def _stepped(self, cells: Integers, nominal: Floats, actual: Floats) -> Floats:
        """`nominal` moved by up to `_SEARCH` LSB to where the curve with its steps is nearest to `actual`."""
        lsb = np.ones(len(cells))
        for first, stop, dac in self.gain_dacs:
            lsb[(cells >= first) & (cells < stop)] = dac.lsb
        tried = nominal + np.arange(-_SEARCH, _SEARCH + 1)[:, None] * lsb
        off = np.stack([actual - self.to_actual("gain", cells, row) for row in tried])
        best = np.abs(off).argmin(0), np.arange(len(cells))
        rest = off[best] / self.slope("gain", cells, nominal)
        return np.asarray(tried[best] + np.clip(rest, -lsb / 2, lsb / 2))

    def _position(self, cells: Integers, nominal: Floats) -> tuple[Floats, Floats]:
        """Half the range of the DACs, and `nominal` from -1 to 1 within it."""
        half, middle = np.ones(len(cells)), np.zeros(len(cells))
        for first, stop, dac in self.gain_dacs:
            here = (cells >= first) & (cells < stop)
            half[here], middle[here] = (dac.hi - dac.lo) / 2, (dac.hi + dac.lo) / 2
        return half, (nominal - middle) / half

    def _bends(self, cells: Integers) -> Floats:
        """Legendre coefficients `[degree, cell]`; degrees 0 and 1 belong to zero and scale."""
        none = np.zeros(len(cells))
        return np.stack([none, none, *self.gain_curve_S[cells, : len(BENDS)].T])

    def node_offsets(self, source: Integers, destination: Integers, cells: Integers) -> Floats:
        """Current `[node]` into each node, in A, with nothing but the offsets of `cells` and of the nodes."""
        into = np.zeros(len(self.node_offset_A) + 1)
        np.add.at(into, destination, self.current_offset_A[cells])
        np.add.at(into, source, -self.current_offset_A[cells])
        return into[1:] + self.node_offset_A

    def drawn(self, sigma: Mapping[str, Floats], rng: np.random.Generator) -> Self:
        """A board as likely as this one: each value moved by its `sigma` (see `uncertainties`), if finite."""
        moved = {}
        for name, size in sigma.items():
            value = getattr(self, name)
            step = np.where(np.isfinite(value) & np.isfinite(size), size, 0.0)
            moved[name] = value + step * rng.standard_normal(value.shape)
        return replace(self, **moved)


def uncertainties(spec: BoardSpec, record: CalibrationRecord) -> dict[str, Floats]:
    """How well `record` knows each quantity, as arrays like those of KnownBoard.

    What verification found in fresh runs, rms over the board, stands where there is any: it holds what the
    curves leave out. A gain's shape counts once, as an error of its scale: verification asks for large gains,
    small ones err by what stands beside code zero. Elsewhere the standard errors stand; infinite is what was
    not measured. Offsets of single cells are left out: they act through a node's sum alone, which is measured.
    """
    arrays, like = RecordArrays(spec, record), KnownBoard.as_specified(spec)
    sigma = {name: arrays.standard_errors(name, np.zeros_like(getattr(like, name))) for name in _quantities()}
    sigma["gain_curve_S"] = np.stack([arrays.standard_errors(n, np.zeros(spec.cell_count)) for n in _CURVE], axis=1)
    del sigma["current_offset_A"]
    for name, terms in _VERIFIED.items():
        found = arrays.residual_rms(name)
        if found > 0:
            sigma |= {term: np.zeros_like(sigma[term]) for term in terms} | {name: np.full_like(sigma[name], found)}
    return sigma


def _quantities() -> tuple[str, ...]:
    others = ("gain_curve_S", "gain_dacs", "bad", "doubtful")
    return tuple(field.name for field in fields(KnownBoard) if field.name not in others)


def _gain_dacs(spec: BoardSpec) -> tuple[tuple[int, int, CodeScale], ...]:
    groups = [group for group in spec.groups if "gain" in group.parameters]
    return tuple((group.first, group.first + group.count, group.parameters["gain"]) for group in groups)
