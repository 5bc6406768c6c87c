"""Frozen dataclasses as TOML tables: written in full, read strictly."""

import dataclasses
import json
import math
from collections.abc import Mapping
from typing import Any, TypeVar, get_args, get_type_hints

from jackfield.errors import DesignError

__all__ = ["from_table", "toml_text"]

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


def toml_text(values: Mapping[str, Any], place: str = "") -> str:
    """TOML of nested tables, texts, numbers and lists of numbers; tables follow the plain keys."""
    plain = {name: value for name, value in values.items() if not isinstance(value, Mapping)}
    text = "".join(f"{name} = {_literal(value)}\n" for name, value in plain.items())
    for name, value in values.items():
        if isinstance(value, Mapping):
            path = f"{place}.{name}" if place else name
            text += f"\n[{path}]\n{toml_text(value, path)}"
    return text


def _literal(value: Any) -> str:
    if isinstance(value, tuple | list):
        return f"[{', '.join(_literal(item) for item in value)}]"
    return json.dumps(value) if isinstance(value, str) else repr(value)
