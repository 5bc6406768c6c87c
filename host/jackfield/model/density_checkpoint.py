"""Trained densities in model folders."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from jackfield import __version__
from jackfield.model.architecture import Architecture
from jackfield.model.density import KirchhoffDensity
from jackfield.model.density_training import DensityRecipe
from jackfield.model.folder import FACTS, FORMAT, fill, read_folder, write_folder
from jackfield.model.tables import from_table

__all__ = ["DensityCheckpoint", "DensityFacts", "load_density", "save_density"]


@dataclass(frozen=True)
class DensityFacts:
    """How a density came about: data, seed, negative log-likelihoods (nats) with the half width of their interval."""

    data: str
    seed: int
    train_nats: float
    train_half_width: float
    held_out_nats: float
    held_out_half_width: float


@dataclass(frozen=True, eq=False)
class DensityCheckpoint:
    """A trained density with its recipe, its facts and the software that made it."""

    density: KirchhoffDensity
    recipe: DensityRecipe
    facts: DensityFacts
    software: str = f"jackfield {__version__}"


def save_density(checkpoint: DensityCheckpoint, path: Path) -> Path:
    """Write the model folder `path`, whole or not at all, and return it; DesignError where that cannot be."""
    table = {
        "format": FORMAT,
        "software": checkpoint.software,
        "architecture": checkpoint.density.architecture.to_table(),
        "density_recipe": dataclasses.asdict(checkpoint.recipe),
        "likelihood": dataclasses.asdict(checkpoint.facts),
    }
    return write_folder(path, table, checkpoint.density.state_dict())


def load_density(path: Path) -> DensityCheckpoint:
    """The density in the model folder `path`, its numbers bit for bit.

    Raises DesignError, naming file and key, where something is missing, unknown, or of a wrong type or shape.
    """
    table, weights = read_folder(path, ["architecture", "density_recipe", "likelihood"], [])
    place = str(path / FACTS)
    density = KirchhoffDensity(Architecture.from_table(table["architecture"], f"{place}: architecture"))
    fill(density, weights, path)
    recipe = from_table(DensityRecipe, table["density_recipe"], f"{place}: density_recipe")
    facts = from_table(DensityFacts, table["likelihood"], f"{place}: likelihood")
    return DensityCheckpoint(density, recipe, facts, str(table["software"]))
