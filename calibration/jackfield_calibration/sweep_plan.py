"""A sweep as a TOML file: what stays, what varies, what is read.

[sweep]   repeat = 3, image = "x.jfi" (what runs besides; all cells off without)
[set]     "node.3.preset" = "0.5 V", "cell.A17.threshold" = "0.1 V", "run.duration" = "100 us"
[[axes]]  quantity = "cell.A17.gain", from = "-75 uS", to = "75 uS", points = 16   (or values = [...])
[read]    quantities = ["node.4", "probe.1.ground", "meter.reference"]
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from jackfield.board import Section
from jackfield.errors import DesignError
from jackfield.units import parse_quantity
from jackfield_calibration.sweep import Axis

__all__ = ["SweepPlan"]

_HINT = "calibration/README.md has a whole plan"


@dataclass(frozen=True)
class SweepPlan:
    """`fixed` quantities, `axes` of the grid (the first outermost), what to `read`, how often, and over which image."""

    fixed: Mapping[str, float]
    axes: tuple[Axis, ...]
    read: tuple[str, ...]
    repeat: int
    image: str

    @property
    def readings(self) -> int:
        """How many there will be."""
        return self.repeat * int(np.prod([len(axis.values) for axis in self.axes], dtype=np.int64))

    @classmethod
    def from_toml(cls, text: str, unit_of: Callable[[str], str]) -> "SweepPlan":
        """The plan in `text`; `unit_of` tells the unit of a quantity, or raises DesignError where there is none.

        Raises DesignError where the text is no TOML, a key is unknown or missing, or a value has another unit.
        """
        try:
            root = Section(tomllib.loads(text), "plan", _HINT)
        except tomllib.TOMLDecodeError as error:
            raise DesignError(f"the plan is not valid TOML: {error}; correct that line") from error
        about = root.table("sweep", optional=True)
        repeat, image = about.count("repeat") if about.has("repeat") else 1, about.take("image", str, "")
        fixed = root.take("set", dict, {})
        read = root.table("read")
        quantities = tuple(read.take("quantities", list))
        axes = tuple(_axis(table, unit_of) for table in root.tables("axes"))
        for section in (about, read, root):
            section.close()
        if not quantities or not axes:
            raise DesignError(f"the plan reads nothing or varies nothing; {_HINT}")
        values = {name: _value(value, unit_of(name)) for name, value in fixed.items()}
        return cls(values, axes, quantities, repeat, image)


def _axis(table: Section, unit_of: Callable[[str], str]) -> Axis:
    name = table.take("quantity", str)
    unit = unit_of(name)
    if table.has("values"):
        values = tuple(_value(value, unit) for value in table.take("values", list))
    else:
        low, high = (_value(table.take(key, object), unit) for key in ("from", "to"))
        values = tuple(np.linspace(low, high, table.count("points")).tolist())
    table.close()
    return Axis(name, unit, values)


def _value(value: Any, unit: str) -> float:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise DesignError(f"{value!r} is no value; write a number in SI units, or text like '3.2 u{unit}'")
    return parse_quantity(value, unit) if isinstance(value, str) else float(value)
