"""What is odd about a board spec that parses: nothing here is an error, each finding says what it would cost."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import hypot, pi, sqrt

from jackfield.board import BoardSpec, CellGroup
from jackfield.units import format_quantity

__all__ = ["Finding", "check_spec"]


@dataclass(frozen=True)
class Finding:
    """`where` in the spec, and what is odd there."""

    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


def check_spec(spec: BoardSpec) -> list[Finding]:
    """Oddities of `spec` in the order of its sections; an empty list where there are none."""
    found = [*_nodes(spec)]
    for group in spec.groups:
        found += [*_speed(spec, group), *_reach(spec, group)]
    return [*found, *_offsets(spec), *_run(spec), *_probe(spec)]


def _nodes(spec: BoardSpec) -> Iterator[Finding]:
    lo, hi = spec.nodes.rail_V
    preset = spec.nodes.preset
    if preset.lo < lo or preset.hi > hi:
        yield Finding("nodes.preset", f"range [{preset.lo:g}, {preset.hi:g}] V goes beyond the rails")
    if preset.lo > lo / 2 or preset.hi < hi / 2:
        yield Finding("nodes.preset", f"range [{preset.lo:g}, {preset.hi:g}] V uses less than half of the rails")
    if not lo < spec.nodes.common_mode_V < hi:
        yield Finding("nodes.common_mode_V", f"{spec.nodes.common_mode_V:g} V is not between the rails")
    if spec.nodes.leak_S * spec.run.min_s > 0.1 * spec.nodes.capacitance_F:
        yield Finding("nodes.leak_S", "a node loses more than a tenth of its charge in the shortest run")


def _speed(spec: BoardSpec, group: CellGroup) -> Iterator[Finding]:
    gain = group.parameters.get("gain")
    if gain is None:
        return
    unit_s = spec.nodes.capacitance_F / max(abs(gain.lo), abs(gain.hi))
    text = f"the largest gain charges a node in C/g = {format_quantity(unit_s, 's')}"
    where = f"cells {group.name}.gain"
    if unit_s < 10 * spec.run.tick_s:
        yield Finding(where, f"{text}, less than 10 ticks of {format_quantity(spec.run.tick_s, 's')}: runs are coarse")
    if unit_s > spec.run.max_s:
        yield Finding(where, f"{text}, longer than the longest run of {format_quantity(spec.run.max_s, 's')}")
    if unit_s < 10 / (2 * pi * group.bandwidth_Hz):
        band = format_quantity(group.bandwidth_Hz, "Hz")
        yield Finding(where, f"{text}, not much slower than the cell's bandwidth of {band}: the law will not hold")
    if gain.lo >= 0:
        yield Finding(where, "gains have one sign; circuits trained with both signs will not fit")


def _reach(spec: BoardSpec, group: CellGroup) -> Iterator[Finding]:
    for ends, lists in (("source", group.reach.source_lists), ("destination", group.reach.destination_lists)):
        if lists is None:
            continue
        missing = sorted(set(range(1, spec.nodes.count + 1)) - {int(node) for node in lists.flat})
        if missing:
            nodes = ", ".join(str(node) for node in missing)
            yield Finding(f"cells {group.name}.reach", f"no cell has node {nodes} as {ends}")


def _offsets(spec: BoardSpec) -> Iterator[Finding]:
    if not spec.statistics:
        yield Finding("statistics", "there are none, so the board can only be emulated ideally")
    ends = 2 / (spec.nodes.count + 1)
    for name, profile in spec.statistics.items():
        share = profile["cell_current_offset"]
        cells = sqrt(sum(ends * group.count * (share * group.output_limit_A) ** 2 for group in spec.groups))
        node = profile["node_offset_current"] * max(group.output_limit_A for group in spec.groups)
        sigma = hypot(cells, node)
        if 3 * sigma > spec.nodes.trim.hi:
            yield Finding(
                "nodes.trim",
                f"range {format_quantity(spec.nodes.trim.hi, 'A')} is below 3 sigma of a node's summed offset on "
                f"profile {name}, {format_quantity(3 * sigma, 'A')}: some nodes cannot be trimmed",
            )


def _run(spec: BoardSpec) -> Iterator[Finding]:
    if spec.run.min_s > spec.run.max_s:
        yield Finding("run", f"min_s = {spec.run.min_s:g} is above max_s = {spec.run.max_s:g}: nothing can run")
    if spec.run.bank_switch_s > spec.run.min_s / 2:
        yield Finding("run.bank_switch_s", "a switch takes more than half of the shortest run")
    drift = spec.nodes.trim.lsb * spec.run.min_s / spec.nodes.capacitance_F
    if drift > 0.01 * spec.nodes.rail_V[1]:
        yield Finding("nodes.trim", f"one LSB moves a node by {format_quantity(drift, 'V')} even in the shortest run")


def _probe(spec: BoardSpec) -> Iterator[Finding]:
    probe, rail = spec.probe, spec.nodes.rail_V[1]
    if not 0.3 * rail <= probe.reference_V <= rail:
        yield Finding("probe.reference_V", f"{probe.reference_V:g} V is a poor ruler for nodes of up to {rail:g} V")
    if probe.absolute_max_V < rail:
        yield Finding("probe.absolute_max_V", "a node at its rail exceeds what the probe may show")
    if not 0 <= probe.settle_fraction < 0.9:
        yield Finding("probe.settle_fraction", f"{probe.settle_fraction:g} leaves almost nothing of a slot to average")
    if probe.trigger.width_s > spec.nodes.preset_settle_s + spec.run.min_s:
        yield Finding("probe.trigger.width_s", "the trigger pulse is longer than the shortest input")
