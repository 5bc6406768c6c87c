"""`jackfield conformance`: whether a board keeps to the protocol."""

from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from jackfield.cli.guard import guarded
from jackfield.cli.options import Json, Port, Verbose
from jackfield.cli.output import Output
from jackfield.errors import DesignError

if TYPE_CHECKING:
    from jackfield.device import CheckResult

__all__ = ["register"]

SpecOption = Annotated[
    str, typer.Option("--board", metavar="BOARD", help="Its spec, a name or a path; without it the board is asked.")
]


def register(app: typer.Typer) -> None:
    """Add the verb to `app`."""
    app.command()(guarded(conformance))


def conformance(port: Port = "", board: SpecOption = "", as_json: Json = False, verbose: Verbose = False) -> None:
    """Check that a board keeps to the protocol; drives no output.

    No cell is enabled, nothing is run or committed. The board is left safe with an empty configuration. Each
    failure is shown with the exact bytes of its exchange. Exit status 1 if there is one.
    """
    from jackfield.device import board_class
    from jackfield.device import conformance as checked
    from jackfield.link import open_transport
    from jackfield.session import load_spec, running_emulator

    if not port:
        raise DesignError("no board is named; give its port: --port /dev/ttyUSB0, or --port emulator://jf16")
    output = Output(as_json)
    with ExitStack() as stack:
        if port.startswith("emulator://"):
            port = stack.enter_context(running_emulator(port)).board_url
        transport = stack.enter_context(open_transport(port))
        spec = load_spec(board or board_class("jackfield-1").identify(transport).spec_name)
        results = checked(transport, spec, lambda result: _say(result, output))
    failed = [result.name for result in results if result.failed]
    passed = sum(result.outcome == "passed" for result in results)
    output.say(f"{passed} of {len(results)} checks passed, {len(failed)} failed")
    output.result({"url": port, "board": spec.name, "passed": not failed, "checks": [_plain(r) for r in results]})
    if failed:
        raise typer.Exit(1)


def _say(result: "CheckResult", output: Output) -> None:
    output.say(f"{result.outcome:8}  {result.name}: {result.asks}")
    if result.reason:
        output.say(f"          {result.reason}")
    for way, data in result.exchange if result.failed else ():
        output.say(f"          {way:8}  {data}")


def _plain(result: "CheckResult") -> dict[str, object]:
    """The exchange as the lines of a recording, of failures only."""
    lines = [{way: data} for way, data in result.exchange] if result.failed else []
    return {
        "name": result.name,
        "asks": result.asks,
        "outcome": result.outcome,
        "reason": result.reason,
        "exchange": lines,
    }
