"""`jackfield demo`: handwritten digits on an emulated board, from training to a calibrated answer."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jackfield.cli.guard import guarded
from jackfield.cli.options import Json, RunsFolder, Verbose
from jackfield.cli.output import Output

if TYPE_CHECKING:
    from jackfield.cli.demo_run import DemoResult

__all__ = ["register"]

BOARD = "jf96"


class Profile(StrEnum):
    """Statistics of the emulated board."""

    IDEAL = "ideal"
    MODULES = "modules"
    CMOS = "cmos"
    ROUGH = "rough"


def register(app: typer.Typer) -> None:
    """Add the verb to `app`."""
    app.command()(guarded(demo))


def demo(
    profile: Annotated[Profile, typer.Option(help="How rough the emulated board is.")] = Profile.CMOS,
    seed: Annotated[int, typer.Option(min=0, help="Which board of that profile.")] = 0,
    quick: Annotated[bool, typer.Option("--quick", help="Train shorter and ask fewer digits.")] = False,
    runs: RunsFolder = Path("runs"),
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Train, upload, run raw, calibrate, run again; one HTML report at the end.

    Everything passes through a real serial port and real instrument drivers; only the board is emulated.
    """
    import tempfile
    import time

    from jackfield.cli.demo_run import run_on_bench, trained, true_defects
    from jackfield.cli.files import creatable
    from jackfield.data import digits_split
    from jackfield.journal import Run
    from jackfield.session import load_spec, open_bench

    started = time.monotonic()
    output = Output(as_json)
    creatable(runs / "demo")
    spec, data = load_spec(BOARD), digits_split()
    checkpoint = trained(spec, data, quick, output)
    with tempfile.TemporaryDirectory(prefix="jackfield-") as folder:
        truth = Path(folder) / "truth.json"
        url = f"emulator://{BOARD}?profile={profile.value}&seed={seed}&truth={truth}"
        with open_bench(url) as bench, Run.create(runs, "demo", bench.board.hello.board_id) as run:
            result = run_on_bench(bench, checkpoint, data, run, seed=seed, quick=quick, output=output)
            report = run.folder / "report.html"
        from jackfield.cli.demo_report import cell_score, demo_content, used_cells
        from jackfield.cli.files import writing
        from jackfield.report import render

        with writing(report) as part:
            part.write_text(render(demo_content(result, spec, profile.value, seed)), encoding="utf-8")
        cells = cell_score(result.record, spec, used_cells(result), true_defects(truth))
    _print(output, result, cells, report, time.monotonic() - started)


def _print(output: Output, result: "DemoResult", cells: dict[str, int], report: Path, seconds: float) -> None:
    raw, calibrated = (answers.error_rms_V(result.wanted_V) for answers in (result.raw_answers, result.answers))
    rows = [
        (rung.rung, f"{100 * rung.accuracy:.1f} %", "{:.1f} to {:.1f} %".format(*(100 * end for end in rung.interval)))
        for rung in result.rungs
    ]
    output.table("", ("rung", "right", "95 % interval"), rows)
    output.say(f"output error {1e3 * raw:.1f} mV raw, {1e3 * calibrated:.1f} mV calibrated")
    output.say(f"measured minus predicted: {result.mean_abs_z:.2f} standard errors on average")
    output.say(
        f"{cells['bad_found']} of {cells['bad_true']} bad cells found among {cells['used']}, "
        f"{cells['healthy_refused']} healthy ones refused"
    )
    output.say(f"report: {report}")
    output.result(
        {
            "ladder": [rung.to_dict() for rung in result.rungs],
            "output_error_rms_V": {"raw": raw, "calibrated": calibrated},
            "measured_minus_predicted_se": result.mean_abs_z,
            "cells": cells,
            "upload": {
                "bytes": result.upload.bytes,
                "seconds": result.upload.seconds,
                "verified": result.upload.verified,
            },
            "report": report,
            "seconds": seconds,
        }
    )
