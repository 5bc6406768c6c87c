"""Trained networks in model folders.

The weights are the parameters' values or, where the recipe says `as_codes`, the board's codes of them.
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from jackfield import __version__
from jackfield.board import BoardSpec
from jackfield.errors import DesignError
from jackfield.model.architecture import Architecture
from jackfield.model.bounds import Bounds
from jackfield.model.codes import pack, unpack
from jackfield.model.fitting import FitFacts, FitRecipe
from jackfield.model.folder import FACTS, FORMAT, WEIGHTS, fill, read_folder, write_folder
from jackfield.model.network import KirchhoffNet
from jackfield.model.recipe import Recipe
from jackfield.model.result import TrainingResult
from jackfield.model.tables import check_keys, from_table

__all__ = ["Checkpoint", "TrainingFacts", "load_checkpoint", "save_checkpoint"]


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
    """A trained network with its recipe, its facts and the software that made it.

    Networks that answer with a class were trained, those whose voltages are the answer fitted.
    """

    network: KirchhoffNet
    recipe: Recipe | FitRecipe
    facts: TrainingFacts | FitFacts
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
    weights = dict(checkpoint.network.state_dict())
    if isinstance(checkpoint.recipe, Recipe) and checkpoint.recipe.as_codes:
        weights = pack(weights, checkpoint.network.bounds)
    return write_folder(path, _table(checkpoint), weights)


_TRAINED, _FITTED = ("recipe", "training"), ("fit", "fitted")


def _table(checkpoint: Checkpoint) -> dict[str, Any]:
    network = checkpoint.network
    table: dict[str, Any] = {"format": FORMAT, "software": checkpoint.software}
    table["architecture"] = network.architecture.to_table()
    if network.bounds is not None:
        table["bounds"] = network.bounds.to_table()
    fitted = isinstance(checkpoint.recipe, FitRecipe)
    table[_FITTED[0] if fitted else _TRAINED[0]] = dataclasses.asdict(checkpoint.recipe)
    table[_FITTED[1] if fitted else _TRAINED[1]] = dataclasses.asdict(checkpoint.facts)
    return table


def load_checkpoint(path: Path) -> Checkpoint:
    """The checkpoint in the model folder `path`, its numbers bit for bit.

    Raises DesignError, naming file and key, where something is missing, unknown, or of a wrong type or shape.
    """
    table, weights = read_folder(path, ["architecture"], ["bounds", *_TRAINED, *_FITTED])
    place, fitted = str(path / FACTS), "fit" in table
    given = {name: table[name] for name in (*_TRAINED, *_FITTED) if name in table}
    check_keys(given, list(_FITTED if fitted else _TRAINED), place)
    network = KirchhoffNet(
        Architecture.from_table(table["architecture"], f"{place}: architecture"),
        bounds=Bounds.from_table(table["bounds"], f"{place}: bounds") if "bounds" in table else None,
    )
    software = str(table["software"])
    if fitted:
        fill(network, weights, path)
        return Checkpoint(
            network,
            from_table(FitRecipe, table["fit"], f"{place}: fit"),
            from_table(FitFacts, table["fitted"], f"{place}: fitted"),
            software,
        )
    recipe = from_table(Recipe, table["recipe"], f"{place}: recipe")
    if recipe.as_codes:
        weights = unpack(weights, network.bounds, str(path / WEIGHTS))
    fill(network, weights, path)
    return Checkpoint(network, recipe, from_table(TrainingFacts, table["training"], f"{place}: training"), software)
