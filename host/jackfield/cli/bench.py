"""`jackfield bench`: find what is connected and write a bench file; prove that the wiring is as the file says."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jackfield.cli.files import writing
from jackfield.cli.guard import guarded
from jackfield.cli.options import BenchPath, Json, LogExchange, RunsFolder, Verbose
from jackfield.cli.output import Output
from jackfield.errors import DesignError

if TYPE_CHECKING:
    from jackfield.session import WiringFinding

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the verb to `app`."""
    group = typer.Typer(no_args_is_help=True, help="Find board and instruments, write a bench file; check the wiring.")
    group.command("init")(guarded(init))
    group.command("check")(guarded(check))
    app.add_typer(group, name="bench")


def init(
    to: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Where to write it.")] = Path("bench.toml"),
    port: Annotated[
        list[str] | None, typer.Option(metavar="PORT|URL", help="Ask this port alone for a board; may be repeated.")
    ] = None,
    resource: Annotated[
        list[str] | None,
        typer.Option(metavar="VISA", help="Ask this VISA resource alone; may be repeated."),
    ] = None,
    backend: Annotated[str, typer.Option(help="VISA library: @py, or @ivi for your vendor's.")] = "@py",
    replace: Annotated[bool, typer.Option("--replace", help="Write over a file that exists.")] = False,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Find the board and the instruments of a bench and write its file.

    Boards are asked HELLO, then as a LUCIDAC is; instruments *IDN?; nothing is set or driven. Cables cannot be seen
    from here: how the file takes them to be is printed and stands in the file, and `jackfield bench check` proves it.
    """
    from jackfield.session import discover, draft_bench

    if to.exists() and not replace:
        raise DesignError(f"{to} exists; give another name with -o, or --replace to write over it")
    output = Output(as_json)
    ports = [name if "://" in name else f"serial://{name}" for name in port or ()]
    found = discover(ports, resource or (), backend, output.say if verbose else lambda text: None)
    for board in found.boards:
        output.say(f"board       {board.board_id}, a {board.spec}, at {board.url}")
    for instrument in found.instruments:
        known = ", ".join(instrument.drivers) or "no driver knows it"
        output.say(f"instrument  {instrument.identity} at {instrument.resource}: {known}")
    for where, reason in found.silent:
        output.say(f"silent      {where}: {reason}")
    draft = draft_bench(found, backend)
    with writing(to) as part:
        part.write_text(draft.text, encoding="utf-8")
    for line in draft.assumed:
        output.say(f"assumed     {line}")
    output.say(f"{to} written; now: jackfield bench check --bench {to}")
    output.result({"file": to, "assumed": draft.assumed, "left_out": draft.left_out, "silent": found.silent})


def check(
    bench: BenchPath = "bench.toml",
    runs: RunsFolder = Path("runs"),
    log_exchange: LogExchange = False,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Prove that the bench is wired as its file says.

    The meter reads the reference jack; one short run with every cell off shows the trigger, ground and reference on
    each probe, and which probe is on which channel. Nodes are preset to half of the rail at most; sources stay off.

    Exit status 1 if a connection is not as the file says.
    """
    from jackfield.cli.benches import opened_bench
    from jackfield.session import check_wiring

    output = Output(as_json)
    with opened_bench(bench, "check", runs, log_exchange) as opened:
        findings = check_wiring(opened, lambda finding: _say(finding, output))
    wrong = [finding for finding in findings if not finding.ok]
    output.say(
        "the wiring is as the file says" if not wrong else f"{len(wrong)} of {len(findings)} are not as the file says"
    )
    output.result({"ok": not wrong, "findings": [finding.__dict__ for finding in findings]})
    if wrong:
        raise typer.Exit(1)


def _say(finding: "WiringFinding", output: Output) -> None:
    output.say(f"{'ok   ' if finding.ok else 'WRONG'}  {finding.name}: {finding.seen}")
    if finding.cure:
        output.say(f"       {finding.cure}")
