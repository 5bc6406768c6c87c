"""Spreadsheets of `jackfield run`: inputs in, node voltages out, the unit in each column's header."""

import csv
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jackfield.cli.files import existing, writing
from jackfield.errors import DesignError
from jackfield.units import parse_quantity

__all__ = ["read_inputs", "write_outputs"]

Floats = NDArray[np.float64]


def read_inputs(path: Path, nodes: Sequence[int], volts_per_unit: float) -> Floats:
    """Inputs `[row, input node]` in machine units, in the order of `nodes`.

    Columns are headed `n3 (V)`, `n3 (mV)` in volts or `n3` in the model's own units; a file without header
    holds the model's units, one column an input node. Raises DesignError naming line and column.
    """
    existing(path, "a CSV file with one input a line, columns headed like 'n3 (V)'")
    try:
        rows = [row for row in csv.reader(path.read_text(encoding="utf-8-sig").splitlines()) if row]
    except (csv.Error, UnicodeDecodeError) as error:
        raise DesignError(f"{path} is not a CSV file: {error}; save the sheet as CSV in UTF-8") from error
    if not rows:
        raise DesignError(f"{path} is empty; give one input a line")
    headed = re.match(r"\s*n\d", rows[0][0]) is not None
    columns = _columns(path, rows[0], nodes, volts_per_unit) if headed else [(i, 1.0) for i in range(len(nodes))]
    body = rows[1:] if headed else rows
    if not body:
        raise DesignError(f"{path} has a header and no inputs; give one input a line")
    table = np.array([_numbers(path, row, line, len(rows[0])) for line, row in enumerate(body, 1 + headed)])
    if not headed and table.shape[1] != len(nodes):
        raise DesignError(
            f"{path} has {table.shape[1]} columns, the image takes {len(nodes)} inputs; "
            "give one column an input node, or head the columns with their nodes"
        )
    return np.stack([table[:, place] * factor for place, factor in columns], axis=1)


def _columns(path: Path, header: list[str], nodes: Sequence[int], volts_per_unit: float) -> list[tuple[int, float]]:
    """For each of `nodes` its column and the factor to machine units."""
    found = {}
    for place, text in enumerate(header):
        match = re.fullmatch(r"\s*n(\d+)\s*(?:\((.*)\))?\s*", text)
        if match is None:
            raise DesignError(f"{path} heads a column {text!r}; write the node and its unit, like 'n3 (V)'")
        unit = match.group(2)
        found[int(match.group(1))] = (place, parse_quantity(f"1 {unit}", "V") / volts_per_unit if unit else 1.0)
    if len(found) != len(header):
        raise DesignError(f"{path} heads two columns with the same node; the image takes {_named(nodes)}")
    missing = [node for node in nodes if node not in found]
    unknown = [node for node in found if node not in set(nodes)]
    if missing or unknown:
        what = f"has no column for n{missing[0]}" if missing else f"has column n{unknown[0]}, which is no input"
        raise DesignError(f"{path} {what}; the image takes {_named(nodes)}")
    return [found[node] for node in nodes]


def _named(nodes: Sequence[int]) -> str:
    names = [f"n{node}" for node in nodes]
    return ", ".join(names if len(names) < 9 else [*names[:4], "...", names[-1]])


def _numbers(path: Path, row: list[str], line: int, width: int) -> list[float]:
    if len(row) != width:
        raise DesignError(f"{path}, line {line}: {len(row)} values where the first line has {width}; correct the file")
    try:
        values = [float(text) for text in row]
    except ValueError as error:
        raise DesignError(f"{path}, line {line}: {error}; write plain numbers and the unit in the header") from error
    if not np.all(np.isfinite(values)):
        raise DesignError(f"{path}, line {line}: a value is not finite; correct the file")
    return values


def write_outputs(path: Path, nodes: Sequence[int], volts: Floats, se_V: Floats, flags: Sequence[str]) -> None:
    """One line an input: volts and standard errors `[input, node]`, then what is wrong with it ("ok" if nothing)."""
    header = ["input", *(f"n{node} (V)" for node in nodes), *(f"n{node} se (V)" for node in nodes), "flag"]
    with writing(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        for row, flag in enumerate(flags):
            writer.writerow([row + 1, *(f"{value:.6f}" for value in (*volts[row], *se_V[row])), flag])
