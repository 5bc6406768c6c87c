"""Board specs by name, from the folders that packages bring, or by path."""

import tomllib
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from jackfield.board import BoardSpec, PatchedMachine
from jackfield.errors import DesignError

__all__ = ["load_machine", "load_spec", "spec_file", "spec_files"]


def load_spec(name_or_path: str | Path) -> BoardSpec:
    """The board spec called so, or in the .toml file there.

    Raises DesignError where there is none, listing those that exist, or where it is not valid.
    """
    path = spec_file(name_or_path)
    text = _text(path)
    return BoardSpec.from_toml(text, {name: _text(path.parent / name) for name in _referred(text)})


def load_machine(name: str) -> PatchedMachine:
    """The machine called so that is wired by hand, from the folders of the board specs; DesignError where none is."""
    for folder in (Path(point.load()()) for point in entry_points(group="jackfield.board")):
        if (folder / f"{name}.toml").is_file():
            return PatchedMachine.from_toml(_text(folder / f"{name}.toml"))
    raise DesignError(f"there is no machine {name!r} that is wired by hand; there is the-analog-thing")


def spec_file(name_or_path: str | Path) -> Path:
    """The file of the spec called so, or there; raises DesignError where there is none."""
    if isinstance(name_or_path, Path) or name_or_path.endswith(".toml"):
        path = Path(name_or_path)
        if not path.is_file():
            raise DesignError(f"there is no board spec {path}; check the path, or name one of {_names()}")
        return path
    files = spec_files()
    if name_or_path not in files:
        raise DesignError(f"there is no board spec {name_or_path!r}; there are {_names()}, or give a path to a .toml")
    return files[name_or_path]


def spec_files() -> dict[str, Path]:
    """All installed specs by name, sorted (entry points `jackfield.board` name their folders)."""
    folders = [Path(point.load()()) for point in entry_points(group="jackfield.board")]
    found = {path.stem: path for folder in folders for path in folder.glob("*.toml") if _is_spec(path)}
    return dict(sorted(found.items()))


def _is_spec(path: Path) -> bool:
    """Whether the file describes a board and is named after it, as the template and the protocol are not."""
    try:
        values = tomllib.loads(_text(path))
    except tomllib.TOMLDecodeError:
        return False
    return "dialect" in values and values.get("name") == path.stem


def _names() -> str:
    return ", ".join(spec_files())


def _referred(text: str) -> Iterator[str]:
    """Names of the files that the spec refers to; what is wrong with the text is BoardSpec's to say."""
    try:
        values: Any = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    for group in values.get("cells", []):
        reach = group.get("reach") if isinstance(group, dict) else None
        name = reach.get("file") if isinstance(reach, dict) else None
        if isinstance(name, str):
            yield name


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DesignError(f"{path} cannot be read: {error}; the board spec needs it") from error
