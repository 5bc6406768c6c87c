"""`jackfield record diff|apply|rollback`: records beside each other, one taking from another, and back."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jackfield.cli.options import Json, Verbose
from jackfield.cli.output import Output

if TYPE_CHECKING:
    from jackfield.board import CalibrationRecord
    from jackfield_calibration import TableDifference

__all__ = ["apply", "diff", "rollback"]

First = Annotated[Path, typer.Argument(metavar="FIRST.record", help="A record.")]
Second = Annotated[Path, typer.Argument(metavar="SECOND.record", help="The record to compare it with.")]
New = Annotated[Path, typer.Argument(metavar="NEW.record", help="The record to take from.")]
Changed = Annotated[Path, typer.Argument(metavar="BOARD.record", help="The record that is changed.")]
Only = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="Only this table (gain_scale) or row (A17, 3); give it as often as needed."),
]
MOST_SHOWN = 10
FAR = 5.0  # standard errors


def diff(first: First, second: Second, as_json: Json = False, verbose: Verbose = False) -> None:
    """Compare two records, quantity by quantity.

    Shifts are second minus first; `in se` counts them in their joint standard errors.
    """
    from jackfield.cli.record import load
    from jackfield_calibration import compare

    output = Output(as_json)
    one, two = load(first), load(second)
    found = compare(one, two)
    alike = _likeness(one, two)
    for key in ("board_id", "spec_digest"):
        if one.provenance[key] != two.provenance[key]:
            output.warn(f"{key} is {one.provenance[key]} in {first} and {two.provenance[key]} in {second}")
    output.table("provenance", ("", str(first), str(second)), _provenance_rows(one, two))
    output.table(
        "", ("quantity", "rows", "mean shift", "rms shift", "rms in se", "furthest", "other verdict"), _rows(found)
    )
    moved = _moved(found)
    output.table(f"beyond {FAR:g} standard errors", ("quantity", "row", "shift", "in se"), moved[:MOST_SHOWN])
    if len(moved) > MOST_SHOWN:
        output.say(f"and {len(moved) - MOST_SHOWN} more; --json lists all")
    if alike is not None:
        output.say(f"fingerprints: likeness {alike:.3f}")
    output.result(
        {
            "likeness": alike,
            "quantities": {table.name: _summary(table) for table in found},
            "moved": [{"quantity": name, "index": index, "shift": shift, "z": z} for name, index, shift, z in moved],
        }
    )


def apply(
    new: New,
    record: Changed,
    only: Only = None,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Let a record take what another one of the same board found, all of it or a part.

    What it held before stays in its history: `jackfield record rollback` takes the change back.
    """
    from jackfield.board import QUANTITIES
    from jackfield.cli.record import DIGITS, load
    from jackfield.journal import replace_record
    from jackfield_calibration import merged

    output = Output(as_json)
    base, taken = load(record), load(new)
    names = only or []
    tables, rows = [name for name in names if name in QUANTITIES], [name for name in names if name not in QUANTITIES]
    result = merged(base, taken, tables=tables, rows=rows)
    replace_record(record, base, result)
    output.say(
        f"{record} took {', '.join(names) or 'everything'} from {new}: {result.digest[:DIGITS]}, before that "
        f"{base.digest[:DIGITS]}"
    )
    output.result({"record": record, "digest": result.digest, "parent": base.digest, "tables": tables, "rows": rows})


def rollback(
    record: Changed,
    to: Annotated[
        str, typer.Option(metavar="DIGEST", help="Which of those that it held; its parent if left out.")
    ] = "",
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Let a record hold again what it held before its last change.

    Nothing is lost by it: what it holds now goes into its history, too.
    """
    from jackfield.cli.record import DIGITS, load
    from jackfield.errors import CalibrationError
    from jackfield.journal import record_history, replace_record

    output = Output(as_json)
    now, held = load(record), record_history(record)
    wanted = to or str(now.provenance.get("parent", ""))
    matching = [name for name in held if wanted and (name.startswith(wanted) or wanted.startswith(name))]
    if len(matching) != 1:
        what = f"{wanted[:DIGITS]!r}" if wanted else "no parent"
        raise CalibrationError(
            f"{record} is to go back to {what}, it held {', '.join(held) or 'nothing else'} before; "
            "name one of these with --to"
        )
    before = load(held[matching[0]])
    replace_record(record, now, before)
    output.say(f"{record} holds {before.digest[:DIGITS]} again; --to {now.digest[:DIGITS]} would take that back")
    output.result({"record": record, "digest": before.digest, "undone": now.digest})


def _likeness(one: "CalibrationRecord", two: "CalibrationRecord") -> float | None:
    from jackfield.errors import CalibrationError
    from jackfield_calibration import likeness

    try:
        return likeness(one, two)
    except CalibrationError:  # one has no fingerprint
        return None


def _provenance_rows(one: "CalibrationRecord", two: "CalibrationRecord") -> list[tuple[str, object, object]]:
    names = [*one.provenance, *(name for name in two.provenance if name not in one.provenance)]
    pairs = [(name, one.provenance.get(name, "-"), two.provenance.get(name, "-")) for name in names]
    return [pair for pair in pairs if pair[1] != pair[2] and pair[0] != "fingerprint"]


def _rows(found: "Sequence[TableDifference]") -> list[tuple[object, ...]]:
    lines: list[tuple[object, ...]] = []
    for table in found:
        said = _summary(table)
        numbers = ("-" if said[key] is None else f"{said[key]:.3g}" for key in ("mean", "rms", "rms_z"))
        alone = said["only_first"] + said["only_second"]
        rows = f"{said['rows']}" + (f" and {alone} in one alone" if alone else "")
        lines.append((table.name, rows, *numbers, said["furthest"] or "-", said["turned"]))
    return lines


def _summary(table: "TableDifference") -> dict[str, Any]:
    import numpy as np

    z = table.z[np.isfinite(table.z)]
    furthest = table.index[int(np.nanargmax(np.abs(table.z)))] if z.size else None
    return {
        "rows": len(table.index),
        "mean": float(table.shift.mean()) if table.index else None,
        "rms": float(np.sqrt(np.mean(table.shift**2))) if table.index else None,
        "rms_z": float(np.sqrt(np.mean(z**2))) if z.size else None,
        "furthest": furthest,
        "only_first": len(table.only_first),
        "only_second": len(table.only_second),
        "turned": len(table.turned),
    }


def _moved(found: "Sequence[TableDifference]") -> list[tuple[str, str, float, float]]:
    rows = [
        (table.name, index, float(shift), float(z))
        for table in found
        for index, shift, z in zip(table.index, table.shift, table.z, strict=True)
        if abs(z) > FAR
    ]
    return sorted(rows, key=lambda row: -abs(row[3]))
