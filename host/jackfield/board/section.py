"""Strict reading of TOML tables: every key is known, every value has its type, every message its place."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from jackfield.errors import DesignError

__all__ = ["Section"]

Kind = TypeVar("Kind")
_WANTED: Mapping[type, str] = {
    str: "a text in quotes",
    bool: "true or false",
    int: "an integer",
    float: "a number",
    dict: "a table",
    list: "a list",
}


class Section:
    """One table of a TOML file; keys are taken one by one and `close` refuses what is left.

    `advice` ends the message about a missing key: where keys are explained.
    """

    def __init__(self, values: Mapping[str, Any], place: str, advice: str) -> None:
        self.place = place
        self._values = dict(values)
        self._advice = advice
        self._known: list[str] = []

    def take(self, key: str, kind: type[Kind], default: Kind | None = None) -> Kind:
        """The value of `key`; DesignError where it is missing (and has no default) or of another type."""
        if not self.has(key):
            if default is not None:
                return default
            raise DesignError(self._lacking(key))
        value = self._values.pop(key)
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if isinstance(value, float) and math.isnan(value):
            raise self._wrong(key, value, "a number")
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self._wrong(key, value, _WANTED[kind])
        return value

    def _wrong(self, key: str, value: object, wanted: str) -> DesignError:
        return DesignError(f"{self.place or 'top level'}: {key} = {value!r}; give {wanted}")

    def _lacking(self, key: str) -> str:
        stem = key.rsplit("_", 1)[0]
        similar = [name for name in self._values if name == stem or name.rsplit("_", 1)[0] == stem]
        hint = f"; it has {similar[0]}, the unit belongs in the key" if similar else ""
        return f"{self.place or 'top level'}: key {key} is missing{hint}; {self._advice}"

    def table(self, key: str, optional: bool = False) -> "Section":
        """The table under `key`; empty where it is optional and missing."""
        values = self.take(key, dict, {} if optional else None)
        return Section(values, self._inside(key), self._advice)

    def tables(self, key: str) -> list["Section"]:
        """The array of tables under `key`, one or more."""
        rows = self.take(key, list)
        if not rows or not all(isinstance(row, dict) for row in rows):
            raise self._wrong(key, rows, f"one [[{self._inside(key)}]] table or more")
        return [Section(row, f"{self._inside(key)}[{number}]", self._advice) for number, row in enumerate(rows)]

    def _inside(self, key: str) -> str:
        return f"{self.place}.{key}" if self.place else key

    def numbers(self, key: str, length: int | None = None) -> tuple[float, ...]:
        """A list of `length` numbers (any length where None)."""
        values = self.take(key, list)
        fits = length is None or len(values) == length
        if not fits or not all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
            raise self._wrong(key, values, f"a list of {length or 'some'} numbers")
        return tuple(float(value) for value in values)

    def number(self, key: str, low: float, default: float | None = None) -> float:
        """A number of at least `low`."""
        value = self.take(key, float, default)
        if not value >= low:
            raise self._wrong(key, value, f"{low:g} or more")
        return value

    def positive(self, key: str) -> float:
        """A number above zero."""
        value = self.take(key, float)
        if not value > 0:
            raise self._wrong(key, value, "a number above zero")
        return value

    def count(self, key: str) -> int:
        """A whole number above zero."""
        value = self.take(key, int)
        if value < 1:
            raise self._wrong(key, value, "an integer of 1 or more")
        return value

    def choice(self, key: str, choices: Sequence[Kind], default: Kind | None = None) -> Kind:
        """One of `choices`."""
        value = self.take(key, type(choices[0]), default)
        if value not in choices:
            raise self._wrong(key, value, f"one of {', '.join(str(choice) for choice in choices)}")
        return value

    def has(self, key: str) -> bool:
        """Whether `key` is given; it counts as known from now on."""
        if key not in self._known:
            self._known.append(key)
        return key in self._values

    def rest(self) -> dict[str, Any]:
        """What nobody has taken; the caller checks it."""
        left, self._values = self._values, {}
        return left

    def close(self) -> None:
        """Raise DesignError, naming what is known, where a key is left."""
        if self._values:
            key = next(iter(self._values))
            raise DesignError(f"{self.place or 'top level'}: key {key} is unknown; known are {', '.join(self._known)}")
