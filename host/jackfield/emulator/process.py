"""The emulator as a process: one board, one oscilloscope and one multimeter, wired together, in one loop."""

import argparse
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jackfield.board import BoardSpec
from jackfield.emulator.analog import AnalogBoard
from jackfield.emulator.bench_text import bench_text
from jackfield.emulator.board_port import BoardPort
from jackfield.emulator.by_hand import opener_for
from jackfield.emulator.digital import DigitalBoard
from jackfield.emulator.draws import Planted
from jackfield.emulator.drift import NOMINAL_C, Moved
from jackfield.emulator.faults import Faults
from jackfield.emulator.inl import FAMILIES
from jackfield.emulator.instruments import EXTRAS, Instrument, scope_class, serve_instrument
from jackfield.emulator.loop import Loop
from jackfield.emulator.lucidac_process import LUCIDAC_DIALECT, open_lucidac
from jackfield.emulator.meter import Meter
from jackfield.emulator.oscillator import OscillatorBoard
from jackfield.emulator.oscillator_truth import oscillator_truth_json
from jackfield.emulator.randomness import Randomness
from jackfield.emulator.scanner import Scanner
from jackfield.emulator.scope import AbstractScope
from jackfield.emulator.smu import SourceMeasureUnit
from jackfield.emulator.truth import truth_json
from jackfield.errors import DesignError, JackfieldError

__all__ = ["EmulatorOptions", "board_id", "main", "serve"]


@dataclass(frozen=True)
class EmulatorOptions:
    """What to emulate. `baud` 0 does not pace bytes; `until_eof` ends with standard input.

    `scope` is the driver's name of the oscilloscope; `extra` names more instruments for the bench file, of
    "scanner" and "smu", which are served in any case.
    """

    spec_file: Path
    profile: str = "cmos"
    seed: int = 0
    truth_file: Path | None = None
    bench_file: Path | None = None
    baud: int = 0
    clock_hours: float = 0.0
    temperature_C: float = NOMINAL_C
    until_eof: bool = False
    inl: str = "smooth"
    scope: str = "keysight-infiniivision"
    extra: tuple[str, ...] = ()
    faults: Faults = field(default_factory=Faults)


def board_id(randomness: Randomness) -> str:
    """What the board answers as its unique id."""
    return f"{int(randomness.words('board id', 1)[0]) & 0xFFFF:04X}-{randomness.seed:04d}"


def serve(options: EmulatorOptions, ready: Callable[[dict[str, Any]], None]) -> None:
    """Emulate until SIGTERM, SIGINT or, if asked, the end of standard input; `ready` gets what was opened.

    Its dict: `board` (url, id), `scope` and `dmm` where the board needs them (VISA resources `hislip`, `vxi11`
    and `socket`), `scanner` and `smu` likewise, `bench` (path or None), `bench_toml` (the text), `pid`, `spec`,
    `profile`, `seed`. Raises DesignError on a spec or file that cannot be used.
    `spec_file` may be a patch file instead (the machine wired after it answers behind its hybrid port, and is wired
    anew whenever the file changes), or the template of an AN231E04 board: the dict has `port` in place of the rest.
    """
    by_hand = opener_for(options.spec_file, _text(options.spec_file), options.profile, options.seed)
    if by_hand is not None:
        _serve_by_hand(options, by_hand, ready)
        return
    spec = _load(options.spec_file)
    with closing(Loop()) as loop, _Stop(loop, options.until_eof):
        opener = _open_lucidac if spec.dialect == LUCIDAC_DIALECT else _open_bench
        if spec.oscillator is not None:
            opener = _open_oscillator
        opened, truth = opener(loop, options, spec)
        if options.truth_file is not None:
            _write(options.truth_file, truth() + "\n")
        if options.bench_file is not None:
            _write(options.bench_file, opened["bench_toml"])
        ready(
            opened
            | {
                "bench": str(options.bench_file.resolve()) if options.bench_file else None,
                "pid": os.getpid(),
                "spec": spec.name,
                "profile": options.profile,
                "seed": options.seed,
            }
        )
        loop.run()


def _serve_by_hand(
    options: EmulatorOptions, opener: Callable[[Loop], str], ready: Callable[[dict[str, Any]], None]
) -> None:
    if options.baud or options.faults != Faults():
        raise DesignError("this board is emulated without faults and paced lines; leave --fault and --baud out")
    with closing(Loop()) as loop, _Stop(loop, options.until_eof):
        ready({"port": opener(loop), "pid": os.getpid(), "profile": options.profile, "seed": options.seed})
        loop.run()


Opened = tuple[dict[str, Any], Callable[[], str]]


def _open_lucidac(loop: Loop, options: EmulatorOptions, spec: BoardSpec) -> Opened:
    if options.baud or options.faults != Faults():
        raise DesignError(f"board {spec.name} is emulated without faults and paced lines; leave --fault and --baud out")
    opened, truth = open_lucidac(loop, spec, options.spec_file.resolve(), options.profile, options.seed)
    return opened, lambda: truth


def _open_bench(loop: Loop, options: EmulatorOptions, spec: BoardSpec) -> Opened:
    scope_wire: list[AbstractScope] = []
    analog = AnalogBoard(
        spec,
        options.profile,
        options.seed,
        temperature_C=options.temperature_C,
        clock_s=3600 * options.clock_hours,
        planted=Planted(options.faults.dead, options.faults.noisy, options.faults.stuck_probe, options.inl),
        moved=Moved(options.faults.moved, options.faults.moved_gain, options.faults.moved_V),
        listener=lambda trace: scope_wire[0].trigger(trace),
    )
    scope_wire.append(scope_class(options.scope)(analog.randomness))
    analog.warm_up()
    return _open(loop, options, analog, scope_wire[0]), lambda: truth_json(analog)


def _open_oscillator(loop: Loop, options: EmulatorOptions, spec: BoardSpec) -> Opened:
    f = options.faults
    if any((f.dead, f.noisy, f.stuck_probe, f.moved)):
        raise DesignError(f"board {spec.name} has no planted defects; leave dead, noisy, stuck_probe and moved out")
    scope_wire: list[AbstractScope] = []
    analog = OscillatorBoard(spec, options.profile, options.seed, lambda trace: scope_wire[0].trigger(trace))
    scope_wire.append(scope_class(options.scope)(analog.randomness))
    return _open(loop, options, analog, scope_wire[0]), lambda: oscillator_truth_json(analog)


def _load(file: Path) -> BoardSpec:
    try:
        beside = {table.name: table.read_text() for table in file.parent.glob("*.csv")}
    except OSError as error:
        raise DesignError(f"the tables beside {file} cannot be read: {error.strerror}") from error
    return BoardSpec.from_toml(_text(file), beside)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise DesignError(f"the board spec {file} cannot be read: {error.strerror}; give the path of a spec") from error


def _write(file: Path, text: str) -> None:
    part = file.with_name(file.name + ".part")
    try:
        part.write_text(text)
        part.replace(file)
    except OSError as error:
        raise DesignError(f"{file} cannot be written: {error.strerror}; choose another place") from error


def _open(
    loop: Loop, options: EmulatorOptions, analog: AnalogBoard | OscillatorBoard, scope: AbstractScope
) -> dict[str, Any]:
    randomness, name = analog.randomness, board_id(analog.randomness)
    digital = DigitalBoard(
        analog.spec, analog, time.monotonic, name, lambda: options.temperature_C, options.faults.power
    )
    port = BoardPort(loop, digital, options.faults, randomness, options.baud)
    instruments: dict[str, Instrument] = {
        "scope": scope,
        "dmm": Meter(randomness, analog.reference),
        "scanner": Scanner(
            randomness, lambda channel: analog.reference() if channel == 101 else analog.probe(channel - 101)
        ),
        "smu": SourceMeasureUnit(randomness),
    }
    doors = {
        title: serve_instrument(loop, instrument, options.faults, randomness, title)[0]
        for title, instrument in instruments.items()
    }
    board = {"url": port.url, "id": name}
    resources = {title: resource["hislip"] for title, resource in doors.items()}
    text = bench_text(analog.spec, options.spec_file.resolve(), board, resources, options.scope, options.extra)
    return {"board": board, **doors, "bench_toml": text}


class _Stop:
    """Stops the loop at SIGTERM and SIGINT (in the main thread) and at the end of standard input."""

    def __init__(self, loop: Loop, until_eof: bool) -> None:
        self._loop = loop
        self._until_eof = until_eof
        self._before: dict[int, Any] = {}

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            self._ours, self._theirs = socket.socketpair()
            self._theirs.setblocking(False)
            self._loop.watch(self._ours, self._loop.stop)
            self._wakeup = signal.set_wakeup_fd(self._theirs.fileno(), warn_on_full_buffer=False)
            for number in (signal.SIGTERM, signal.SIGINT):
                self._before[number] = signal.signal(number, lambda *_: None)
        if self._until_eof:
            self._loop.watch(sys.stdin.fileno(), self._read)

    def _read(self) -> None:
        if not os.read(sys.stdin.fileno(), 4096):
            self._loop.stop()

    def __exit__(self, *_: object) -> None:
        if self._before:
            signal.set_wakeup_fd(self._wakeup)
            for number, handler in self._before.items():
                signal.signal(number, handler)
            self._ours.close()
            self._theirs.close()


def main(arguments: list[str] | None = None) -> int:
    """`python -m jackfield.emulator`: prints one JSON line when ready; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m jackfield.emulator", description=__doc__)
    parser.add_argument("spec", type=Path, help="board spec, a TOML file")
    parser.add_argument("--profile", default="cmos", help="statistics of the spec")
    parser.add_argument("--seed", type=int, default=0, help="which board of that profile")
    parser.add_argument("--truth", type=Path, help="write what was drawn, for scoring")
    parser.add_argument("--bench", type=Path, help="write bench.toml")
    parser.add_argument("--baud", type=int, default=0, help="pace serial bytes")
    parser.add_argument("--clock", type=float, default=0.0, help="hours since the board was made")
    parser.add_argument("--temperature", type=float, default=NOMINAL_C, help="in C")
    parser.add_argument("--fault", action="append", default=[], metavar="NAME=NUMBER", help=Faults.__doc__)
    parser.add_argument("--inl", choices=FAMILIES, default="smooth", help="what makes the gain DACs non-linear")
    parser.add_argument("--scope", default="keysight-infiniivision", help="the oscilloscope, by its driver's name")
    parser.add_argument("--extra", action="append", default=[], choices=EXTRAS, help="into bench.toml too")
    parser.add_argument("--until-eof", action="store_true", help="end when standard input does")
    given = parser.parse_args(arguments)
    try:
        options = EmulatorOptions(
            spec_file=given.spec,
            profile=given.profile,
            seed=given.seed,
            truth_file=given.truth,
            bench_file=given.bench,
            baud=given.baud,
            clock_hours=given.clock,
            temperature_C=given.temperature,
            until_eof=given.until_eof,
            inl=given.inl,
            scope=given.scope,
            extra=tuple(given.extra),
            faults=Faults.parse(given.fault),
        )
        serve(options, _print)
    except JackfieldError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _print(opened: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(opened) + "\n")
    sys.stdout.flush()
