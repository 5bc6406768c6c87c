"""`jackfield boards`: which boards there are, what one of them is, and whether a spec is sound."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jackfield.cli.files import writing
from jackfield.cli.guard import guarded
from jackfield.cli.options import Json, Verbose
from jackfield.cli.output import Output

if TYPE_CHECKING:
    from jackfield.board import BoardSpec

__all__ = ["register"]

SpecName = Annotated[str, typer.Argument(metavar="BOARD", help="A board's name, or a path to its spec (.toml).")]


def register(app: typer.Typer) -> None:
    """Add the verb to `app`."""
    group = typer.Typer(no_args_is_help=True, help="Which boards there are; show one; check a spec; its C header.")
    group.command("list")(guarded(list_boards))
    group.command("show")(guarded(show))
    group.command("check")(guarded(check))
    group.command("header")(guarded(header))
    app.add_typer(group, name="boards")


def list_boards(as_json: Json = False, verbose: Verbose = False) -> None:
    """List the boards that are installed."""
    from jackfield.session import load_spec, spec_files

    output = Output(as_json)
    specs = [(load_spec(path), path) for path in spec_files().values()]
    rows = [(spec.name, spec.nodes.count, spec.cell_count, ", ".join(spec.statistics), spec.doc) for spec, _ in specs]
    output.table("", ("board", "nodes", "cells", "profiles", "what it is"), rows)
    output.result({"boards": [_summary(spec) | {"file": path} for spec, path in specs]})


def show(board: SpecName, as_json: Json = False, verbose: Verbose = False) -> None:
    """Show what a board is: nodes, cells, timing, probes, image."""
    from jackfield.session import load_spec

    output = Output(as_json)
    spec = load_spec(board)
    output.table(f"{spec.name}: {spec.doc}", ("", ""), _facts(spec))
    output.result(_summary(spec))


def check(board: SpecName, as_json: Json = False, verbose: Verbose = False) -> None:
    """Check a spec; each finding says what it would cost.

    Exit status 1 only where the spec is not valid; findings are advice.
    """
    from jackfield.compile import check_spec
    from jackfield.session import load_spec

    output = Output(as_json)
    spec = load_spec(board)
    findings = check_spec(spec)
    for finding in findings:
        output.say(f"  {finding}")
    output.say(f"board {spec.name} is valid; {len(findings)} finding{'' if len(findings) == 1 else 's'}")
    listed = [{"where": finding.where, "message": finding.message} for finding in findings]
    output.result({"board": spec.name, "valid": True, "findings": listed})


def header(
    board: SpecName,
    to: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Where to write it.")] = Path("jf_board.h"),
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Write a board's constants as a C header, for the firmware in firmware_config/firmware."""
    from jackfield.board import c_header
    from jackfield.session import load_spec

    output = Output(as_json)
    spec = load_spec(board)
    with writing(to) as part:
        part.write_text(c_header(spec), encoding="utf-8")
    output.say(f"{to}: board {spec.name}, an image of {spec.payload_bytes} bytes")
    output.result({"board": spec.name, "file": to, "digest": spec.digest})


def _summary(spec: "BoardSpec") -> dict[str, Any]:
    return {
        "name": spec.name,
        "doc": spec.doc,
        "dialect": spec.dialect,
        "digest": spec.digest,
        "nodes": spec.nodes.count,
        "cells": {group.name: {"law": group.law, "count": group.count} for group in spec.groups},
        "banks": spec.run.banks,
        "inputs": spec.run.inputs,
        "probes": spec.probe.count,
        "image_bytes": spec.payload_bytes,
        "profiles": list(spec.statistics),
    }


def _facts(spec: "BoardSpec") -> list[tuple[str, str]]:
    from jackfield.units import format_quantity

    nodes, run, probe = spec.nodes, spec.run, spec.probe
    farads = format_quantity(nodes.capacitance_F, "F")
    facts = [
        ("nodes", f"{nodes.count}, {farads} each, rails {nodes.rail_V[0]:g} to {nodes.rail_V[1]:g} V"),
        ("preset", f"{_range(nodes.preset)}, settles in {format_quantity(nodes.preset_settle_s, 's')}"),
        ("trim", _range(nodes.trim)),
    ]
    for group in spec.groups:
        facts.append((f"cells {group.name}", f"{group.count} x {group.law}, {group.reach.kind} routes"))
        facts += [(f"  {name}", _range(scale)) for name, scale in group.parameters.items()]
    least, most = format_quantity(run.min_s, "s"), format_quantity(run.max_s, "s")
    slot = format_quantity(probe.slot_s, "s")
    return [
        *facts,
        ("run", f"{least} to {most} in ticks of {format_quantity(run.tick_s, 's')}, {run.banks} banks"),
        ("inputs", f"{run.inputs} in the board's memory"),
        ("probes", f"{probe.count}, {slot} a slot, reference {probe.reference_V:g} V"),
        ("image", f"{spec.payload_bytes} bytes"),
        ("profiles", ", ".join(spec.statistics) or "none"),
        ("digest", spec.digest),
    ]


def _range(scale: Any) -> str:
    from jackfield.units import format_quantity

    lo, hi = format_quantity(scale.lo, scale.unit), format_quantity(scale.hi, scale.unit)
    return f"{lo} to {hi}, {scale.bits} bits, {scale.coding}"
