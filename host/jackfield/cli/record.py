"""`jackfield record`: what a calibration found, and what becomes of it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jackfield.cli.guard import guarded
from jackfield.cli.options import Json, Verbose
from jackfield.cli.output import Output

if TYPE_CHECKING:
    from jackfield.board import CalibrationRecord, Table

__all__ = [
    "DIGITS",
    "QUANTITY_COLUMNS",
    "RecordFolder",
    "failing",
    "load",
    "reasons",
    "refined_text",
    "register",
    "spread_rows",
    "summary",
]

RecordFolder = Annotated[Path, typer.Argument(metavar="NAME.record", help="A record that `jackfield calibrate` wrote.")]
MOST_SHOWN = 20
MOST_NAMED = 6
MOST_QUANTITIES = 2
DIGITS = 16  # of a digest, as shown and as named in a record's history
QUANTITY_COLUMNS = ("quantity", "mean", "spread", "worst residual", "good")


def register(app: typer.Typer) -> None:
    """Add the verb to `app`."""
    from jackfield.cli import record_change

    group = typer.Typer(no_args_is_help=True, help="Show, compare, combine and take back calibration records.")
    group.command("show")(guarded(show))
    for verb in (record_change.diff, record_change.apply, record_change.rollback):
        group.command(verb.__name__)(guarded(verb))
    app.add_typer(group, name="record")


def show(record: RecordFolder, as_json: Json = False, verbose: Verbose = False) -> None:
    """Show a record: where it comes from, its quantities, its failing cells."""
    from jackfield.journal import record_history

    output = Output(as_json)
    loaded = load(record)
    said = [(name, _flat(name, value)) for name, value in loaded.provenance.items()]
    before = record_history(record)
    said += [("held before", ", ".join(before))] if before else []
    output.table(str(record), ("", ""), [("digest", loaded.digest[:DIGITS]), *said])
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
            "digest": loaded.digest,
            "history": list(before),
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


def _flat(name: str, value: object) -> object:
    """A table of provenance on one line."""
    if name == "fingerprint" and isinstance(value, dict):
        return f"of {len(value['cells'])} cells"
    return ", ".join(f"{name} {item}" for name, item in value.items()) if isinstance(value, dict) else value


def refined_text(said: Mapping[str, Any]) -> str:
    """What a record's provenance says of its refinement."""
    off = " instead of ".join(f"{1e3 * said[name]:.2f} mV" for name in ("off_after_V", "off_before_V"))
    return f"the circuit is predicted within {off} on inputs that were kept back"


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
