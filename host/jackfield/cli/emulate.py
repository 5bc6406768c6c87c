"""`jackfield emulate`: a board with its instruments, without hardware."""

from pathlib import Path
from typing import Annotated, Any

import typer

from jackfield.cli.guard import guarded
from jackfield.cli.options import Json, Verbose
from jackfield.cli.output import Output

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the verb to `app`."""
    app.command()(guarded(emulate))


def emulate(
    board: Annotated[
        str,
        typer.Argument(
            metavar="BOARD",
            help="A board's name, or a path to its spec, a patch file or a template.",
        ),
    ],
    profile: Annotated[str, typer.Option(help="Whose mismatch and noise: a profile of the spec.")] = "cmos",
    seed: Annotated[int, typer.Option(min=0, help="Which board of that profile.")] = 0,
    bench: Annotated[Path, typer.Option(metavar="FILE", help="Where the bench file goes.")] = Path("bench.toml"),
    truth: Annotated[Path | None, typer.Option(metavar="FILE", help="Write what was drawn, for scoring.")] = None,
    baud: Annotated[int, typer.Option(min=0, help="Pace serial bytes at this rate; 0 does not.")] = 0,
    clock: Annotated[float, typer.Option(min=0.0, help="Hours since the board was made.")] = 0.0,
    temperature: Annotated[float, typer.Option(help="Temperature in C.")] = 25.0,
    scope: Annotated[
        str, typer.Option(metavar="DRIVER", help="Which oscilloscope, by its driver's name.")
    ] = "keysight-infiniivision",
    extra: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Put a scanner or smu into the bench file; may be repeated."),
    ] = None,
    fault: Annotated[
        list[str] | None, typer.Option(metavar="NAME=NUMBER", help="Inject a fault, like flip=1e-4; may be repeated.")
    ] = None,
    inl: Annotated[str, typer.Option(help="Gain DACs: smooth bends, or binary weights that err.")] = "smooth",
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Emulate a board with an oscilloscope and a multimeter.

    Stays until Ctrl-C. The board answers on a serial port, the instruments behind VISA; whatever works on a
    bench works with the bench file that is written.
    """
    from jackfield.emulator import EmulatorOptions, Faults, serve
    from jackfield.session import spec_file

    output = Output(as_json)
    options = EmulatorOptions(
        spec_file=spec_file(board),
        profile=profile,
        seed=seed,
        truth_file=truth,
        bench_file=bench,
        baud=baud,
        clock_hours=clock,
        temperature_C=temperature,
        scope=scope,
        extra=tuple(extra or ()),
        inl=inl,
        faults=Faults.parse(fault or []),
    )

    def ready(opened: dict[str, Any]) -> None:
        if "port" in opened:
            output.say(f"board after {board} ({profile}, seed {seed}): {opened['port']}; end with Ctrl-C")
            output.result(opened)
            return
        output.say(f"board {opened['board']['id']} ({board}, {profile}, seed {seed}): {opened['board']['url']}")
        output.say(f"oscilloscope: {opened['scope']['hislip']}")
        output.say(f"multimeter: {opened['dmm']['hislip']}")
        output.say(f"bench file: {bench}; end with Ctrl-C")
        output.result(opened)

    serve(options, ready)
    raise KeyboardInterrupt  # only a signal ends it
