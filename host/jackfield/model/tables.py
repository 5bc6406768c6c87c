"""Frozen dataclasses from TOML tables, read strictly."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, TypeVar, get_args, get_type_hints

from jackfield.errors import DesignError

__all__ = ["check_keys", "from_table"]

Kind = TypeVar("Kind")


def from_table(kind: type[Kind], table: Mapping[str, Any], place: str) -> Kind:
    """The `kind`, a dataclass of numbers, texts and tuples of numbers, that `table` spells out.

    Raises DesignError, naming `place` and key, where a key is missing, unknown or of another type.
    """
    hints = get_type_hints(kind)
    names = [item.name for item in dataclasses.fields(kind)]  # type: ignore[arg-type]
    check_keys(table, names, place)
    return kind(**{name: _value(hints[name], table[name], f"{place}: {name}") for name in names})


def check_keys(table: Mapping[str, Any], names: list[str], place: str) -> None:
    """Raise DesignError unless `table` has exactly the keys `names`."""
    for name in names:
        if name not in table:
            raise DesignError(f"{place}: key {name} is missing; it takes {', '.join(names)}")
    for name in table:
        if name not in names:
            raise DesignError(f"{place}: key {name} is unknown; it takes {', '.join(names)}")


def _value(hint: Any, value: Any, place: str) -> Any:
    parts = get_args(hint)
    if parts:
        if isinstance(value, list) and len(value) == len(parts):
            return tuple(_value(part, item, place) for part, item in zip(parts, value, strict=True))
    elif hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        if math.isfinite(value):
            return float(value)
    elif type(value) is hint:
        return value
    raise DesignError(f"{place} = {value!r} is not of type {getattr(hint, '__name__', hint) if not parts else hint}")
