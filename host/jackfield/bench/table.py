"""Strict reading of one TOML table: every key is asked for by name, and what was not asked for is an error."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from jackfield.errors import DesignError

__all__ = ["TableReader"]

Value = TypeVar("Value")
_MISSING = object()


class TableReader:
    """Takes values out of a table; `finish` raises DesignError for the keys that nobody took."""

    def __init__(self, name: str, values: Mapping[str, Any]) -> None:
        self.name = name
        self._values = values
        self._known: list[str] = []

    def __contains__(self, key: str) -> bool:
        self._know(key)
        return key in self._values

    def finish(self) -> None:
        """Raise DesignError where the table holds a key that nothing asked for."""
        unknown = [key for key in self._values if key not in self._known]
        if unknown:
            raise DesignError(f"{self.name}: key {unknown[0]!r} is unknown; known are {', '.join(self._known)}")

    def text(self, key: str, default: str | None = None) -> str:
        """A string."""
        value = self._take(key, _MISSING if default is None else default)
        return str(self._typed(key, value, str, "a text in quotes"))

    def flag(self, key: str, default: bool) -> bool:
        """true or false."""
        return bool(self._typed(key, self._take(key, default), bool, "true or false"))

    def integer(self, key: str, low: int) -> int:
        """An integer of at least `low`."""
        value = self._typed(key, self._take(key), int, "an integer")
        if isinstance(value, bool) or value < low:
            raise DesignError(f"{self.name}.{key} = {value!r}; give an integer of {low} or more")
        return int(value)

    def number(self, key: str, default: float | None = None, low: float | None = None) -> float:
        """A number of at least `low`, in the unit that ends the key."""
        value = self._take(key, _MISSING if default is None else default)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise DesignError(f"{self.name}.{key} = {value!r}; give a number")
        if low is not None and not value >= low:
            raise DesignError(f"{self.name}.{key} = {value!r}; give {low:g} or more")
        return float(value)

    def choice(self, key: str, choices: Sequence[Value], default: Value | None = None) -> Value:
        """One of `choices`."""
        value = self._take(key, _MISSING if default is None else default)
        for choice in choices:
            if value == choice:
                return choice
        raise DesignError(f"{self.name}.{key} = {value!r}; choose from {', '.join(str(c) for c in choices)}")

    def table(self, key: str, optional: bool = False) -> "TableReader":
        """A table within this one; empty where it is optional and missing."""
        value = self._take(key, {} if optional else _MISSING)
        return TableReader(f"{self.name}.{key}", self._typed(key, value, dict, "a table"))

    def tables(self, key: str) -> "list[TableReader]":
        """An array of tables with at least one entry."""
        values = self._typed(key, self._take(key), list, "an array of tables")
        if not values:
            raise DesignError(f"{self.name}.{key} is empty; give one [[{key}]] table or more")
        return [
            TableReader(f"{self.name}.{key}[{position}]", self._typed(key, value, dict, "an array of tables"))
            for position, value in enumerate(values)
        ]

    def _take(self, key: str, default: Any = _MISSING) -> Any:
        self._know(key)
        value = self._values.get(key, default)
        if value is _MISSING:
            raise DesignError(f"{self.name} has no {key}; add it")
        return value

    def _know(self, key: str) -> None:
        if key not in self._known:
            self._known.append(key)

    def _typed(self, key: str, value: Any, kind: type, wanted: str) -> Any:
        if not isinstance(value, kind):
            raise DesignError(f"{self.name}.{key} = {value!r}; give {wanted}")
        return value
