"""`jackfield measure`: sweep anything on the bench over a grid."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jackfield.cli.guard import guarded
from jackfield.cli.options import BenchPath, Json, LogExchange, RunsFolder, Verbose
from jackfield.cli.output import Output

if TYPE_CHECKING:
    from jackfield.bench import Bench
    from jackfield.device import AbstractBoard
    from jackfield.journal import Run
    from jackfield_calibration import BoardTarget, SweepPlan, SweepResult

__all__ = ["register"]

BYTES_A_READING = 1024  # of readings.sqlite, rounded up


def register(app: typer.Typer) -> None:
    """Add the verb to `app`."""
    app.command()(guarded(measure))


def measure(
    plan: Annotated[Path, typer.Option(metavar="PLAN.toml", help="What stays, what varies, what is read.")],
    table: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="Y.csv", help="A copy of the table, one line a reading.")
    ] = None,
    bench: BenchPath = "bench.toml",
    resume: Annotated[Path | None, typer.Option(metavar="RUN", help="Go on with this run folder.")] = None,
    runs: RunsFolder = Path("runs"),
    log_exchange: LogExchange = False,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Read board and instruments at every point of a grid.

    The plan is checked as a whole before the first reading. Every reading is on disk before the next is taken; the
    run folder gets sweep.csv and sweep.png at the end.
    """
    from jackfield.cli.files import existing, writable, writing
    from jackfield_calibration import sweep

    output = Output(as_json)
    text = existing(plan, "a plan; calibration/README.md has one").read_text(encoding="utf-8")
    if table is not None:
        writable(table)
    with _opened(bench, (text, plan.parent), resume, runs, log_exchange) as (run, found, target):
        output.say(f"{found.readings} readings, run folder {run.folder}")
        try:
            with output.progress("measuring") as advance:
                result = sweep(run, found.axes, target, repeat=found.repeat, advance=advance)
        except BaseException:
            output.warn(f"what was read is kept; go on with the same words and --resume {run.folder}")
            raise
        for place in [run.folder / "sweep.csv", *([] if table is None else [table])]:
            with writing(place) as part:
                part.write_text(result.to_csv(), encoding="utf-8")
        _draw(result, run.folder / "sweep.png")
    output.say(f"{run.folder / 'sweep.csv'}, {run.folder / 'sweep.png'}")
    columns = dict(zip(result.header, [*result.points.T, *result.values.T], strict=True))
    output.result({"run": run.folder, "readings": len(result.values), "columns": columns})


@contextmanager
def _opened(
    where: str, plan: tuple[str, Path], resume: Path | None, runs: Path, log_exchange: bool
) -> "Iterator[tuple[Run, SweepPlan, BoardTarget]]":
    """Run folder, plan (its text, the folder that it names files in) and target, on the bench at `where`."""
    from jackfield.session import open_bench

    with open_bench(where) as bench:
        found, target = _prepared(bench, *plan)
        run = _run(bench, found, plan[0], resume, runs)
        if not log_exchange:
            with run:
                yield run, found, target
            return
    with run, open_bench(where, log_folder=run.folder) as bench:
        yield run, *_prepared(bench, *plan)


def _prepared(bench: "Bench[AbstractBoard]", text: str, beside: Path) -> "tuple[SweepPlan, BoardTarget]":
    """The plan in `text` and what it sets and reads; every value checked."""
    from jackfield.compile import CompiledCircuit
    from jackfield_calibration import BoardTarget, SweepPlan, parse_set

    plan = SweepPlan.from_toml(text, lambda name: parse_set(bench.spec, name).unit)
    compiled = CompiledCircuit.load(beside / plan.image, bench.spec) if plan.image else None
    image, steps = (None, ()) if compiled is None else (compiled.image, compiled.program.steps)
    target = BoardTarget(bench, plan.fixed, plan.read, image, steps)
    target.check(plan.axes)
    return plan, target


def _run(bench: "Bench[AbstractBoard]", plan: "SweepPlan", text: str, resume: Path | None, runs: Path) -> "Run":
    import hashlib

    from jackfield.journal import Run

    hello, needed = bench.board.hello, plan.readings * BYTES_A_READING
    asked = {"plan": hashlib.sha256(text.encode()).hexdigest(), "spec_digest": bench.spec.digest}
    if resume is None:
        details = asked | {"instruments": "; ".join(bench.identities), "firmware": hello.firmware}
        return Run.create(runs, "measure", hello.board_id, details=details, needed_bytes=needed)
    run = Run.open(resume, needed_bytes=needed)
    try:
        run.check_details(asked | {"board_id": hello.board_id})
    except BaseException:
        run.close()
        raise
    return run


def _draw(result: "SweepResult", place: Path) -> None:
    from jackfield.cli.files import writing
    from jackfield.report import Sweep, sweep_picture

    shown = [i for i, (name, _) in enumerate(result.columns) if not name.endswith((" se", " flag"))]
    content = Sweep(
        tuple((axis.name, axis.unit) for axis in result.axes),
        tuple(result.columns[i] for i in shown),
        result.points,
        result.values[:, shown],
    )
    with writing(place) as part:
        part.write_bytes(sweep_picture(content))
