"""Small text files written whole: under `.part`, then renamed."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jackfield.errors import DesignError

__all__ = ["toml_lines", "write_whole"]


def toml_lines(values: Mapping[str, Any]) -> str:
    """TOML text of text, numbers and booleans; raises DesignError for anything else."""
    return "".join(f"{name} = {_literal(name, value)}\n" for name, value in values.items())


def _literal(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return json.dumps(value)
    raise DesignError(f"detail {name!r} is a {type(value).__name__}; run.toml holds text, numbers, booleans")


def write_whole(path: Path, text: str) -> None:
    """Write `text` so that `path` holds all of it or does not exist."""
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
