"""Model folders `NAME.model/`: weights.safetensors and model.toml, written whole, read strictly."""

import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor, nn

from jackfield.board import to_toml
from jackfield.errors import DesignError
from jackfield.model.tables import check_keys

__all__ = ["FACTS", "FORMAT", "WEIGHTS", "fill", "read_folder", "write_folder"]

FORMAT = 2
WEIGHTS = "weights.safetensors"
FACTS = "model.toml"


def write_folder(path: Path, table: Mapping[str, Any], weights: Mapping[str, Tensor]) -> Path:
    """Write the folder `path`, whole or not at all, and return it.

    Raises DesignError where it exists or cannot be written.
    """
    if path.exists():
        raise DesignError(f"{path} exists and models are never overwritten; name another one")
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        (part / WEIGHTS).write_bytes(
            safetensors.torch.save({name: value.contiguous() for name, value in weights.items()})
        )
        (part / FACTS).write_text(to_toml(table), encoding="utf-8", newline="\n")
        part.rename(path)
    except OSError as error:
        raise DesignError(f"{path} cannot be written: {error}; name another place") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return path


def read_folder(path: Path, tables: list[str], spare: list[str]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The facts and the weights in the folder `path`; it has the `tables` and may have the `spare` ones.

    Raises DesignError, naming file and key, where something is missing, unknown or damaged.
    """
    try:
        table = tomllib.loads((path / FACTS).read_text(encoding="utf-8"))
        weights = safetensors.torch.load((path / WEIGHTS).read_bytes())
    except OSError as error:
        raise DesignError(f"{path} is not a model: {error}; name a folder NAME.model that `train` wrote") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, SafetensorError) as error:
        raise DesignError(f"{path} is damaged: {error}; train the network again") from error
    place = str(path / FACTS)
    if table.get("format") != FORMAT:
        raise DesignError(f"{place}: format {table.get('format')!r} is not {FORMAT}; train the network again")
    check_keys(dict.fromkeys(spare) | table, ["format", "software", *tables, *spare], place)
    for name in tables:
        if not isinstance(table[name], Mapping):
            raise DesignError(f"{place}: {name} = {table[name]!r} is not a table")
    return table, weights


def fill(network: nn.Module, weights: Mapping[str, Tensor], path: Path) -> None:
    """Give `network` the `weights` of the folder `path`; DesignError where they are not those of its architecture."""
    wanted, place = network.state_dict(), path / WEIGHTS
    check_keys(weights, list(wanted), str(place))
    for name in wanted:  # safetensors gives them in no certain order
        value = weights[name]
        if value.shape != wanted[name].shape or value.dtype != wanted[name].dtype:
            raise DesignError(
                f"{place}: {name} is {value.dtype} {tuple(value.shape)}, the architecture in {FACTS} takes "
                f"{wanted[name].dtype} {tuple(wanted[name].shape)}; the two files are not of one model"
            )
        if not bool(value.isfinite().all()):
            raise DesignError(f"{place}: {name} holds something that is no finite number; train the network again")
    network.load_state_dict(dict(weights))
