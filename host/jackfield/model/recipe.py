"""How a network is trained, as numbers."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, Self

from jackfield.errors import DesignError
from jackfield.model.architecture import Architecture
from jackfield.model.tables import check_keys, from_table

__all__ = [
    "DIGITS_ARCHITECTURE",
    "DIGITS_RECIPE",
    "MOONS_ARCHITECTURE",
    "MOONS_RECIPE",
    "Plan",
    "Recipe",
    "packaged_plan",
    "packaged_text",
    "read_recipe_file",
]


@dataclass(frozen=True)
class Recipe:
    """Adam with a one-cycle rate that rises over `warm_up` (share of the steps) to `learning_rate`, gradient norm
    clipped at `clip_norm`, cross-entropy with labels smoothed by `smoothing`, and `headroom_weight` times the penalty
    on |v| above `headroom_v` (machine units) at `snapshots` times a slice. Up to `coarse_until` (share of the steps)
    a slice is integrated in `coarse_steps`, then as the architecture says.

    Pictures are shifted by up to `shift_px` pixels, turned by up to `rotate_deg` degrees and get `noise` (standard
    deviation, machine units) anew each epoch. What is kept are weights averaged with decay `average` a step (0: the
    last ones). `validation_share` of the training part is held out. For a board the scale `volts_per_unit`,
    `seconds_per_unit` sets the ranges, and from `quantise_from` (share of the epochs) on parameters are rounded to its
    codes; `as_codes` keeps the model as those codes. Raises DesignError on numbers that cannot be.
    """

    epochs: int
    batch: int
    learning_rate: float
    warm_up: float
    clip_norm: float
    smoothing: float
    average: float
    headroom_weight: float
    headroom_v: float
    coarse_steps: int
    coarse_until: float
    snapshots: int
    shift_px: float
    rotate_deg: float
    noise: float
    validation_share: float
    quantise_from: float
    volts_per_unit: float
    seconds_per_unit: float
    as_codes: bool

    def __post_init__(self) -> None:
        above = ("epochs", "batch", "learning_rate", "clip_norm", "coarse_steps", "snapshots")
        for name in (*above, "volts_per_unit", "seconds_per_unit"):
            if not getattr(self, name) > 0:
                raise DesignError(f"recipe: {name} = {getattr(self, name)} must be above zero")
        for name in (
            "headroom_weight",
            "headroom_v",
            "shift_px",
            "rotate_deg",
            "noise",
            "quantise_from",
            "coarse_until",
        ):
            if not getattr(self, name) >= 0:
                raise DesignError(f"recipe: {name} = {getattr(self, name)} must be zero or more")
        for name in ("smoothing", "average"):
            if not 0 <= getattr(self, name) < 1:
                raise DesignError(f"recipe: {name} = {getattr(self, name)} must be zero or more and below 1")
        for name in ("validation_share", "warm_up"):
            if not 0 < getattr(self, name) < 1:
                raise DesignError(f"recipe: {name} = {getattr(self, name)} must lie between 0 and 1")
        if self.coarse_steps % self.snapshots:
            raise DesignError(
                f"recipe: {self.snapshots} snapshots are asked of a slice of {self.coarse_steps} steps; "
                "give a divisor of them"
            )


@dataclass(frozen=True)
class Plan:
    """A recipe file: which network, for which `board` (its name or a path to its spec), trained how."""

    board: str
    architecture: Architecture
    recipe: Recipe

    @classmethod
    def from_toml(cls, text: str) -> Self:
        """The plan in a TOML text; DesignError where it is no TOML or a key is missing, unknown or wrong."""
        table = read_recipe_file(text, {"board": str, "architecture": dict, "recipe": dict})
        architecture = Architecture.from_table(table["architecture"], "architecture")
        return cls(table["board"], architecture, from_table(Recipe, table["recipe"], "recipe"))


def read_recipe_file(text: str, kinds: Mapping[str, type]) -> dict[str, Any]:
    """The TOML in `text`, with exactly the keys and `kinds` (texts or tables) that are named; else DesignError."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DesignError(f"the recipe is not TOML: {error}") from error
    check_keys(table, list(kinds), "recipe file")
    for name, kind in kinds.items():
        if not isinstance(table[name], kind):
            wanted = "name" if kind is str else "table"
            raise DesignError(f"recipe file: {name} = {table[name]!r} is not a {wanted}")
    return table


def packaged_text(name: str) -> str:
    """The recipe file `name` of the package; DesignError where there is none of that name."""
    folder = resources.files("jackfield.model") / "recipes"
    try:
        return (folder / f"{name}.toml").read_text(encoding="utf-8")
    except FileNotFoundError as error:
        known = ", ".join(sorted(Path(file.name).stem for file in folder.iterdir()))
        raise DesignError(f"there is no recipe {name!r}; the package has {known}") from error


@lru_cache
def packaged_plan(name: str) -> Plan:
    """The recipe file `name` of the package, "digits" or "mnist"; DesignError where there is none of that name."""
    return Plan.from_toml(packaged_text(name))


DIGITS_ARCHITECTURE = packaged_plan("digits").architecture
"""6,880 edges on 96 nodes in 2 slices: 8 x 8 pixels, 32 further nodes, the last 10 of them the classes."""

DIGITS_RECIPE = packaged_plan("digits").recipe
"""For `DIGITS_ARCHITECTURE` on jf96."""

MOONS_ARCHITECTURE = packaged_plan("moons").architecture
"""Two moons in the plane for boards of few parts: a cubic and a linear edge from each coordinate to each class."""

MOONS_RECIPE = packaged_plan("moons").recipe
"""For `MOONS_ARCHITECTURE` on a LUCIDAC."""
