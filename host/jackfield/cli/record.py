"""`jackfield record`: what a calibration found."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jackfield.cli.guard import guarded
from jackfield.cli.options import Json, Verbose
from jackfield.cli.output import Output

if TYPE_CHECKING:
    from jackfield.board import CalibrationRecord, Table

__all__ = ["QUANTITY_COLUMNS", "failing", "load", "reasons", "register", "spread_rows", "summary"]

RecordFolder = Annotated[Path, typer.Argument(metavar="NAME.record", help="A record that `jackfield calibrate` wrote.")]
MOST_SHOWN = 20
MOST_NAMED = 6
MOST_QUANTITIES = 2
QUANTITY_COLUMNS = ("quantity", "mean", "spread", "worst residual", "good")


def register(app: typer.Typer) -> None:
    """Add the verb to `app`."""
    group = typer.Typer(no_args_is_help=True, help="Show a calibration record.")
    group.callback()(lambda: None)  # keeps `show` a word of its own while it is the only one
    group.command("show")(guarded(show))
    app.add_typer(group, name="record")


def show(record: RecordFolder, as_json: Json = False, verbose: Verbose = False) -> None:
    """Show a record: where it comes from, its quantities, its failing cells."""
    output = Output(as_json)
    loaded = load(record)
    output.table(str(record), ("", ""), [(name, _flat(value)) for name, value in loaded.provenance.items()])
    output.table("quantities", QUANTITY_COLUMNS, spread_rows(loaded))
    bad = failing(loaded)
    rows = _places(bad)
    shown = rows if verbose else rows[:MOST_SHOWN]
    output.table("not good", ("where", "reason", "quantities"), shown)
    if len(shown) < len(rows):
        output.say(f"and {len(rows) - len(shown)} more; --verbose shows all")
    output.result(
        {
            "record": record,
            "provenance": loaded.provenance,
            "quantities": {name: summary(table) for name, table in loaded.tables.items()},
            "failing": [{"quantity": name, "index": index, "reason": reason} for name, index, reason in bad],
        }
    )


def load(path: Path) -> "CalibrationRecord":
    """The record in folder `path`; CalibrationError where it is none."""
    from jackfield.board import CalibrationRecord
    from jackfield.journal import load_record

    return CalibrationRecord.from_files(load_record(path))


def spread_rows(record: "CalibrationRecord") -> list[tuple[object, ...]]:
    """A line a quantity: name, mean, standard deviation, largest residual, how many are good of how many."""
    lines: list[tuple[object, ...]] = []
    for name, table in record.tables.items():
        found = summary(table)
        numbers = (_short(found[key]) for key in ("mean", "spread", "worst_residual"))
        lines.append((name, *numbers, f"{found['good']} of {found['rows']}"))
    return lines


def failing(record: "CalibrationRecord") -> list[tuple[str, str, str]]:
    """(quantity, instance, reason) of every row that verification did not find good."""
    return [
        (name, index, reason)
        for name, table in record.tables.items()
        for index, good, reason in zip(table.index, table.good, table.reason, strict=True)
        if not good
    ]


def reasons(record: "CalibrationRecord") -> list[tuple[str, int, str, str]]:
    """(reason, how many, the first few, quantities) of what verification did not find good."""
    where: dict[tuple[str, str], list[str]] = {}
    for name, index, reason in failing(record):
        where.setdefault((name, reason), []).append(index)
    alike: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (name, reason), indices in where.items():
        alike.setdefault((reason, tuple(indices)), []).append(name)
    return [
        (reason, len(indices), _few(indices, MOST_NAMED), _few(names, MOST_QUANTITIES))
        for (reason, indices), names in alike.items()
    ]


def _places(bad: Sequence[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """(instance, reason, quantities): a cell that is not good is so in all of its quantities."""
    found: dict[tuple[str, str], list[str]] = {}
    for name, index, reason in bad:
        found.setdefault((index, reason), []).append(name)
    return [(*place, _few(names, MOST_QUANTITIES)) for place, names in found.items()]


def _few(words: Sequence[str], most: int) -> str:
    more = f" and {len(words) - most} more" if len(words) > most else ""
    return ", ".join(words[:most]) + more


def _flat(value: object) -> object:
    """A table of provenance on one line."""
    return ", ".join(f"{name} {item}" for name, item in value.items()) if isinstance(value, dict) else value


def summary(table: "Table") -> dict[str, Any]:
    """What a table holds in numbers, for `--json`."""
    import numpy as np

    value, residual = table.value[np.isfinite(table.value)], table.residual[table.good & np.isfinite(table.residual)]
    return {
        "rows": len(table.index),
        "good": int(table.good.sum()),
        "mean": float(value.mean()) if value.size else None,
        "spread": float(value.std()) if value.size else None,
        "worst_residual": float(np.abs(residual).max(initial=0.0)),
        "reads": int(table.reads.sum()),
    }


def _short(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
