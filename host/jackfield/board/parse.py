"""From a spec's TOML text to the parts of a BoardSpec."""

import tomllib
from collections.abc import Collection, Mapping
from typing import Any

from jackfield.board.cell import Cells
from jackfield.board.parts import (
    CellGroup,
    Injection,
    LinkSpec,
    NodeSpec,
    OscillatorSpec,
    Probe,
    RunSpec,
    Tolerance,
    Trigger,
)
from jackfield.board.reach import Reach
from jackfield.board.scale import CodeScale
from jackfield.board.section import Section
from jackfield.board.statistics import OSCILLATOR_STATISTICS, STATISTICS
from jackfield.errors import DesignError

__all__ = ["LAW_PARAMETERS", "PART_PARAMETERS", "parse_spec"]

LAW_PARAMETERS: Mapping[str, Mapping[str, str]] = {
    "shifted_relu": {"gain": "S", "threshold": "V"},
    "conductance": {"gain": "S"},
    "tanh_diff": {"a": "A", "b": "per_V", "c": "1"},
    "polynomial": {"g1": "S", "g2": "S_per_V", "g3": "S_per_V2"},
}
"""Parameters that a cell of each law has on a board, in wire order, with their units."""
PART_PARAMETERS: Mapping[str, Mapping[str, str]] = {
    "integrator": {"rate": "per_s"},
    "lane": {"coefficient": "1", "upscale": "1"},
    "multiplier": {},
}
"""Parts of boards of integrators and multipliers, which have lanes instead of two-terminal elements."""
KINDS = ("elements", "oscillator")
OSCILLATOR_PARAMETERS: Mapping[str, Mapping[str, str]] = {"drive": {"gain": "S"}}
"""Cells of boards of resonators: the current that a channel's voltage drives into a resonator."""
_ADVICE = "`template.toml` explains each key"


def parse_spec(text: str, files: Mapping[str, str]) -> dict[str, Any]:
    """Keyword arguments of BoardSpec; raises DesignError as BoardSpec.from_toml does."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DesignError(f"the board spec is not TOML: {error}; compare it with template.toml") from error
    top = Section(values, "", _ADVICE)
    oscillating = top.choice("kind", KINDS, KINDS[0]) == "oscillator"
    nodes = _nodes(top.table("nodes"), oscillating)
    probe = _probe(top.table("probe"))
    oscillator = _oscillator(top.table("oscillator"), nodes, probe) if oscillating else None
    parts = {
        "name": top.take("name", str),
        "dialect": top.take("dialect", str),
        "doc": top.take("doc", str),
        "hardware": top.take("hardware", str, ""),
        "nodes": nodes,
        "groups": _groups(top.tables("cells"), nodes.count, files, oscillator),
        "run": _run(top.table("run")),
        "probe": probe,
        "link": _link(top.table("link")),
        "tolerance": _tolerance(top.table("tolerance")),
        "statistics": _statistics(
            top.table("statistics", optional=True), OSCILLATOR_STATISTICS if oscillating else STATISTICS
        ),
        "oscillator": oscillator,
        "identity": _identity(values, files),
    }
    top.close()
    return parts


def _identity(values: Mapping[str, Any], files: Mapping[str, str]) -> dict[str, Any]:
    kept = {key: value for key, value in values.items() if key not in ("statistics", "tolerance", "doc")}
    # The routes are part of what the board is, wherever the file with them lies.
    tables = {row["reach"]["file"]: files[row["reach"]["file"]] for row in kept["cells"] if "file" in row["reach"]}
    return kept | ({"reach_files": tables} if tables else {})


def _scale(section: Section, unit: str) -> CodeScale:
    lo, hi = section.numbers(f"range_{unit}", 2)
    scale = CodeScale(lo, hi, section.count("bits"), section.take("coding", str), unit)
    return scale


def _closed_scale(section: Section, unit: str) -> CodeScale:
    scale = _scale(section, unit)
    section.close()
    return scale


def _oscillator(section: Section, nodes: NodeSpec, probe: Probe) -> OscillatorSpec:
    frequency_Hz, neurons = section.positive("frequency_Hz"), section.count("neurons")
    periods = probe.slot_s * frequency_Hz
    read = int(periods * (1 - probe.settle_fraction) + 1e-9)
    drive_V, spike = section.positive("drive_V"), section.table("spike")
    times_s = spike.positive("width_s"), spike.positive("refractory_s")
    oscillator = OscillatorSpec(
        neurons, frequency_Hz, drive_V, times_s[0], spike.positive("threshold_V"), times_s[1], read
    )
    spike.close()
    section.close()
    if max(times_s) * frequency_Hz >= 1:
        raise DesignError(f"oscillator: spikes of {times_s} s leave no period of {1 / frequency_Hz:g} s; shorten them")
    if neurons >= nodes.count:
        raise DesignError(f"oscillator: {neurons} of {nodes.count} nodes are neurons; leave nodes for drive channels")
    if abs(periods - round(periods)) > 1e-6 or read < 1:
        raise DesignError(
            f"oscillator: a slot of {probe.slot_s:g} s holds {periods:g} periods, {read} whole ones are read; "
            "give a slot_s of whole periods and a settle_fraction that leaves one"
        )
    return oscillator


def _nodes(section: Section, oscillating: bool) -> NodeSpec:
    preset = section.table("preset")
    rail = section.numbers("rail_V", 2)
    nodes = NodeSpec(
        count=section.count("count"),
        capacitance_F=section.positive("capacitance_F"),
        rail_V=(rail[0], rail[1]),
        common_mode_V=section.take("common_mode_V", float),
        leak_S=section.positive("leak_S") if oscillating else section.take("leak_S", float),
        hold_droop_V_per_s=0.0 if oscillating else section.take("hold_droop_V_per_s", float),
        preset_settle_s=preset.positive("settle_s"),
        preset=_closed_scale(preset, "pi" if oscillating else "V"),
        trim=_closed_scale(section.table("trim"), "1" if oscillating else "A"),
        clamp=section.take("clamp", bool, False),
        injection=_injection(section.table("injection")) if section.has("injection") else None,
    )
    section.close()
    if not rail[0] < rail[1]:
        raise DesignError(f"nodes: rail_V = {list(rail)} must be [low, high]")
    return nodes


def _injection(section: Section) -> Injection:
    waves = section.choice("kind", ("constant", "waveform")) == "waveform"
    points = section.count("points") if waves else 1
    if waves and points < 2:
        raise DesignError('nodes.injection: a waveform of 1 point is a constant; give 2 or more, or kind = "constant"')
    return Injection(points, _closed_scale(section, "A"))


def _groups(
    sections: list[Section], nodes: int, files: Mapping[str, str], oscillator: OscillatorSpec | None
) -> tuple[CellGroup, ...]:
    groups: list[CellGroup] = []
    for section in sections:
        name, law = section.take("group", str), section.take("law", str)
        known = OSCILLATOR_PARAMETERS if oscillator else {**LAW_PARAMETERS, **PART_PARAMETERS}
        if law not in known:
            raise DesignError(f"group {name}: law {law!r} is not a board's; known are {', '.join(known)}")
        if not (name.isascii() and name.isupper() and name.isalpha()) or name in (g.name for g in groups):
            raise DesignError(f"group name {name!r} must be capital letters and used once")
        count = section.count("count")
        group = CellGroup(
            name=name,
            law=law,
            count=count,
            first=sum(g.count for g in groups),
            parameters={key: _closed_scale(section.table(key), unit) for key, unit in known[law].items()},
            reach=_matrix(section.table("reach"), nodes, count, oscillator)
            if oscillator
            else _reach(section.table("reach"), nodes, Cells(((name, count),)), files),
            output_limit_A=section.positive("output_limit_A"),
            bandwidth_Hz=section.positive("bandwidth_Hz"),
        )
        section.close()
        groups.append(group)
    return tuple(groups)


def _reach(section: Section, nodes: int, cells: Cells, files: Mapping[str, str]) -> Reach:
    kind = section.take("kind", str)
    table = None
    if kind == "listed":
        file = section.take("file", str)
        if file not in files:
            raise DesignError(f"the reach file {file} is not there; put it beside the spec")
        table = files[file]
    section.close()
    return Reach.parse(kind, nodes, cells, table)


def _matrix(section: Section, nodes: int, count: int, oscillator: OscillatorSpec) -> Reach:
    section.choice("kind", ("matrix",))
    section.close()
    wanted = oscillator.neurons * (nodes - oscillator.neurons)
    if count != wanted:
        raise DesignError(f"cells: {count} cells are given, a matrix of this board has {wanted}")
    return Reach.matrix(nodes, oscillator.neurons)


def _run(section: Section) -> RunSpec:
    run = RunSpec(
        banks=section.count("banks"),
        min_s=section.positive("min_s"),
        max_s=section.positive("max_s"),
        tick_s=section.positive("tick_s"),
        bank_switch_s=section.take("bank_switch_s", float),
        inputs=section.count("inputs"),
        sequence_depth=section.count("sequence_depth"),
    )
    section.close()
    return run


def _probe(section: Section) -> Probe:
    pulse = section.table("trigger")
    edge = pulse.choice("edge", ("rising", "falling"))
    trigger = Trigger(pulse.positive("width_s"), pulse.take("level_V", float), edge)
    pulse.close()
    probe = Probe(
        count=section.count("count"),
        slot_s=section.positive("slot_s"),
        settle_fraction=section.take("settle_fraction", float),
        reference_V=section.positive("reference_V"),
        output_ohm=section.positive("output_ohm"),
        absolute_max_V=section.positive("absolute_max_V"),
        trigger=trigger,
    )
    section.close()
    return probe


def _link(section: Section) -> LinkSpec:
    link = LinkSpec(
        baud=tuple(int(rate) for rate in section.numbers("baud")),
        frame_bytes=section.count("frame_bytes"),
        window=section.count("window"),
        watchdog_s=section.positive("watchdog_s"),
    )
    section.close()
    return link


def _tolerance(section: Section) -> Tolerance:
    names = ("gain_lsb", "threshold_lsb", "preset_lsb", "probe_lsb")
    tolerance = Tolerance(*(section.positive(name) for name in names))
    section.close()
    return tolerance


def _statistics(section: Section, known: Collection[str]) -> dict[str, dict[str, float]]:
    profiles = {}
    for name, table in section.rest().items():
        if not isinstance(table, dict):
            raise DesignError(f"statistics: {name} must be a table, [statistics.{name}]")
        profile = Section(table, f"statistics.{name}", _ADVICE)
        profiles[name] = {key: profile.take(key, float) for key in known}
        profile.close()
    return profiles
