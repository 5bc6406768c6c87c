"""Plain values as text that is the same everywhere: canonical JSON for digests, flat TOML for provenance."""

import json
from collections.abc import Mapping
from typing import Any

from jackfield.errors import DesignError

__all__ = ["canonical_json", "to_toml"]


def canonical_json(value: Any) -> bytes:
    """Sorted keys, no spaces, floats as repr, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def to_toml(values: Mapping[str, Any]) -> str:
    """TOML text of a mapping of scalars, lists of scalars and tables of these; tables follow the plain keys.

    Raises DesignError for a value that has no such form.
    """
    return "\n".join(_lines(values, "")) + "\n"


def _lines(values: Mapping[str, Any], place: str) -> list[str]:
    lines = [f"{_key(key)} = {_value(value)}" for key, value in values.items() if not isinstance(value, Mapping)]
    for key, value in values.items():
        if isinstance(value, Mapping):
            path = f"{place}.{_key(key)}" if place else _key(key)
            lines += ["", f"[{path}]", *_lines(value, path)]
    return lines


def _key(key: str) -> str:
    bare = key.replace("_", "").replace("-", "")
    return key if bare.isascii() and bare.isalnum() else json.dumps(key)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, int):
        return repr(int(value))
    if isinstance(value, float):
        return repr(float(value))
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    raise DesignError(f"a {type(value).__name__} has no place in a TOML file; use text, numbers or lists")
