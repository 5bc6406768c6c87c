"""Records beside each other: what differs, and one made of parts of two."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jackfield.board import CalibrationRecord, Table
from jackfield.errors import CalibrationError
from jackfield_calibration.sentinel import AIMED_BY, AIMED_BY_NODES, TABLE

__all__ = ["TableDifference", "compare", "merged"]

Floats = NDArray[np.float64]

_COLUMNS = ("value", "residual", "se", "reads", "good")


@dataclass(frozen=True)
class TableDifference:
    """One quantity in two records: rows that both have `[row]`, the `shift` from first to second, and `z`, the shift
    over the joint standard error (NaN where there is none). `only_first`, `only_second`: rows of one alone;
    `turned`: rows whose verdict is another, with both reasons.
    """

    name: str
    index: tuple[str, ...]
    shift: Floats
    z: Floats
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    turned: Mapping[str, tuple[str, str]]


def compare(first: CalibrationRecord, second: CalibrationRecord) -> list[TableDifference]:
    """Quantity by quantity, in the first record's order, then those of the second alone."""
    names = [*first.tables, *(name for name in second.tables if name not in first.tables)]
    return [_difference(name, first.tables.get(name), second.tables.get(name)) for name in names]


def _difference(name: str, first: Table | None, second: Table | None) -> TableDifference:
    rows, others = ({} if table is None else _rows(table) for table in (first, second))
    index = tuple(key for key in rows if key in others)
    alone = tuple(key for key in rows if key not in others), tuple(key for key in others if key not in rows)
    if first is None or second is None:
        return TableDifference(name, (), np.zeros(0), np.zeros(0), *alone, {})
    one, two = np.array([rows[key] for key in index], dtype=int), np.array([others[key] for key in index], dtype=int)
    shift, joint = second.value[two] - first.value[one], np.hypot(first.se[one], second.se[two])
    known = np.isfinite(joint) & (joint > 0)
    z = np.where(known, shift, np.nan) / np.where(known, joint, 1.0)
    reasons = {key: (first.reason[rows[key]], second.reason[others[key]]) for key in index}
    turned = {key: pair for key, pair in reasons.items() if pair[0] != pair[1]}
    return TableDifference(name, index, shift, z, *alone, turned)


def _rows(table: Table) -> dict[str, int]:
    return {key: row for row, key in enumerate(table.index)}


def merged(
    base: CalibrationRecord,
    new: CalibrationRecord,
    *,
    tables: Collection[str] = (),
    rows: Collection[str] = (),
) -> CalibrationRecord:
    """`base` with the rows of `new`: all, or those of some `tables` (quantities) and `rows` (cells, nodes, probes).

    All of `new` takes its provenance too; a part leaves that of `base` and notes what was applied. `parent` is the
    digest of `base`. Sentinels stay only where all that aims them comes from one record.
    Raises CalibrationError where the records are not of one board and spec, or a name is in neither.
    """
    _check_pair(base, new)
    _check_names(new, tables, rows)
    found = dict(base.tables)
    for name in tables or new.tables:
        found[name] = _replaced(found.get(name), new.tables[name], rows)
    if (tables or rows) and TABLE in found:
        found[TABLE] = _without(found[TABLE], _misaimed(base, new, tables, rows))
    order = [name for name in new.tables if name not in base.tables]
    provenance = _provenance(base, new, tables, rows)
    return CalibrationRecord(provenance, {name: found[name] for name in [*base.tables, *order] if name in found})


def _misaimed(
    base: CalibrationRecord, new: CalibrationRecord, tables: Collection[str], rows: Collection[str]
) -> set[str]:
    """Cells whose sentinel would be set by one record and compared with a reading that was set by the other."""
    everything = {TABLE, *AIMED_BY, *AIMED_BY_NODES}
    taken = set(tables or new.tables) & everything
    differing = [name for name in AIMED_BY_NODES if _text(base, name) != _text(new, name)]
    if not taken or (not rows and taken == everything):
        return set()
    if differing and set(differing) & taken and (not rows or set(rows) & set(new.tables[differing[0]].index)):
        return set(base.tables[TABLE].index) | set(new.tables[TABLE].index if TABLE in new.tables else ())
    touched = {key for name in taken & {TABLE, *AIMED_BY} for key in new.tables[name].index}
    touched = touched & set(rows) if rows else touched
    return touched if differing or not {TABLE, *AIMED_BY} <= taken else set()


def _text(record: CalibrationRecord, name: str) -> str:
    return record.tables[name].to_csv() if name in record.tables else ""


def _check_pair(base: CalibrationRecord, new: CalibrationRecord) -> None:
    for key, what in (("board_id", "board"), ("spec_digest", "spec")):
        one, other = base.provenance[key], new.provenance[key]
        if one != other:
            raise CalibrationError(
                f"the records are of {what} {one[:16]} and {what} {other[:16]}; only records of one board go together"
            )


def _check_names(new: CalibrationRecord, tables: Collection[str], rows: Collection[str]) -> None:
    unknown = [name for name in tables if name not in new.tables]
    if unknown:
        raise CalibrationError(f"the record has no table {unknown[0]}; it has {', '.join(new.tables)}")
    known = {key for name in tables or new.tables for key in new.tables[name].index}
    missing = [key for key in rows if key not in known]
    if missing:
        raise CalibrationError(
            f"the record has no row {missing[0]!r} in the tables asked; name cells like A17, nodes like 3"
        )


def _provenance(
    base: CalibrationRecord, new: CalibrationRecord, tables: Collection[str], rows: Collection[str]
) -> dict[str, Any]:
    if not tables and not rows:
        return {**new.provenance, "parent": base.digest}
    applied = {"record": new.digest, "tables": sorted(tables), "rows": sorted(rows, key=_natural)}
    if "started_utc" in new.provenance:
        applied["started_utc"] = new.provenance["started_utc"]
    return {**base.provenance, "parent": base.digest, "applied": applied}


def _replaced(base: Table | None, new: Table, rows: Collection[str]) -> Table:
    """`base` with the rows of `new` (only `rows` of them, if any are named), sorted."""
    taken = {key: (new, row) for key, row in _rows(new).items() if not rows or key in rows}
    kept = {} if base is None else {key: (base, row) for key, row in _rows(base).items()}
    return _table({**kept, **taken})


def _without(table: Table, dropped: Collection[str]) -> Table:
    return _table({key: (table, row) for key, row in _rows(table).items() if key not in dropped})


def _table(places: Mapping[str, tuple[Table, int]]) -> Table:
    index = sorted(places, key=_natural)
    columns: dict[str, NDArray[Any]] = {
        name: np.array([getattr(places[key][0], name)[places[key][1]] for key in index], dtype=kind)
        for name, kind in zip(_COLUMNS, (float, float, float, np.int64, np.bool_), strict=True)
    }
    return Table(tuple(index), reason=tuple(places[key][0].reason[places[key][1]] for key in index), **columns)


def _natural(key: str) -> tuple[str, int]:
    """A2 before A10, 2 before 10."""
    match = re.fullmatch(r"(\D*)(\d*)", key)
    return (match.group(1), int(match.group(2) or 0)) if match else (key, 0)
