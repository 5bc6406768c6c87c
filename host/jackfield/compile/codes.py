"""From wanted values to codes, saying what was asked and what the codes give."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jackfield.board import BoardSpec, ConfigImage
from jackfield.compile.known import Floats, Integers, KnownBoard
from jackfield.compile.place import Placement
from jackfield.compile.report import QuantisationReport
from jackfield.compile.scaling import Scaling
from jackfield.errors import DesignError
from jackfield.physics import LAWS
from jackfield.units import format_quantity

__all__ = ["Targets", "circuit_targets", "quantise"]

_HALF = 0.5 * (1 + 1e-9)  # of an LSB: how far a value may lie from the code at the end of its range


@dataclass(frozen=True)
class Targets:
    """Values that the board should have, SI: `parameters[slice][name][edge]` (NaN where the edge's law has
    none of that name) and `trims[slice, node]`, the current that each trim should add."""

    parameters: tuple[Mapping[str, Floats], ...]
    trims: Floats


def circuit_targets(
    placement: Placement, scaling: Scaling, spec: BoardSpec, farads: float, known: KnownBoard
) -> Targets:
    """What the circuit asks of a board with the offsets of `known`: scaled parameters, and trims that cancel
    exactly the offsets of the cells used and add the circuit's injection.

    Trims and node offsets flow while a bank is switched in, cells not yet: a trim is that much smaller.
    """
    parameters = []
    trims = np.zeros((len(placement.slices), spec.nodes.count))
    for number, (part, cells) in enumerate(zip(placement.slices, placement.cells, strict=True)):
        scaled = {name: np.full(part.count, np.nan) for name in spec.parameter_names}
        for law in np.unique(part.law):
            rows = part.law == law
            for parameter in LAWS[str(law)].parameters:
                factor = scaling.factor(parameter, number, farads)
                scaled[parameter.name][rows] = part.parameters[parameter.name][rows] * factor
        parameters.append(scaled)
        wanted = part.injection * scaling.amperes_per_unit(number, farads)
        cell_offsets = known.node_offsets(part.source, part.destination, cells) - known.node_offset_A
        share = 1 / scaling.trim_stretch(number, part.duration, spec)
        trims[number] = share * (wanted - cell_offsets) - known.node_offset_A
    return Targets(tuple(parameters), trims)


@dataclass(frozen=True)
class _Column:
    """Values of one parameter, or of the trims, in one bank; see QuantisationReport."""

    bank: int
    parameter: str
    edge: Integers
    source: Integers
    destination: Integers
    cell: Integers
    requested: Floats
    target: Floats
    actual: Floats
    lsb: Floats
    clipped: NDArray[np.bool_]
    codes: Integers


def quantise(
    placement: Placement,
    requested: Targets,
    target: Targets,
    spec: BoardSpec,
    known: KnownBoard,
    allow_clipped: int = 0,
) -> tuple[ConfigImage, QuantisationReport]:
    """The image whose codes come nearest to `target`, and the report that compares it with `requested`.

    Raises DesignError, naming edge and cell, where more than `allow_clipped` values lie beyond their range
    by more than half an LSB.
    """
    image = ConfigImage.safe(spec)
    columns = []
    for bank, (part, cells) in enumerate(zip(placement.slices, placement.cells, strict=True)):
        image.enable[bank, cells] = True
        image.source[bank, cells] = part.source
        image.destination[bank, cells] = part.destination
        for column in _cell_columns(bank, placement, requested, target, spec, known):
            image.codes[column.parameter][bank, column.cell] = column.codes
            columns.append(column)
        trim = _trim_column(bank, requested, target, spec, known)
        image.trim[bank] = trim.codes
        columns.append(trim)
    report = _report(columns)
    if report.clipped.sum() > allow_clipped:
        raise _out_of_range(report, spec, known)
    return image, report


def _cell_columns(
    bank: int, placement: Placement, requested: Targets, target: Targets, spec: BoardSpec, known: KnownBoard
) -> list[_Column]:
    part, cells = placement.slices[bank], placement.cells[bank]
    columns = []
    for group in spec.groups:
        rows = np.flatnonzero((cells >= group.first) & (cells < group.first + group.count))
        for name, scale in group.parameters.items():
            goal = target.parameters[bank][name][rows]
            codes = scale.code(scale.clip(known.to_nominal(name, cells[rows], goal)))
            actual = known.to_actual(name, cells[rows], scale.value(codes))
            lsb = scale.lsb * known.slope(name, cells[rows], scale.value(codes))
            beyond = np.where(codes == scale.code_range[0], actual - goal, goal - actual)
            columns.append(
                _Column(
                    bank=bank,
                    parameter=name,
                    edge=part.origin[rows],
                    source=part.source[rows],
                    destination=part.destination[rows],
                    cell=cells[rows],
                    requested=requested.parameters[bank][name][rows],
                    target=goal,
                    actual=actual,
                    lsb=lsb,
                    clipped=np.isin(codes, scale.code_range) & (beyond > _HALF * lsb),
                    codes=codes,
                )
            )
    return columns


def _trim_column(bank: int, requested: Targets, target: Targets, spec: BoardSpec, known: KnownBoard) -> _Column:
    scale = spec.nodes.trim
    nominal = target.trims[bank] / known.trim_gain
    codes = scale.code(scale.clip(nominal))
    none = np.full(spec.nodes.count, -1, dtype=np.int64)
    return _Column(
        bank=bank,
        parameter="trim",
        edge=none,
        source=none,
        destination=np.arange(1, spec.nodes.count + 1),
        cell=none,
        requested=requested.trims[bank],
        target=target.trims[bank],
        actual=scale.value(codes) * known.trim_gain,
        lsb=scale.lsb * known.trim_gain,
        clipped=np.abs(nominal - scale.value(codes)) > _HALF * scale.lsb,
        codes=codes,
    )


def _report(columns: list[_Column]) -> QuantisationReport:
    def joined(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(column, name) for column in columns])

    sizes = [len(column.codes) for column in columns]
    return QuantisationReport(
        bank=np.repeat([column.bank for column in columns], sizes),
        parameter=np.repeat([column.parameter for column in columns], sizes),
        edge=joined("edge"),
        source=joined("source"),
        destination=joined("destination"),
        cell=joined("cell"),
        requested=joined("requested"),
        target=joined("target"),
        actual=joined("actual"),
        lsb=joined("lsb"),
        clipped=joined("clipped"),
    )


_CURE = {
    "gain": "rescale with --seconds-per-unit or train with the board's bounds",
    "threshold": "rescale with --volts-per-unit or train with the board's bounds",
    "trim": "compile with fewer edges at the node, or onto other cells",
}


def _out_of_range(report: QuantisationReport, spec: BoardSpec, known: KnownBoard) -> DesignError:
    count = int(report.clipped.sum())
    excess = np.where(report.clipped, np.abs(report.rounding_lsb), 0.0)
    row = int(excess.argmax())
    name = str(report.parameter[row])
    unit = (spec.nodes.trim if name == "trim" else spec.group_of(int(report.cell[row])).parameters[name]).unit
    asked, limit = (format_quantity(float(v[row]), unit) for v in (report.target, report.actual))
    side = "above" if report.target[row] > report.actual[row] else "below"
    ends = ["ground" if n == 0 else f"n{n}" for n in (report.source[row], report.destination[row])]
    if name == "trim":
        where, what = f"node {report.destination[row]}", "its trim DAC"
    else:
        where = f"edge {report.edge[row]} ({ends[0]}->{ends[1]})"
        what = f"cell {spec.cells[int(report.cell[row])]}"
    more = f" ({count} values are beyond their range, this one most)" if count > 1 else ""
    cure = _CURE.get(name, "train with the board's bounds")
    return DesignError(
        f"{name} {asked} on {where} in bank {report.bank[row]} is {side} the {limit} of {what} on board "
        f"{spec.name}{more}; {cure}, or accept it with --allow-clipped {count}"
    )
