"""What a calibration consists of and what relies on what: levels, and parts that can be asked for alone."""

from collections.abc import Sequence
from dataclasses import dataclass

from jackfield.errors import CalibrationError

__all__ = ["LEVELS", "PARTS", "Asked", "Part"]


@dataclass(frozen=True)
class Part:
    """`needs`: parts that must be measured before; `records` of the node routine; `tables` that it gives."""

    needs: tuple[str, ...]
    records: tuple[str, ...]
    tables: tuple[str, ...]


PARTS = {
    "presets": Part(
        (),
        ("preset", "leak"),
        (
            *("reference_V", "probe_gain", "probe_offset_V", "crosstalk"),
            *("preset_gain", "preset_offset_V", "leak_S", "node_offset_A"),
        ),
    ),
    "droop": Part(("presets",), ("droop",), ("droop_per_s",)),
    "trims": Part(("presets",), ("trim-up", "trim-down"), ("trim_gain",)),
    "offsets": Part(("presets", "droop"), (), ("current_offset_A",)),
    "cells": Part(("presets", "droop"), (), ()),
}
"""In the order in which they are measured. Tables of cells and of what they share are all the others."""

LEVELS = {"nodes": ("presets", "droop", "trims", "offsets"), "cells": tuple(PARTS)}


@dataclass(frozen=True)
class Asked:
    """Parts that were asked for, and all parts that have to be measured for them, in order."""

    parts: tuple[str, ...]
    measured: tuple[str, ...]
    alone: bool

    @classmethod
    def of(cls, level: str, only: Sequence[str] = ()) -> "Asked":
        """All of `level`, or `only` some parts whatever the level. Raises CalibrationError for unknown names."""
        if level not in LEVELS:
            raise CalibrationError(f"level {level!r} is unknown; use one of {', '.join(LEVELS)}")
        unknown = [name for name in only if name not in PARTS]
        if unknown:
            raise CalibrationError(f"part {unknown[0]!r} is unknown; a calibration has {', '.join(PARTS)}")
        parts = tuple(name for name in PARTS if name in (only or LEVELS[level]))
        needed = {need for name in parts for need in PARTS[name].needs}
        return cls(parts, tuple(name for name in PARTS if name in needed or name in parts), bool(only))

    @property
    def relies_on(self) -> tuple[str, ...]:
        """Parts that are measured for the sake of others alone; their tables are not kept."""
        return tuple(name for name in self.measured if name not in self.parts)

    @property
    def records(self) -> tuple[str, ...]:
        """Records of the node routine that have to be taken."""
        return tuple(record for name in self.measured for record in PARTS[name].records)

    def keeps(self, table: str) -> bool:
        """Whether the record gets `table`; a whole level keeps all it makes."""
        owners = {name for name, part in PARTS.items() if table in part.tables}
        if not owners or table == "current_offset_A":
            owners.add("cells")
        return not self.alone or bool(owners & set(self.parts))
