"""Model folders `NAME.model/`: weights.safetensors and model.toml, written whole, read strictly.

The weights are the parameters' values or, where the recipe says `as_codes`, the board's codes of them.
"""

import dataclasses
import shutil
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from jackfield import __version__
from jackfield.board import BoardSpec, to_toml
from jackfield.errors import DesignError
from jackfield.model.architecture import Architecture
from jackfield.model.bounds import Bounds
from jackfield.model.codes import pack, unpack
from jackfield.model.network import KirchhoffNet
from jackfield.model.recipe import Recipe
from jackfield.model.result import TrainingResult
from jackfield.model.tables import check_keys, from_table

__all__ = ["Checkpoint", "TrainingFacts", "load_checkpoint", "save_checkpoint"]

_FORMAT = 2
_WEIGHTS = "weights.safetensors"
_FACTS = "model.toml"


@dataclass(frozen=True)
class TrainingFacts:
    """How a network came about: data and split, seed, largest |v| (machine units), counts of right answers."""

    data: str
    seed: int
    largest_v: float
    validation_correct: int
    validation_n: int
    test_correct: int
    test_quantised_correct: int
    test_n: int

    @classmethod
    def from_result(cls, data: str, seed: int, result: TrainingResult) -> Self:
        """The facts of a training on `data` (its name); without a board, quantised counts as unrounded."""
        quantised = result.test_quantised or result.test
        return cls(
            data,
            seed,
            result.largest_v,
            result.validation.correct,
            result.validation.n,
            result.test.correct,
            quantised.correct,
            result.test.n,
        )


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A trained network with its recipe, its facts and the software that made it."""

    network: KirchhoffNet
    recipe: Recipe
    facts: TrainingFacts
    software: str = f"jackfield {__version__}"

    def check_board(self, spec: BoardSpec) -> None:
        """Raise DesignError where the network was trained for another board than `spec`."""
        bounds = self.network.bounds
        if bounds is not None and bounds.spec_digest != spec.digest:
            other = "another version of it" if bounds.board == spec.name else f"board {bounds.board}"
            raise DesignError(
                f"board {spec.name} is asked, the network was trained for the ranges of {other}; "
                f"train it again for {spec.name}, or choose the board that it was made for"
            )


def save_checkpoint(checkpoint: Checkpoint, path: Path) -> Path:
    """Write the model folder `path`, whole or not at all, and return it.

    Raises DesignError where it exists or cannot be written.
    """
    if path.exists():
        raise DesignError(f"{path} exists and models are never overwritten; name another one")
    part = path.with_name(path.name + ".part")
    weights = _weights(checkpoint)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        (part / _WEIGHTS).write_bytes(safetensors.torch.save(weights))
        (part / _FACTS).write_text(to_toml(_table(checkpoint)), encoding="utf-8", newline="\n")
        part.rename(path)
    except OSError as error:
        raise DesignError(f"{path} cannot be written: {error}; name another place") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return path


def _weights(checkpoint: Checkpoint) -> dict[str, Tensor]:
    weights = {name: value.contiguous() for name, value in checkpoint.network.state_dict().items()}
    return pack(weights, checkpoint.network.bounds) if checkpoint.recipe.as_codes else weights


def _table(checkpoint: Checkpoint) -> dict[str, Any]:
    network = checkpoint.network
    table: dict[str, Any] = {"format": _FORMAT, "software": checkpoint.software}
    table["architecture"] = network.architecture.to_table()
    if network.bounds is not None:
        table["bounds"] = network.bounds.to_table()
    table["recipe"] = dataclasses.asdict(checkpoint.recipe)
    table["training"] = dataclasses.asdict(checkpoint.facts)
    return table


def load_checkpoint(path: Path) -> Checkpoint:
    """The checkpoint in the model folder `path`, its numbers bit for bit.

    Raises DesignError, naming file and key, where something is missing, unknown, or of a wrong type or shape.
    """
    table, weights = _read(path)
    place = str(path / _FACTS)
    if table.get("format") != _FORMAT:
        raise DesignError(f"{place}: format {table.get('format')!r} is not {_FORMAT}; train the network again")
    check_keys({"bounds": None} | table, ["format", "software", "architecture", "bounds", "recipe", "training"], place)
    for name in ("architecture", "recipe", "training"):
        if not isinstance(table[name], Mapping):
            raise DesignError(f"{place}: {name} = {table[name]!r} is not a table")
    network = KirchhoffNet(
        Architecture.from_table(table["architecture"], f"{place}: architecture"),
        bounds=Bounds.from_table(table["bounds"], f"{place}: bounds") if "bounds" in table else None,
    )
    recipe = from_table(Recipe, table["recipe"], f"{place}: recipe")
    if recipe.as_codes:
        weights = unpack(weights, network.bounds, str(path / _WEIGHTS))
    _fill(network, weights, path / _WEIGHTS)
    facts = from_table(TrainingFacts, table["training"], f"{place}: training")
    return Checkpoint(network, recipe, facts, str(table["software"]))


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    try:
        table = tomllib.loads((path / _FACTS).read_text(encoding="utf-8"))
        return table, safetensors.torch.load((path / _WEIGHTS).read_bytes())
    except OSError as error:
        raise DesignError(f"{path} is not a model: {error}; name a folder NAME.model that `train` wrote") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, SafetensorError) as error:
        raise DesignError(f"{path} is damaged: {error}; train the network again") from error


def _fill(network: KirchhoffNet, weights: Mapping[str, Tensor], place: Path) -> None:
    wanted = network.state_dict()
    check_keys(weights, list(wanted), str(place))
    for name in wanted:  # safetensors gives them in no certain order
        value = weights[name]
        if value.shape != wanted[name].shape or value.dtype != wanted[name].dtype:
            raise DesignError(
                f"{place}: {name} is {value.dtype} {tuple(value.shape)}, the architecture in {_FACTS} takes "
                f"{wanted[name].dtype} {tuple(wanted[name].shape)}; the two files are not of one model"
            )
        if not bool(value.isfinite().all()):
            raise DesignError(f"{place}: {name} holds something that is no finite number; train the network again")
    network.load_state_dict(dict(weights))
