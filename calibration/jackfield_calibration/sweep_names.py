"""Names of what a sweep can set and read on a bench, and their units."""

import re
from dataclasses import dataclass
from typing import NoReturn

from jackfield.board import BoardSpec, Cell
from jackfield.errors import DesignError

__all__ = ["Named", "parse_read", "parse_set"]

_SETTABLE = (
    "node.N.preset, node.N.trim, cell.A1.PARAMETER, cell.A1.PARAMETER.code, cell.A1.source, cell.A1.destination, "
    "run.duration, run.hold, source.K"
)
_READABLE = "node.N, probe.P.ground, probe.P.reference, meter.reference, board.temperature, scope.clock_ratio"


@dataclass(frozen=True)
class Named:
    """A quantity: its `kind` (node, cell, run, source, probe, meter, board, scope), which one (node or probe number,
    cell index, 0), what of it, and its unit.
    """

    kind: str
    number: int
    what: str
    unit: str


def parse_set(spec: BoardSpec, name: str) -> Named:
    """What a sweep sets under `name`; raises DesignError, listing what there is, where it is nothing."""
    kind, _, rest = name.partition(".")
    if kind == "cell":
        return _cell(spec, name, rest)
    if kind == "node" and (match := re.fullmatch(r"(\d+)\.(preset|trim)", rest)):
        return Named(kind, _within(match[1], spec.nodes.count, name), match[2], "V" if match[2] == "preset" else "A")
    if name in ("run.duration", "run.hold"):
        return Named("run", 0, rest, "s")
    if kind == "source" and rest.isdecimal():
        return Named(kind, int(rest), "volts", "V")
    _unknown(name, "set", _SETTABLE)


def parse_read(spec: BoardSpec, name: str) -> Named:
    """What a sweep reads under `name`; raises DesignError, listing what there is, where it is nothing."""
    kind, _, rest = name.partition(".")
    if kind == "node" and rest.isdecimal():
        return Named(kind, _within(rest, spec.nodes.count, name), "volts", "V")
    if kind == "probe" and (match := re.fullmatch(r"(\d+)\.(ground|reference)", rest)):
        return Named(kind, _within(match[1], spec.probe.count, name), match[2], "V")
    units = {"meter.reference": "V", "board.temperature": "C", "scope.clock_ratio": ""}
    if name in units:
        return Named(kind, 0, rest, units[name])
    _unknown(name, "read", _READABLE)


def _cell(spec: BoardSpec, name: str, rest: str) -> Named:
    cell, _, what = rest.partition(".")
    index = spec.cell_index(Cell.parse(cell))
    scales = spec.group_of(index).parameters
    parameter = what.removesuffix(".code")
    if what in ("source", "destination"):
        return Named("cell", index, what, "")
    if parameter not in scales:
        raise DesignError(
            f"{name!r} is to be set; cell {cell} has {', '.join(scales)} (or one with .code), source, destination"
        )
    return Named("cell", index, what, "" if what.endswith(".code") else scales[parameter].unit)


def _within(text: str, count: int, name: str) -> int:
    if not 1 <= int(text) <= count:
        raise DesignError(f"{name!r} is asked; the board has 1..{count}")
    return int(text)


def _unknown(name: str, verb: str, known: str) -> NoReturn:
    raise DesignError(f"{name!r} is to be {verb}; a sweep can {verb} {known}")
