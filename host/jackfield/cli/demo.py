"""`jackfield demo`: handwritten digits on an emulated board, from training to a calibrated answer."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jackfield.cli.guard import guarded
from jackfield.cli.options import Json, RunsFolder, Verbose
from jackfield.cli.output import Output

if TYPE_CHECKING:
    from jackfield.cli.demo_phasor import PhasorDemo
    from jackfield.cli.demo_run import DemoResult

__all__ = ["register"]

BOARD = "jf96"


class DemoModel(StrEnum):
    """What is trained."""

    DIGITS = "digits"
    PHASOR = "phasor"


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
    model: Annotated[
        DemoModel, typer.Option(help="A KirchhoffNet for the digits on jf96, or a phasor network on jf-osc64.")
    ] = DemoModel.DIGITS,
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
    if model == DemoModel.PHASOR:
        _phasor(profile, seed, quick, runs, Output(as_json))
    else:
        _digits(profile, seed, quick, runs, Output(as_json))


def _digits(profile: Profile, seed: int, quick: bool, runs: Path, output: Output) -> None:
    import tempfile
    import time

    from jackfield.cli.demo_run import run_on_bench, trained, true_defects
    from jackfield.cli.files import creatable
    from jackfield.data import digits_split
    from jackfield.journal import Run
    from jackfield.session import load_spec, open_bench

    started = time.monotonic()
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


def _phasor(profile: Profile, seed: int, quick: bool, runs: Path, output: Output) -> None:
    import time

    from jackfield.cli.demo_phasor import BOARD as OSCILLATORS
    from jackfield.cli.demo_phasor import network_name, phasor_content, run_phasors, trained_phasors
    from jackfield.cli.files import creatable, writing
    from jackfield.data import digits_split
    from jackfield.errors import DesignError
    from jackfield.journal import Run
    from jackfield.report import render_phasors
    from jackfield.session import load_spec, open_bench

    started = time.monotonic()
    creatable(runs / "demo")
    known = load_spec(OSCILLATORS).statistics
    if profile.value not in known:
        raise DesignError(f"board {OSCILLATORS} has no profile {profile.value}; choose {' or '.join(known)}")
    data = digits_split()
    network = trained_phasors(data, output)
    url = f"emulator://{OSCILLATORS}?profile={profile.value}&seed={seed}"
    with open_bench(url) as bench, Run.create(runs, "demo", bench.board.hello.board_id) as run:
        result = run_phasors(bench, network, data, run, seed=seed, quick=quick, output=output)
        report = run.folder / "report.html"
    facts = {
        "board": f"{OSCILLATORS}, emulated, profile {profile.value}, seed {seed}, id {result.board_id}",
        "network": network_name(network),
    }
    with writing(report) as part:
        part.write_text(render_phasors(phasor_content(result, facts)), encoding="utf-8")
    _print_phasors(output, result, report, time.monotonic() - started)


def _print_phasors(output: Output, result: "PhasorDemo", report: Path, seconds: float) -> None:
    output.table(
        "",
        ("rung", "right", "95 % interval", "phases away"),
        [
            (
                rung.rung,
                f"{100 * rung.accuracy:.1f} %",
                "{:.1f} to {:.1f} %".format(*(100 * end for end in rung.interval)),
                f"{result.away(rung.rung):.4f} pi",
            )
            for rung in result.rungs
        ],
    )
    output.say(f"report: {report}")
    output.result(
        {
            "ladder": [rung.to_dict() for rung in result.rungs],
            "phases_away_rms_pi": {rung.rung: result.away(rung.rung) for rung in result.rungs},
            "reads": result.record.provenance["reads"],
            "report": report,
            "seconds": seconds,
        }
    )


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
