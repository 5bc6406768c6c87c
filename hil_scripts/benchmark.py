"""Runs one benchmark: `python hil_scripts/benchmark.py SUBJECT [--part PART] [--json] [--quick]`.

A subject is a file of hil_scripts/benchmarks/ with a function `parts(quick)`: its parts by name, each of which measures
some rows when it is called. Exit status 1 if a row does not hold, 2 where there is no such subject or part.
"""

import argparse
import importlib
import json
import os
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
COLUMNS = ("name", "workload", "against", "ours", "theirs", "unit", "ratio", "error", "asked", "holds")


def subjects() -> list[str]:
    """Names of all subjects."""
    return sorted(path.stem for path in (HERE / "benchmarks").glob("[a-z]*.py"))


def main() -> int:
    """Parse, run, print; the exit status."""
    parser = argparse.ArgumentParser(description="Run one benchmark.", epilog=f"Subjects: {', '.join(subjects())}")
    parser.add_argument("subject")
    parser.add_argument("--part", action="append", help="only this part, as often as needed; `--part ?` names them")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.add_argument("--quick", action="store_true", help="a smaller workload")
    asked = parser.parse_args()
    if asked.subject not in subjects():
        parser.error(f"no benchmark is called {asked.subject!r}; there are {', '.join(subjects())}")
    os.environ.setdefault("GOMP_SPINCOUNT", "100")  # as the program `jackfield` does, for all sides alike
    sys.path.insert(0, str(HERE))
    parts = importlib.import_module(f"benchmarks.{asked.subject}").parts(asked.quick)
    unknown = [name for name in asked.part or () if name not in parts]
    if unknown:
        parser.error(f"{asked.subject} has no part {unknown[0]!r}; there are {', '.join(parts)}")
    rows = []
    for name in asked.part or parts:
        begin = time.monotonic()
        found = list(parts[name]())
        rows += found
        if not asked.json:
            _print(found)
        sys.stderr.write(f"{asked.subject}, {name}: {len(found)} rows in {time.monotonic() - begin:.0f} s\n")
    if asked.json:
        sys.stdout.write(json.dumps({"subject": asked.subject, "quick": asked.quick, "rows": rows}) + "\n")
    return 0 if all(row["holds"] for row in rows) else 1


def _print(rows: list[dict[str, object]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(*COLUMNS)
    for row in rows:
        table.add_row(*(_short(row[column]) for column in COLUMNS))
    Console(width=None if sys.stdout.isatty() else 200).print(table)


def _short(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.exit(main())
