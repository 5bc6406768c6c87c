"""`jackfield compile`: a trained model as codes for one board."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jackfield.cli.guard import guarded
from jackfield.cli.options import BoardName, Json, ModelFolder, Verbose
from jackfield.cli.output import Output

if TYPE_CHECKING:
    from jackfield.board import CalibrationRecord
    from jackfield.compile import CarryCost, CompiledPasses, QuantisationReport
    from jackfield.model import Checkpoint

__all__ = ["register"]

WORST_SHOWN = 10
COST_INPUTS = 8


def register(app: typer.Typer) -> None:
    """Add the verb to `app`."""
    app.command("compile")(guarded(compile_model))


def compile_model(
    model: ModelFolder,
    board: BoardName,
    output_file: Annotated[Path, typer.Option("-o", "--output", metavar="NAME.jfi", help="Where the image goes.")],
    record: Annotated[
        Path | None, typer.Option(metavar="NAME.record", help="Correct the codes for the board of this record.")
    ] = None,
    volts_per_unit: Annotated[
        float | None, typer.Option(help="Volts a machine unit, instead of the model's own scale.")
    ] = None,
    seconds_per_unit: Annotated[
        list[float] | None, typer.Option(help="Seconds a unit of time; once, or once a slice.")
    ] = None,
    allow_clipped: Annotated[
        int, typer.Option(metavar="N", min=0, help="Bring up to N values into range instead of failing.")
    ] = 0,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Compile a model to an image for a board.

    Prints what was requested and what the codes give, and writes the image.
    """
    from jackfield.cli.files import existing, new_file
    from jackfield.cli.handing_over import say_costs
    from jackfield.cli.models import compiled_for, model_for
    from jackfield.cli.record import load
    from jackfield.session import load_spec

    output = Output(as_json)
    new_file(output_file.with_suffix(".jfi"), "an image")
    spec = load_spec(board)
    checkpoint = model_for(existing(model, "a model folder that `jackfield train` wrote"), spec)
    known = None if record is None else load(record)
    compiled = compiled_for(
        checkpoint,
        spec,
        known,
        volts_per_unit=volts_per_unit,
        # One number stands for all slices.
        seconds_per_unit=seconds_per_unit[0] if seconds_per_unit and len(seconds_per_unit) == 1 else seconds_per_unit,
        allow_clipped=allow_clipped,
    )
    written = compiled.save(output_file)
    report = compiled.report
    assert report is not None  # only an image read from a file has none
    _print(output, compiled, report, verbose)
    costs = () if len(compiled.passes) == 1 else _costs(compiled, checkpoint, known)
    say_costs(output, costs)
    names = ", ".join(part.image.digest(spec)[:12] for part in compiled.passes)
    output.say(f"image {names} for board {spec.name}: {written}")
    output.result(_summary(compiled, report) | {"image": written, "handing_over": [asdict(cost) for cost in costs]})


def _print(output: Output, compiled: "CompiledPasses", report: "QuantisationReport", verbose: bool) -> None:
    from jackfield.units import format_quantity

    times = ", ".join(format_quantity(tau, "s") for tau in _taus(compiled))
    output.say(f"scale: {format_quantity(compiled.volts_per_unit, 'V')} and {times} a machine unit")
    if len(compiled.passes) > 1:
        output.say(f"{len(compiled.passes)} passes: {len(_taus(compiled))} slices in {compiled.spec.run.banks} banks")
    rows = [
        (name, found["values"], *(f"{found[key]:.3f}" for key in ("rms_lsb", "largest_lsb")), found["clipped"])
        for name, found in _by_parameter(report).items()
    ]
    output.table("actual minus requested", ("parameter", "values", "rms (LSB)", "largest (LSB)", "clipped"), rows)
    if verbose:
        output.table("largest errors", ("place", "parameter", "requested", "actual", "LSB"), _worst(compiled, report))


def _taus(compiled: "CompiledPasses") -> tuple[float, ...]:
    return tuple(tau for part in compiled.passes for tau in part.scaling.seconds_per_unit)


def _costs(
    compiled: "CompiledPasses", checkpoint: "Checkpoint", known: "CalibrationRecord | None"
) -> "tuple[CarryCost, ...]":
    """For a few of the model's inputs; a reading errs by what the spec tolerates of a probe."""
    from jackfield.cli.models import some_inputs
    from jackfield.compile import twin_of_passes

    spec = compiled.spec
    readout_V = spec.tolerance.probe_lsb * spec.nodes.preset.lsb
    return twin_of_passes(compiled, spec, known, readout_V=readout_V).costs(some_inputs(checkpoint, COST_INPUTS))


def _by_parameter(report: "QuantisationReport") -> dict[str, dict[str, Any]]:
    import numpy as np

    found = {}
    for name in report.parameters:
        rows = report.rows_of(name)
        error = report.error_lsb[rows]
        found[name] = {
            "values": int(rows.sum()),
            "rms_lsb": float(np.sqrt(np.mean(error**2))),
            "largest_lsb": float(np.abs(error).max()),
            "clipped": int(report.clipped[rows].sum()),
        }
    return found


def _worst(compiled: "CompiledPasses", report: "QuantisationReport") -> list[tuple[str, ...]]:
    import numpy as np

    lines: list[tuple[str, ...]] = []
    for row in np.argsort(-np.abs(report.error_lsb))[:WORST_SHOWN]:
        cell, source, destination = int(report.cell[row]), int(report.source[row]), int(report.destination[row])
        where = f"n{destination}" if cell < 0 else f"{compiled.spec.cells[cell]}, n{source}->n{destination}"
        numbers = (f"{report.requested[row]:.4g}", f"{report.actual[row]:.4g}", f"{report.error_lsb[row]:+.2f}")
        lines.append((f"{where}, bank {report.bank[row]}", str(report.parameter[row]), *numbers))
    return lines


def _summary(compiled: "CompiledPasses", report: "QuantisationReport") -> dict[str, Any]:
    return {
        "board": compiled.spec.name,
        "digest": compiled.passes[0].image.digest(compiled.spec),
        "passes": len(compiled.passes),
        "record": compiled.record_id,
        "volts_per_unit": compiled.volts_per_unit,
        "seconds_per_unit": _taus(compiled),
        "parameters": _by_parameter(report),
    }
