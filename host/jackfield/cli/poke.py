"""`jackfield poke`: single steps for bring-up; each says what was asked and what was measured."""

from pathlib import Path
from typing import Annotated

import typer

from jackfield.cli.guard import guarded
from jackfield.cli.options import BenchPath, Json, LogExchange, RunsFolder, Verbose
from jackfield.cli.output import Output

__all__ = ["register"]

Node = Annotated[int, typer.Argument(metavar="NODE", help="The node's number, from 1.")]
Time = Annotated[str, typer.Option("--time", help="How long the run lasts; whole ticks of the board.")]
RUNS = Path("runs")


def register(app: typer.Typer) -> None:
    """Add the verb to `app`."""
    group = typer.Typer(no_args_is_help=True, help="Single steps for bring-up, each with what was measured.")
    for step in (hello, reference, preset, trim, cell):
        group.command(step.__name__)(guarded(step))
    app.add_typer(group, name="poke")


def hello(
    bench: BenchPath = "bench.toml",
    runs: RunsFolder = RUNS,
    log_exchange: LogExchange = False,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Ask the board and the instruments who they are."""
    from jackfield.cli.benches import opened_bench

    output = Output(as_json)
    with opened_bench(bench, "poke", runs, log_exchange) as opened:
        about, status, instruments = opened.board.hello, opened.board.status(), opened.identities
    facts = {"board id": about.board_id, "spec": f"{about.spec_name} {about.spec_digest[:12]}"}
    facts |= {"firmware": about.firmware, "state": f"{status.state} ({status.safe_reason})"}
    facts |= {f"instrument {number}": name for number, name in enumerate(instruments, 1)}
    output.table("", ("", ""), list(facts.items()))
    output.result({"hello": about.__dict__, "status": status.__dict__, "instruments": instruments})


def reference(
    bench: BenchPath = "bench.toml",
    runs: RunsFolder = RUNS,
    log_exchange: LogExchange = False,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Read the board's reference with the meter, and ground and reference on each probe with the scope."""
    from jackfield.cli.benches import opened_bench
    from jackfield.cli.steps import quiet_run

    output = Output(as_json)
    with opened_bench(bench, "poke", runs, log_exchange) as opened:
        asked = opened.spec.probe.reference_V
        meter = None if opened.voltmeter is None else opened.reference_V()
        read = quiet_run(opened, {})
    ground, top = read.ground_V[0], read.reference_V[0]
    output.say(f"reference: spec {asked:g} V, {'no meter on the bench' if meter is None else f'meter {meter:.5f} V'}")
    rows = [(number + 1, f"{ground[number]:.5f}", f"{top[number]:.5f}") for number in range(len(ground))]
    output.table("uncorrected, on the scope", ("probe", "ground (V)", "reference (V)"), rows)
    output.result({"spec_V": asked, "meter_V": meter, "ground_V": ground, "reference_V": top})


def preset(
    node: Node,
    volts: Annotated[str, typer.Option("--volts", help="The voltage to preset, like '0.5 V'.")],
    bench: BenchPath = "bench.toml",
    runs: RunsFolder = RUNS,
    log_exchange: LogExchange = False,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Preset one node, all cells off, hold and read it back."""
    from jackfield.cli.benches import opened_bench
    from jackfield.cli.steps import quiet_run, read_at
    from jackfield.units import parse_quantity

    output = Output(as_json)
    asked = parse_quantity(volts, "V")
    with opened_bench(bench, "poke", runs, log_exchange) as opened:
        scale = opened.spec.nodes.preset
        code = int(scale.code(asked))
        measured, se = read_at(quiet_run(opened, {node: asked}, scanned=(node,)), node)
    nominal = float(scale.value(code))
    error = (measured - nominal) / scale.lsb
    output.say(
        f"node {node}: asked {asked:.4f} V, code {code} is {nominal:.4f} V, "
        f"measured {measured:.4f} +- {se:.4f} V ({error:+.1f} LSB)"
    )
    output.result(
        {"node": node, "asked_V": asked, "code": code, "nominal_V": nominal, "measured_V": measured, "se_V": se}
    )


def trim(
    node: Node,
    amps: Annotated[str, typer.Option("--amps", help="The trim current, like '5 uA'.")],
    time: Time = "100 us",
    bench: BenchPath = "bench.toml",
    runs: RunsFolder = RUNS,
    log_exchange: LogExchange = False,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Let a node's trim current charge its capacitor, all cells off, against a run without it."""
    from jackfield.cli.benches import opened_bench
    from jackfield.cli.steps import quiet_run, read_at, ticks_of
    from jackfield.units import format_quantity, parse_quantity

    output = Output(as_json)
    asked = parse_quantity(amps, "A")
    with opened_bench(bench, "poke", runs, log_exchange) as opened:
        scale, ticks = opened.spec.nodes.trim, ticks_of(opened.spec, time)
        nominal = float(scale.value(scale.code(asked)))
        without, _ = read_at(quiet_run(opened, {}, ticks=ticks, scanned=(node,)), node)
        driven, se = read_at(quiet_run(opened, {}, ticks=ticks, scanned=(node,), trim_A={node: asked}), node)
        seconds = ticks * opened.spec.run.tick_s
        measured = (driven - without) * opened.spec.nodes.capacitance_F / seconds
    output.say(
        f"node {node}: asked {format_quantity(asked, 'A')}, code gives {format_quantity(nominal, 'A')}, "
        f"measured {format_quantity(measured, 'A')} ({driven - without:+.4f} V in {format_quantity(seconds, 's')})"
    )
    output.result({"node": node, "asked_A": asked, "nominal_A": nominal, "measured_A": measured, "se_V": se})


def cell(
    name: Annotated[str, typer.Argument(metavar="CELL", help="The cell's name, like A17.")],
    values: Annotated[
        list[str], typer.Option("--set", metavar="NAME=VALUE", help="A parameter, like gain='50 uS'; repeat for each.")
    ],
    source: Annotated[
        int, typer.Option("--from", help="Source node, 0 is ground; the first within reach if left out.")
    ] = -1,
    destination: Annotated[
        int, typer.Option("--to", help="Destination node; the first within reach if left out.")
    ] = -1,
    source_volts: Annotated[str, typer.Option("--from-volts", help="Preset of the source.")] = "0.5 V",
    destination_volts: Annotated[str, typer.Option("--to-volts", help="Preset of the destination.")] = "0 V",
    time: Time = "100 us",
    bench: BenchPath = "bench.toml",
    runs: RunsFolder = RUNS,
    log_exchange: LogExchange = False,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Enable one cell between two preset nodes, run, and compare with its law."""
    from jackfield.cli.benches import opened_bench
    from jackfield.cli.steps import CellStep, read_at, ticks_of
    from jackfield.units import parse_quantity

    output = Output(as_json)
    start = (parse_quantity(source_volts, "V"), parse_quantity(destination_volts, "V"))
    with opened_bench(bench, "poke", runs, log_exchange) as opened:
        step = CellStep.parse(opened.spec, name, values, (source, destination))
        ticks = ticks_of(opened.spec, time)
        read = step.run(opened, start, ticks)
        expected = step.expected(start, ticks)
    rows, found = [], []
    for node, before, law in zip(step.ends, start, expected, strict=True):
        if node:
            measured, se = read_at(read, node)
            rows.append((node, f"{before:.4f}", f"{law:.4f}", f"{measured:.4f}", f"{se:.4f}"))
            found.append({"node": node, "preset_V": before, "nominal_V": law, "measured_V": measured, "se_V": se})
    output.table(str(step), ("node", "preset (V)", "by its law (V)", "measured (V)", "se (V)"), rows)
    output.result({"cell": name, "parameters": step.parameters, "nodes": found})
