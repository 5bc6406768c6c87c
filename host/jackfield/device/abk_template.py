"""Configurations that the vendor's software exported, and the places in them that may be changed.

Placement on an AN231E04 is closed: what a byte means is only known where somebody has exported the same circuit with
two values and compared. A template file names such places:

    configuration = "low_pass.ahf"     # hexadecimal text, as exported; white space does not count
    doc = "..."
    [parameters.gain]                  # one table a name
    offset = 73                        # byte in the configuration, from 0
    bits = 8                           # of that byte, the lowest ones
    range = [0.0, 4.0]                 # what its lowest and highest codes mean
    unit = "1"
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from jackfield.board import CodeScale, Section
from jackfield.errors import DesignError

__all__ = ["AbkTemplate", "Place"]

ADVICE = "the first comment of device/abk_template.py has a whole template"


@dataclass(frozen=True)
class Place:
    """The lowest bits of byte `offset`, and what they mean."""

    offset: int
    scale: CodeScale


@dataclass(frozen=True)
class AbkTemplate:
    """A vendor-exported configuration with named places; frozen, as exported."""

    configuration: bytes
    places: Mapping[str, Place]
    doc: str

    @classmethod
    def from_toml(cls, text: str, files: Mapping[str, str]) -> Self:
        """The template in `text`; `files` maps the name of the configuration to its hexadecimal text.

        Raises DesignError, naming the key, where something is missing, unknown or does not fit.
        """
        try:
            top = Section(tomllib.loads(text), "", ADVICE)
        except tomllib.TOMLDecodeError as error:
            raise DesignError(f"the template is not TOML: {error}; {ADVICE}") from error
        name = top.take("configuration", str)
        if name not in files:
            raise DesignError(f"the configuration {name} is not there; put it beside the template")
        try:
            configuration = bytes.fromhex("".join(files[name].split()))
        except ValueError as error:
            raise DesignError(
                f"{name} is no hexadecimal text: {error}; export it from the vendor's software"
            ) from error
        doc, rows = top.take("doc", str, ""), top.table("parameters", optional=True).rest()
        top.close()
        return cls(configuration, {key: _place(key, row, len(configuration)) for key, row in rows.items()}, doc)

    def patched(self, values: Mapping[str, float]) -> bytes:
        """The configuration with `values` at their places, everything else as exported.

        Raises DesignError where a name is unknown or a value out of its range.
        """
        result = bytearray(self.configuration)
        for name, value in values.items():
            if name not in self.places:
                known = ", ".join(self.places) or "none"
                raise DesignError(f"parameter {name!r} is asked, the template has {known}; add its place")
            place = self.places[name]
            mask = (1 << place.scale.bits) - 1
            result[place.offset] = result[place.offset] & ~mask | int(place.scale.code(value))
        return bytes(result)

    def values(self, configuration: bytes | None = None) -> dict[str, float]:
        """What the named places of `configuration` (None: the exported one) mean."""
        data = self.configuration if configuration is None else configuration
        return {
            name: float(place.scale.value(data[place.offset] & (1 << place.scale.bits) - 1))
            for name, place in self.places.items()
        }


def _place(name: str, row: Any, size: int) -> Place:
    if not isinstance(row, dict):
        raise DesignError(f"parameters: {name} must be a table, [parameters.{name}]")
    section = Section(row, f"parameters.{name}", ADVICE)
    offset, bits = section.take("offset", int), section.take("bits", int, 8)
    low, high = section.numbers("range", 2)
    scale = CodeScale(low, high, bits, "unipolar", section.take("unit", str))
    section.close()
    if not 0 <= offset < size or bits > 8:
        raise DesignError(
            f"parameters.{name}: byte {offset}, {bits} bits; the configuration has bytes 0..{size - 1} of 8"
        )
    return Place(offset, scale)
