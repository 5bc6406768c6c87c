"""`jackfield calibrate`: what this very board is."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jackfield.cli.guard import guarded
from jackfield.cli.options import BenchPath, Json, LogExchange, RunsFolder, Verbose
from jackfield.cli.output import Output

if TYPE_CHECKING:
    from jackfield.bench import Bench
    from jackfield.board import BoardSpec, CalibrationRecord, ConfigImage
    from jackfield.device import AbstractBoard
    from jackfield.journal import Run
    from jackfield_calibration import Plan

__all__ = ["register"]

BYTES_A_READ, BYTES_A_SETTING = 64, 8192  # of readings.sqlite, rounded up


def register(app: typer.Typer) -> None:
    """Add the verb to `app`."""
    app.command()(guarded(calibrate))


def calibrate(
    record: Annotated[Path, typer.Option("-o", "--output", metavar="NAME.record", help="Where the record goes.")],
    bench: BenchPath = "bench.toml",
    image: Annotated[
        Path | None, typer.Option(metavar="NAME.jfi", help="Only the cells that this image uses; else all.")
    ] = None,
    level: Annotated[str, typer.Option(help="cells, or nodes: presets, trims, leaks and offsets only.")] = "cells",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the settings that are measured.")] = 0,
    resume: Annotated[Path | None, typer.Option(metavar="RUN", help="Go on with this run folder.")] = None,
    runs: RunsFolder = Path("runs"),
    log_exchange: LogExchange = False,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Calibrate a board and write its record.

    Prints the planned reads first. Every reading is on disk before it is used: after an interruption,
    --resume goes on where it ended.
    """
    from jackfield.cli.files import vacant
    from jackfield.cli.live import live_view
    from jackfield.journal import save_record
    from jackfield_calibration import calibrate as measure

    output = Output(as_json)
    vacant(record, "a record")
    with _opened(bench, image, {"level": level, "seed": seed}, resume, runs, log_exchange) as (opened, run, used, plan):
        output.say(f"board {run.details['board_id']}, run folder {run.folder}\n{plan}")
        with _resumable(output, run), live_view(output, "calibrating") as view:
            found = measure(
                opened,
                opened.spec,
                run,
                seed=seed,
                image=used,
                level=level,
                provenance=_provenance(run.details),
                observer=view,
            )
            save_record(found, record)
        folder = run.folder
    _print(output, found, record, folder)


@contextmanager
def _opened(
    where: str, image: Path | None, asked: dict[str, Any], resume: Path | None, runs: Path, log_exchange: bool
) -> "Iterator[tuple[Bench[AbstractBoard], Run, ConfigImage | None, Plan]]":
    """Bench, run folder, image and plan. To log the exchange too the board is asked who it is beforehand."""
    from jackfield.session import open_bench
    from jackfield_calibration import make_plan

    with open_bench(where) as bench:
        used = _image(image, bench.spec)
        plan = make_plan(bench.spec, image=used, level=asked["level"])
        run = _run(bench, used, asked, plan, resume, runs)
        if not log_exchange:
            with run:
                yield bench, run, used, plan
            return
    with run, open_bench(where, log_folder=run.folder) as bench:
        yield bench, run, used, plan


def _image(image: Path | None, spec: "BoardSpec") -> "ConfigImage | None":
    from jackfield.compile import CompiledCircuit

    return None if image is None else CompiledCircuit.load(image, spec).image


def _run(
    bench: "Bench[AbstractBoard]",
    image: "ConfigImage | None",
    asked: dict[str, Any],
    plan: "Plan",
    resume: Path | None,
    runs: Path,
) -> "Run":
    from jackfield import __version__
    from jackfield.journal import Run

    hello, spec = bench.board.hello, bench.spec
    asked = asked | {"board_id": hello.board_id, "spec_digest": spec.digest}
    asked |= {"image": "" if image is None else image.digest(spec)}
    if resume is not None:
        run = Run.open(resume)
        try:
            run.check_details(asked)
        except BaseException:
            run.close()
            raise
        return run
    temperature = bench.board.status().temperature_C
    details = {name: value for name, value in asked.items() if name != "board_id"}
    details |= {"firmware": hello.firmware, "instruments": "; ".join(bench.identities)}
    details |= {
        "temperature_C": "unknown" if temperature is None else temperature,
        "software": f"jackfield {__version__}",
    }
    needed = plan.reads * BYTES_A_READ + plan.settings * BYTES_A_SETTING
    return Run.create(runs, "calibrate", hello.board_id, details=details, needed_bytes=needed)


def _provenance(details: dict[str, Any]) -> dict[str, Any]:
    """Where the record comes from, as the run folder says: the same whether it was resumed or not."""
    names = ("board_id", "started_utc", "firmware", "instruments", "temperature_C", "software", "image")
    return {name: details[name] for name in names}


@contextmanager
def _resumable(output: Output, run: "Run") -> Iterator[None]:
    try:
        yield
    except BaseException:
        output.warn(f"what was read is kept; go on with the same words and --resume {run.folder}")
        raise


def _print(output: Output, found: "CalibrationRecord", record: Path, folder: Path) -> None:
    from jackfield.cli.record import QUANTITY_COLUMNS, failing, reasons, spread_rows, summary

    output.table("", QUANTITY_COLUMNS, spread_rows(found))
    output.table("not good", ("reason", "how many", "for instance", "quantities"), reasons(found))
    reads = found.provenance["reads"]
    output.say(f"{record}: {reads} reads, {found.provenance['reads_per_parameter']:.1f} a parameter")
    output.result(
        {
            "record": record,
            "run": folder,
            "board_id": found.provenance["board_id"],
            "planned_reads": found.provenance["planned_reads"],
            "reads": reads,
            "quantities": {name: summary(table) for name, table in found.tables.items()},
            "failing": len(failing(found)),
        }
    )
