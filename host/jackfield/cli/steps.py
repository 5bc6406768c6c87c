"""What `jackfield poke` sets and reads: runs with no cell on, or with one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from jackfield.bench import Bench
from jackfield.board import BoardSpec, Cell, ConfigImage, Measurement, RunProgram
from jackfield.device import AbstractBoard
from jackfield.errors import DesignError
from jackfield.units import format_quantity, parse_quantity

__all__ = ["CellStep", "quiet_run", "read_at", "ticks_of"]

STEPS_OF_LAW = 200


def ticks_of(spec: BoardSpec, time: str) -> int:
    """Whole ticks in a text such as "100 us"; raises DesignError where it is no time."""
    return max(1, round(parse_quantity(time, "s") / spec.run.tick_s))


def read_at(read: Measurement, node: int) -> tuple[float, float]:
    """Volts and standard error of `node` in the only input of `read`."""
    at = read.nodes.index(node)
    return float(read.values_V[0, at]), float(read.se_V[0, at])


def quiet_run(
    bench: Bench[AbstractBoard],
    preset_V: Mapping[int, float],
    *,
    ticks: int | None = None,
    scanned: Sequence[int] = (),
    trim_A: Mapping[int, float] | None = None,
) -> Measurement:
    """Preset some nodes, run for `ticks` (the shortest run if None) with all cells off, and scan some nodes."""
    spec = bench.spec
    image = ConfigImage.safe(spec).copy()
    for node, amperes in (trim_A or {}).items():
        image.trim[0, _index(spec, node)] = spec.nodes.trim.code(amperes)
    shortest = int(np.ceil(spec.run.min_s / spec.run.tick_s * (1 - 1e-9)))
    return _run(bench, image, preset_V, shortest if ticks is None else ticks, scanned)


def _run(
    bench: Bench[AbstractBoard], image: ConfigImage, preset_V: Mapping[int, float], ticks: int, scanned: Sequence[int]
) -> Measurement:
    spec = bench.spec
    volts = np.zeros((1, spec.nodes.count))
    for node, value in preset_V.items():
        volts[0, _index(spec, node)] = value
    scan = tuple(tuple(scanned[probe :: spec.probe.count]) for probe in range(spec.probe.count))
    program = RunProgram(steps=((0, ticks),), scan=scan)
    codes = spec.nodes.preset.code(volts)
    bench.board.apply(image)
    return bench.measure(codes, program)


def _index(spec: BoardSpec, node: int) -> int:
    if not 1 <= node <= spec.nodes.count:
        raise DesignError(f"node {node} is asked, board {spec.name} has 1..{spec.nodes.count}")
    return node - 1


@dataclass(frozen=True)
class CellStep:
    """One cell of a board, switched on in bank 0 from node ends[0] to node ends[1] (0 is ground)."""

    spec: BoardSpec
    cell: int
    ends: tuple[int, int]
    codes: Mapping[str, int]

    @classmethod
    def parse(cls, spec: BoardSpec, name: str, values: Sequence[str], ends: tuple[int, int]) -> Self:
        """From words of the command line; an end below 0 is chosen.

        Raises DesignError for a cell, parameter, value or route that the board does not have.
        """
        cell = spec.cell_index(Cell.parse(name))
        group = spec.group_of(cell)
        given = dict(text.partition("=")[::2] for text in values)
        if set(given) != set(group.parameters):
            raise DesignError(f"cell {name} takes {', '.join(group.parameters)}; set each, like --set gain='50 uS'")
        codes = {
            key: int(scale.code(parse_quantity(given[key], scale.unit))) for key, scale in group.parameters.items()
        }
        return cls(spec, cell, _route(spec, cell, ends), codes)

    @property
    def parameters(self) -> dict[str, float]:
        """What the codes give nominally, SI."""
        scales = self.spec.group_of(self.cell).parameters
        return {name: float(scales[name].value(code)) for name, code in self.codes.items()}

    def __str__(self) -> str:
        scales = self.spec.group_of(self.cell).parameters
        values = ", ".join(f"{name} {format_quantity(v, scales[name].unit)}" for name, v in self.parameters.items())
        ends = "->".join(f"n{node}" if node else "ground" for node in self.ends)
        return f"cell {self.spec.cells[self.cell]}, {ends}, {values}"

    def run(self, bench: Bench[AbstractBoard], start_V: tuple[float, float], ticks: int) -> Measurement:
        """Preset both ends, run, read both ends."""
        image = ConfigImage.safe(self.spec).copy()
        at = (0, self.cell)
        image.enable[at], image.source[at], image.destination[at] = True, *self.ends
        for name, code in self.codes.items():
            image.codes[name][at] = code
        preset = {node: volts for node, volts in zip(self.ends, start_V, strict=True) if node}
        return _run(bench, image, preset, ticks, tuple(preset))

    def expected(self, start_V: tuple[float, float], ticks: int) -> tuple[float, float]:
        """Volts at both ends after the run, by the cell's law on the nominal board."""
        import torch

        from jackfield.physics import LAWS, cell_response

        farads, none = self.spec.nodes.capacitance_F, torch.zeros((), dtype=torch.float64)
        volts = [
            torch.tensor(v if node else 0.0, dtype=torch.float64) for v, node in zip(start_V, self.ends, strict=True)
        ]
        loads = [torch.tensor(farads if node else np.inf, dtype=torch.float64) for node in self.ends]
        values = {name: torch.tensor(value, dtype=torch.float64) for name, value in self.parameters.items()}
        law = LAWS[self.spec.group_of(self.cell).law]
        seconds = ticks * self.spec.run.tick_s
        leak = none + self.spec.nodes.leak_S
        (v_s, v_d), (c_s, c_d) = volts, loads
        end = cell_response(law, values, None, v_s, v_d, c_s, c_d, leak, leak, none, none, seconds, STEPS_OF_LAW)
        return float(end[0]), float(end[1])


def _route(spec: BoardSpec, cell: int, ends: tuple[int, int]) -> tuple[int, int]:
    group = spec.group_of(cell)
    reach, number = group.reach, cell - group.first
    sources = [ends[0]] if ends[0] >= 0 else reach.sources(number)
    destinations = [ends[1]] if ends[1] >= 0 else reach.destinations(number)
    # Ground last: a cell between two nodes shows more than one at ground.
    for source in sorted(sources, key=lambda node: node == 0):
        for destination in sorted(destinations, key=lambda node: node == 0):
            if reach.allows(number, source, destination):
                return source, destination
    raise DesignError(
        f"cell {spec.cells[cell]} cannot run from {ends[0]} to {ends[1]}; its sources are "
        f"{_few(reach.sources(number))}, its destinations {_few(reach.destinations(number))}"
    )


def _few(nodes: Sequence[int]) -> str:
    return ", ".join(str(node) for node in nodes) if len(nodes) < 9 else f"{nodes[0]}..{nodes[-1]}"
