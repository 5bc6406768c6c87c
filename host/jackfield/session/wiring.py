"""Whether a bench is wired as its file says: trigger, ground and reference on each probe, each probe on its channel."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from jackfield.board import ConfigImage, Measurement, RunProgram
from jackfield.errors import JackfieldError
from jackfield.units import format_quantity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from jackfield.bench import Bench
    from jackfield.device import AbstractBoard

__all__ = ["WiringFinding", "check_wiring"]

REFERENCE_SHARE = 0.05  # by how much the reference may miss its nominal value
GROUND_SHARE = 0.05  # of the rail, by how much a probe's ground may miss zero
STEP_SHARE = 0.10  # of the reference, by how much a probe's reference slot may miss it
NODE_SHARE = 0.10  # of the rail, by how much a node may miss its preset, uncalibrated
PRESET_SHARE = 0.5  # of the rail, the largest preset that is used


@dataclass(frozen=True)
class WiringFinding:
    """One connection: what was asked, whether it is there, what was seen, what to do."""

    name: str
    ok: bool
    seen: str
    cure: str = ""


def check_wiring(bench: "Bench[AbstractBoard]", tell: Callable[[WiringFinding], None]) -> list[WiringFinding]:
    """All findings, each told as it is made.

    The board is left with an empty configuration: no cell is on; nodes are preset to half of the rail, channels of
    resonators to a quarter period, at most.
    """
    findings: list[WiringFinding] = []
    for finding in _findings(bench):
        findings.append(finding)
        tell(finding)
    return findings


def _findings(bench: "Bench[AbstractBoard]") -> Iterator[WiringFinding]:
    yield WiringFinding("board", True, f"{bench.board.hello.board_id}, a {bench.spec.name}")
    for identity in bench.identities:
        yield WiringFinding("instrument", True, identity)
    bench.board.safe()
    if bench.voltmeter is not None:
        yield _guarded("meter on reference", lambda: _reference(bench, bench.reference_V()))
    if bench.scanner is not None:
        yield from _scanned(bench)
    if bench.digitizer is None:
        yield WiringFinding("probes", True, "none to check: the board reads its nodes itself")
    else:
        yield from _run(bench)


def _guarded(name: str, check: Callable[[], WiringFinding]) -> WiringFinding:
    try:
        return check()
    except JackfieldError as error:
        return WiringFinding(name, False, str(error), "mend that, then check again")


def _reference(bench: "Bench[AbstractBoard]", volts: float, name: str = "meter on reference") -> WiringFinding:
    nominal = bench.spec.probe.reference_V
    ok = abs(volts - nominal) <= REFERENCE_SHARE * abs(nominal)
    seen = f"{format_quantity(volts, 'V', 5)}, the spec says {nominal:g} V"
    return WiringFinding(name, ok, seen, "" if ok else "put it on the board's reference jack")


def _scanned(bench: "Bench[AbstractBoard]") -> Iterator[WiringFinding]:
    assert bench.scanner is not None
    try:
        volts = bench.scanner.scan()
    except JackfieldError as error:
        yield WiringFinding("scanner", False, str(error), "mend that, then check again")
        return
    rail = max(abs(v) for v in bench.spec.nodes.rail_V)
    for jack, value in volts.items():
        if jack == "reference":
            yield _reference(bench, value, "scanner on reference")
        else:
            ok = abs(value) <= GROUND_SHARE * rail
            cure = "" if ok else f"the safe state has every probe at ground: find what this cable is on, not {jack}"
            yield WiringFinding(f"scanner on {jack}", ok, format_quantity(value, "V"), cure)


def _run(bench: "Bench[AbstractBoard]") -> Iterator[WiringFinding]:
    """One run in which each probe shows a node of its own at a voltage, or in a phase, of its own."""
    spec, probes = bench.spec, range(bench.spec.probe.count)
    rail = max(abs(v) for v in spec.nodes.rail_V)
    first, largest = (
        (1, PRESET_SHARE * rail) if spec.oscillator is None else (spec.oscillator.neurons + 1, PRESET_SHARE)
    )
    wanted = largest * np.linspace(-1.0, 1.0, len(probes)) if len(probes) > 1 else np.array([largest])
    presets = np.zeros((2, spec.nodes.count))
    presets[:, first - 1 : first - 1 + len(probes)] = wanted
    ticks = max(1, ceil(spec.run.min_s / spec.run.tick_s))
    program = RunProgram(steps=((0, ticks),), scan=tuple((first + probe,) for probe in probes))
    codes = spec.nodes.preset.code(presets)
    try:
        bench.board.apply(ConfigImage.safe(spec))
        measured = bench.measure(codes, program)
        shown = measured.values_V.mean(axis=0) if spec.oscillator is None else _phases(bench, codes, program)
    except JackfieldError as error:
        yield WiringFinding("trigger and probes", False, str(error), "mend that, then check again")
        return
    yield WiringFinding("trigger", True, f"seen; the two clocks agree to {1e6 * (measured.clock_ratio - 1):+.0f} ppm")
    for probe in probes:
        yield _slots(bench, measured, probe, rail)
    for probe in probes:
        yield _node(shown, wanted, probe, program.scan[probe][0], "V" if spec.oscillator is None else "pi", rail)


def _phases(bench: "Bench[AbstractBoard]", codes: "NDArray[np.int64]", program: RunProgram) -> "NDArray[np.float64]":
    """Of a board of resonators: phases in units of pi of the channels that the probes show."""
    scan = tuple((bench.spec.nodes.count, *nodes) for nodes in program.scan)
    return np.asarray(np.angle(bench.phasors(codes, replace(program, scan=scan)).phasor_V.mean(axis=0)) / np.pi)


def _slots(bench: "Bench[AbstractBoard]", measured: Measurement, probe: int, rail: float) -> WiringFinding:
    ground = float(measured.ground_V[:, probe].mean())
    step, nominal = float(measured.reference_V[:, probe].mean()) - ground, bench.reference_V()
    ok = abs(ground) <= GROUND_SHARE * rail and abs(step - nominal) <= STEP_SHARE * abs(nominal)
    seen = f"ground {format_quantity(ground, 'V')}, reference {format_quantity(step, 'V')} above it"
    cure = "" if ok else "check attenuation, coupling and impedance of its channel, then the cable"
    return WiringFinding(f"probe {probe + 1}", ok, seen, cure)


def _node(
    values: "NDArray[np.float64]", wanted: "NDArray[np.float64]", probe: int, node: int, unit: str, rail: float
) -> WiringFinding:
    """Ground and reference are the same on every probe: only the nodes tell swapped cables apart."""
    value = float(values[probe])
    shown = int(np.argmin(np.abs(wanted - value)))
    ok = shown == probe and abs(value - wanted[probe]) <= NODE_SHARE * (rail if unit == "V" else 1.0)
    found, preset = (
        format_quantity(volts, "V") if unit == "V" else f"{volts:+.3f} pi" for volts in (value, float(wanted[probe]))
    )
    cure = "" if ok else "its node does not hold the preset; run jackfield poke and look at the node"
    if shown != probe:
        cure = f"that is what probe {shown + 1} shows: their cables are swapped, or board_probe in the bench file"
    return WiringFinding(f"probe {probe + 1} on its channel", ok, f"node {node} at {found}, preset to {preset}", cure)
