"""What a board is, as data: parsed from one TOML text, SI units, strict."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

from jackfield.board.canonical import canonical_json
from jackfield.board.cell import Cell, Cells
from jackfield.board.parse import parse_spec
from jackfield.board.parts import CellGroup, LinkSpec, NodeSpec, OscillatorSpec, Probe, RunSpec, Tolerance
from jackfield.errors import DesignError

__all__ = ["BoardSpec"]


@dataclass(frozen=True)
class BoardSpec:
    """A board: `nodes`, groups of cells, run control, probes, link, tolerances, statistics by profile.

    `oscillator` is None for boards whose nodes integrate: all but those of kind "oscillator".
    `hardware` is the revision that the numbers are those of, "" where there is only one.
    """

    name: str
    dialect: str
    doc: str
    hardware: str
    nodes: NodeSpec
    groups: tuple[CellGroup, ...]
    run: RunSpec
    probe: Probe
    link: LinkSpec
    tolerance: Tolerance
    statistics: Mapping[str, Mapping[str, float]]
    oscillator: OscillatorSpec | None
    identity: Mapping[str, Any] = field(repr=False)

    @classmethod
    def from_toml(cls, text: str, files: Mapping[str, str] | None = None) -> Self:
        """The board that `text` describes; `files` maps the names that it refers to (reach tables) to texts.

        Raises DesignError, naming key and place, where a key is unknown, missing, of a wrong type or value.
        """
        return cls(**parse_spec(text, files or {}))

    @cached_property
    def digest(self) -> str:
        """SHA-256, in hex, of the canonical JSON of the spec without statistics, tolerance and doc."""
        return hashlib.sha256(canonical_json(self.identity)).hexdigest()

    @property
    def cell_count(self) -> int:
        """Cells of all groups."""
        return sum(group.count for group in self.groups)

    @cached_property
    def cells(self) -> Cells:
        """Names of all cells in spec order."""
        return Cells(tuple((group.name, group.count) for group in self.groups))

    def cell_index(self, cell: Cell) -> int:
        """The index of `cell` in spec order; DesignError where the board has no such cell."""
        group = self.group(cell.group)
        if cell.number > group.count:
            raise DesignError(f"cell {cell} is asked, group {group.name} of board {self.name} ends at {group.count}")
        return group.first + cell.number - 1

    def group(self, name: str) -> CellGroup:
        """The group called `name`; DesignError where there is none."""
        for group in self.groups:
            if group.name == name:
                return group
        known = ", ".join(group.name for group in self.groups)
        raise DesignError(f"board {self.name} has no cell group {name!r}; it has {known}")

    def group_of(self, index: int) -> CellGroup:
        """The group of the cell with `index`."""
        for group in self.groups:
            if group.first <= index < group.first + group.count:
                return group
        raise DesignError(f"cell index {index} is asked, board {self.name} has 0..{self.cell_count - 1}")

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """Names of all cell parameters, each once, in wire order."""
        return tuple(dict.fromkeys(name for group in self.groups for name in group.parameters))

    @property
    def payload_bytes(self) -> int:
        """Size of an image's payload."""
        bank = sum(group.count * group.cell_bits for group in self.groups) + self.nodes.count * self.nodes.trim.bits
        return -(-bank * self.run.banks // 8)
