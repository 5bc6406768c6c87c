"""`jackfield doctor`: is everything here that the stack needs, and if not, what cures it."""

from pathlib import Path

import typer

from jackfield.cli.guard import guarded
from jackfield.cli.options import Json, RunsFolder, Verbose
from jackfield.cli.output import Output

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the verb to `app`."""
    app.command()(guarded(doctor))


def doctor(runs: RunsFolder = Path("runs"), as_json: Json = False, verbose: Verbose = False) -> None:
    """Check this machine for what the stack needs.

    Python, packages, kernel, ngspice, ports, VISA, rights and disk; what is missing comes with its cure.

    Exit status 1 if something that every board needs does not work.
    """
    from jackfield.cli.checks import all_checks

    output = Output(as_json)
    findings = all_checks(runs)
    output.table(
        "",
        ("", "check", "found", "cure"),
        [(finding.mark, finding.name, finding.found, finding.cure) for finding in findings],
    )
    output.result(
        {
            "ok": all(finding.ok or not finding.needed for finding in findings),
            "checks": [finding.__dict__ for finding in findings],
        }
    )
    if any(finding.needed and not finding.ok for finding in findings):
        raise typer.Exit(1)
