"""`jackfield patch`: circuits on machines that are wired and set by hand (The Analog Thing)."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jackfield.cli.guard import guarded
from jackfield.cli.options import Json, ModelFolder, Port, Verbose
from jackfield.cli.output import Output

if TYPE_CHECKING:
    from jackfield.board import CalibrationRecord, PatchList

__all__ = ["register"]

PatchFile = Annotated[Path, typer.Argument(metavar="NAME.toml", help="A patch file that `jackfield patch make` wrote.")]
Name = Annotated[
    Path, typer.Option("-o", "--output", metavar="NAME", help="NAME.toml and the page NAME.html go there.")
]


def register(app: typer.Typer) -> None:
    """Add the verb to `app`."""
    group = typer.Typer(
        no_args_is_help=True, help="Wire a circuit by hand: print cables and settings, log runs, calibrate, turn knobs."
    )
    for verb in (make, log, calibrate, turn):
        group.command(verb.__name__)(guarded(verb))
    app.add_typer(group, name="patch")


def make(
    model: ModelFolder,
    name: Name,
    machine: Annotated[str, typer.Option(help="The machine.")] = "the-analog-thing",
    values: Annotated[
        list[float] | None, typer.Option("--input", help="An input in the model's units; once for each, in order.")
    ] = None,
    seconds_per_unit: Annotated[float | None, typer.Option(help="Seconds a unit of time.")] = None,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Print the cables and settings for a model, and write them as a page and as a file."""
    from jackfield.cli.files import existing
    from jackfield.compile import patch_list
    from jackfield.model import load_checkpoint
    from jackfield.session import load_machine

    output, checkpoint = (
        Output(as_json),
        load_checkpoint(existing(model, "a model folder that `jackfield train` wrote")),
    )
    volts = HEADROOM / checkpoint.facts.largest_v
    circuit = checkpoint.network.circuit()
    patch = patch_list(circuit, load_machine(machine), volts, seconds_per_unit, tuple(values or ()))
    _written(output, patch, name)


def log(
    patch: PatchFile,
    to: Annotated[Path, typer.Option("-o", "--output", metavar="LOG.csv", help="Where the readings go.")],
    port: Port = "",
    runs: Annotated[int, typer.Option(min=1, help="How often the same run is logged.")] = 8,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Run the machine from IC through its hybrid port and log what the output jacks show.

    To calibrate, log some starts: first as the patch list says, then with the potentiometers at IC turned elsewhere.
    """
    from jackfield.cli.files import new_file
    from jackfield.cli.patch_logs import write_logs
    from jackfield.device import HybridPort, longest_log
    from jackfield.errors import DesignError

    output, wired = Output(as_json), read_patch(patch)
    new_file(to, "a log")
    if not port:
        raise DesignError("no port is given; name the Arduino's, such as --port /dev/ttyACM0")
    op_ms = longest_log(wired.op_ms, len(wired.shown))
    with HybridPort.at(port) as machine, output.progress("logging") as advance:
        machine.enable()
        shown = machine.sample(len(wired.shown))
        logs = []
        for number in range(runs):
            logs.append(machine.run(op_ms, len(wired.shown)))
            advance(number + 1, runs)
    write_logs(to, wired, logs)
    in_ic = ", ".join(f"integrator {n} {volts:+.3f}" for n, volts in zip(wired.shown, shown, strict=True))
    output.say(f"in IC: {in_ic}\n{runs} runs of {op_ms} ms, {len(logs[0].values)} samples each: {to}")
    output.result({"log": to, "runs": runs, "samples": len(logs[0].values), "in_ic": shown})


def calibrate(
    patch: PatchFile,
    logs: Annotated[
        list[Path], typer.Argument(metavar="LOG.csv...", help="Logs of different starts, the first first.")
    ],
    record: Annotated[Path, typer.Option("-o", "--output", metavar="NAME.record", help="Where the record goes.")],
    board_id: Annotated[str, typer.Option("--id", help="A name for this machine: it has no number of its own.")],
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Fit effective coefficients, offsets and initial values to logged runs, and write them as a record."""
    from jackfield.cli.files import vacant
    from jackfield.cli.patch_logs import read_logs
    from jackfield.journal import save_record
    from jackfield.session import load_machine
    from jackfield_calibration import calibrate_patch

    output, wired = Output(as_json), read_patch(patch)
    vacant(record, "a record")
    starts = [read_logs(file, wired) for file in logs]
    found = calibrate_patch(wired, load_machine(wired.machine), starts, {"board_id": board_id})
    save_record(found, record)
    _say(output, found, wired)
    output.result({"record": record, "misfit": found.provenance["misfit"], "gains": _gains(found)})


def turn(
    patch: PatchFile,
    record: Annotated[Path, typer.Option(metavar="NAME.record", help="What `jackfield patch calibrate` found.")],
    name: Name,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Print where the knobs have to be turned so that the machine computes what was asked."""
    from jackfield.cli.record import load
    from jackfield_calibration import gains_of

    output, wired = Output(as_json), read_patch(patch)
    found = load(record)
    _written(output, wired.turned(gains_of(found)), name)


HEADROOM = 0.9  # of a full scale, for the largest voltage that the model reached in training


def read_patch(path: Path) -> "PatchList":
    """The patch file at `path`; DesignError where there is none."""
    from jackfield.board import PatchList
    from jackfield.cli.files import existing

    return PatchList.from_toml(existing(path, "a patch file that `jackfield patch make` wrote").read_text("utf-8"))


def _written(output: Output, patch: "PatchList", name: Path) -> None:
    from jackfield.cli.files import new_file, writing

    files = {name.with_name(name.name + end): end for end in (".toml", ".html")}
    for file in files:
        new_file(file, "a patch file or its page")
    for file, end in files.items():
        with writing(file) as part:
            part.write_text(patch.to_toml() if end == ".toml" else patch.page(name.name), encoding="utf-8")
    rows = [
        (cable.source, cable.destination, cable.pot or "", f"{cable.dial:.3f}" if cable.pot else "")
        for cable in patch.cables
    ]
    output.table(f"{patch.machine}, OP {patch.op_ms} ms", ("from", "to", "potentiometer", "set to"), rows)
    output.say(f"to print: {name}.html; for the other verbs: {name}.toml")
    output.result({"patch": f"{name}.toml", "page": f"{name}.html", "op_ms": patch.op_ms, "cables": len(patch.cables)})


def _gains(record: "CalibrationRecord") -> dict[str, float]:
    table = record.tables["gain_scale"]
    return dict(zip(table.index, table.value.tolist(), strict=True))


def _say(output: Output, record: "CalibrationRecord", patch: "PatchList") -> None:
    table = record.tables["gain_scale"]
    asked = {f"P{cable.pot}": cable.asked for cable in patch.cables if cable.pot}
    dial = {f"P{cable.pot}": cable.dial for cable in patch.cables if cable.pot}
    rows = [
        (pot, f"{asked[pot]:.3f}", f"{dial[pot] * value:.3f}", f"{dial[pot] * se:.3f}", reason)
        for pot, value, se, reason in zip(table.index, table.value, table.se, table.reason, strict=True)
    ]
    output.table("potentiometers", ("", "asked", "gives", "standard error", ""), rows)
    output.say(f"misfit {record.provenance['misfit']:.2f}: 1 where the equations hold and only noise is left")
