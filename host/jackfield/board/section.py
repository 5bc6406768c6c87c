"""Strict reading of TOML tables: every key is known, every value has its type, every message its place."""

from collections.abc import Mapping
from typing import Any, TypeVar

from jackfield.errors import DesignError

__all__ = ["Section"]

Kind = TypeVar("Kind")


class Section:
    """One table of a TOML file; keys are taken one by one and `close` refuses what is left."""

    def __init__(self, values: Mapping[str, Any], place: str) -> None:
        self._values = dict(values)
        self._place = place
        self._known: list[str] = []

    def take(self, key: str, kind: type[Kind], default: Kind | None = None) -> Kind:
        """The value of `key`; DesignError where it is missing (and has no default) or of another type."""
        self._known.append(key)
        if key not in self._values:
            if default is not None:
                return default
            raise DesignError(self._lacking(key))
        value = self._values.pop(key)
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise DesignError(f"{self._place}: {key} = {value!r} is not of type {kind.__name__}")
        return value

    def _lacking(self, key: str) -> str:
        stem = key.rsplit("_", 1)[0]
        similar = [name for name in self._values if name == stem or name.rsplit("_", 1)[0] == stem]
        hint = f"; it has {similar[0]}, the unit belongs in the key" if similar else ""
        return f"{self._place}: key {key} is missing{hint}; `template.toml` explains each key"

    def table(self, key: str) -> "Section":
        """The table under `key`."""
        return Section(self.take(key, dict), f"{self._place}.{key}" if self._place else key)

    def tables(self, key: str) -> list["Section"]:
        """The array of tables under `key`."""
        rows = self.take(key, list)
        if not all(isinstance(row, dict) for row in rows):
            raise DesignError(f"{key} is not a list of tables; write [[{key}]]")
        return [Section(row, f"{key}[{number}]") for number, row in enumerate(rows)]

    def numbers(self, key: str, length: int | None = None) -> tuple[float, ...]:
        """A list of `length` numbers (any length where None)."""
        values = self.take(key, list)
        fits = length is None or len(values) == length
        if not fits or not all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
            raise DesignError(f"{self._place}: {key} = {values!r} is not a list of {length or 'some'} numbers")
        return tuple(float(value) for value in values)

    def positive(self, key: str) -> float:
        """A number above zero."""
        value = self.take(key, float)
        if not value > 0:
            raise DesignError(f"{self._place}: {key} = {value:g} must be above zero")
        return value

    def count(self, key: str) -> int:
        """A whole number above zero."""
        value = self.take(key, int)
        if value < 1:
            raise DesignError(f"{self._place}: {key} = {value} must be 1 or more")
        return value

    def has(self, key: str) -> bool:
        """Whether `key` is given."""
        return key in self._values

    def rest(self) -> dict[str, Any]:
        """What nobody has taken; the caller checks it."""
        left, self._values = self._values, {}
        return left

    def close(self) -> None:
        """Raise DesignError, naming what is known, where a key is left."""
        if self._values:
            key = next(iter(self._values))
            raise DesignError(f"{self._place or 'top level'}: key {key} is unknown; known are {', '.join(self._known)}")
