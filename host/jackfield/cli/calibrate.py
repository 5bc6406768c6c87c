"""`jackfield calibrate`: what this very board is."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jackfield.cli.guard import guarded
from jackfield.cli.options import BenchPath, Json, LogExchange, RunsFolder, Verbose
from jackfield.cli.output import Output

if TYPE_CHECKING:
    from jackfield.board import BoardSpec, CalibrationRecord
    from jackfield.cli.live import LiveView
    from jackfield.journal import Run
    from jackfield_calibration import Plan

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the verb to `app`."""
    app.command()(guarded(calibrate))


def calibrate(
    record: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="NAME.record",
            help="Where the record goes; with --update and --refine it may be left out: the record itself is changed.",
        ),
    ] = None,
    bench: BenchPath = "bench.toml",
    image: Annotated[
        Path | None, typer.Option(metavar="NAME.jfi", help="Only the cells that this image uses; else all.")
    ] = None,
    level: Annotated[str, typer.Option(help="cells, or nodes: presets, trims, leaks and offsets only.")] = "cells",
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Only this part (presets, droop, trims, offsets, cells) or cell (A17), as often as needed, and what "
            "it relies on.",
        ),
    ] = None,
    update: Annotated[
        Path | None,
        typer.Option(metavar="NAME.record", help="Bring this record up to date: measure again only what has moved."),
    ] = None,
    refine: Annotated[
        Path | None,
        typer.Option(
            metavar="NAME.record",
            help="Correct this record by what the whole circuit of --image does on the board.",
        ),
    ] = None,
    inputs: Annotated[
        Path | None,
        typer.Option(
            "--input",
            metavar="X.csv",
            help="With --refine: inputs to play, as for `jackfield run`; else random presets.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the settings that are measured.")] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and end; nothing is connected.")] = False,
    resume: Annotated[Path | None, typer.Option(metavar="RUN", help="Go on with this run folder.")] = None,
    runs: RunsFolder = Path("runs"),
    log_exchange: LogExchange = False,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Calibrate a board and write its record.

    Prints the planned reads and the time on the bench first. Every reading is on disk before it is used: after an
    interruption, --resume goes on where it ended.
    """
    from jackfield.cli.calibration_run import Asked, Refinement, opened, planned_for, recorded
    from jackfield.cli.live import live_view
    from jackfield.cli.record import load
    from jackfield.journal import replace_record, save_record

    output = Output(as_json)
    _check_words(update, refine, image, inputs)
    place = update or refine
    base = None if place is None else load(place)
    asked = Asked(level, seed, image, base, tuple(only or ()), Refinement(inputs) if refine else None)
    if dry_run:
        _print_plan(output, planned_for(bench, asked))
        return
    _check_place(record, place)
    with opened(bench, asked, resume, runs, log_exchange) as (connected, run, plan):
        output.say(f"board {run.details['board_id']}, run folder {run.folder}\n{plan}")
        with _resumable(output, run), live_view(output, "calibrating") as view:
            found = recorded(connected, run, asked, view)
            if record is not None:
                save_record(found, record)
            elif place is not None and base is not None:
                replace_record(place, base, found)
        _write_report(run.folder / "report.html", found, connected.spec, plan, view)
        folder = run.folder
    _print(output, found, record or place, folder)
    output.say(f"report: {folder / 'report.html'}")


def _write_report(place: Path, found: "CalibrationRecord", spec: "BoardSpec", plan: "Plan", view: "LiveView") -> None:
    from jackfield.cli.calibration_report import calibration_content
    from jackfield.cli.files import writing
    from jackfield.report import render_calibration

    with writing(place) as part:
        part.write_text(render_calibration(calibration_content(found, spec, plan, view)), encoding="utf-8")


def _check_words(update: Path | None, refine: Path | None, image: Path | None, inputs: Path | None) -> None:
    from jackfield.errors import DesignError

    if update is not None and refine is not None:
        raise DesignError("--update and --refine are asked at once; bring the record up to date first, then refine it")
    if refine is not None and image is None:
        raise DesignError("--refine asks for the circuit that is to run; name it with --image NAME.jfi")
    if inputs is not None and refine is None:
        raise DesignError("--input says what --refine plays; give --refine NAME.record too, or leave it out")


def _check_place(record: Path | None, base: Path | None) -> None:
    from jackfield.cli.files import vacant
    from jackfield.errors import DesignError

    if record is not None:
        vacant(record, "a record")
    elif base is None:
        raise DesignError("no place for the record is given; name one with -o NAME.record")


@contextmanager
def _resumable(output: Output, run: "Run") -> Iterator[None]:
    try:
        yield
    except BaseException:
        output.warn(f"what was read is kept; go on with the same words and --resume {run.folder}")
        raise


def _print_plan(output: Output, plan: "Plan") -> None:
    output.say(str(plan))
    output.result(
        {
            "steps": [step.__dict__ for step in plan.steps],
            "settings": plan.settings,
            "reads": plan.reads,
            "reads_per_parameter": plan.reads_per_parameter,
            "board_s": plan.board_s,
            "bench_s": plan.bench_s,
        }
    )


def _print(output: Output, found: "CalibrationRecord", record: Path | None, folder: Path) -> None:
    from jackfield.cli.record import QUANTITY_COLUMNS, failing, reasons, refined_text, spread_rows, summary

    output.table("", QUANTITY_COLUMNS, spread_rows(found))
    output.table("not good", ("reason", "how many", "for instance", "quantities"), reasons(found))
    reads, update = found.provenance["reads"], found.provenance.get("update")
    refined = found.provenance.get("refined")
    if refined is not None:
        output.say(f"{record}: {refined_text(refined)}; {reads} reads")
    elif update is None:
        output.say(f"{record}: {reads} reads, {found.provenance['reads_per_parameter']:.1f} a parameter")
    else:
        moved = ", ".join(update["moved"]) or "nothing"
        output.say(f"{record}: {update['sentinels']} cells looked at, moved: {moved}; {reads} reads")
    if "relies_on" in found.provenance:
        output.say(f"only {', '.join(found.provenance['only'])}; relies on {', '.join(found.provenance['relies_on'])}")
    output.result(
        {
            "record": record,
            "run": folder,
            "board_id": found.provenance["board_id"],
            "planned_reads": found.provenance["planned_reads"],
            "reads": reads,
            "moved": None if update is None else update["moved"],
            "refined": refined,
            "quantities": {name: summary(table) for name, table in found.tables.items()},
            "failing": len(failing(found)),
        }
    )
