"""How a network is trained, as numbers, and the recipes that are known to work."""

import tomllib
from dataclasses import dataclass
from typing import Self

from jackfield.errors import DesignError
from jackfield.model.architecture import Architecture, Mixed
from jackfield.model.tables import from_table

__all__ = ["DIGITS_ARCHITECTURE", "DIGITS_RECIPE", "Recipe"]


@dataclass(frozen=True)
class Recipe:
    """Adam with a one-cycle rate up to `learning_rate`, gradient norm clipped at `clip_norm`, cross-entropy, and
    `headroom_weight` times the penalty on |v| above `headroom_v` (machine units) at `snapshots` times a slice.

    Pictures are shifted by up to `shift_px` pixels and get `noise` (standard deviation, machine units) anew each
    epoch. `validation_share` of the training part is held out. For a board the scale `volts_per_unit`,
    `seconds_per_unit` sets the ranges, and from `quantise_from` (share of the epochs) on parameters are rounded to
    its codes. Raises DesignError on numbers that cannot be.
    """

    epochs: int
    batch: int
    learning_rate: float
    clip_norm: float
    headroom_weight: float
    headroom_v: float
    snapshots: int
    shift_px: float
    noise: float
    validation_share: float
    quantise_from: float
    volts_per_unit: float
    seconds_per_unit: float

    def __post_init__(self) -> None:
        above = ("epochs", "batch", "learning_rate", "clip_norm", "snapshots", "volts_per_unit", "seconds_per_unit")
        least = ("headroom_weight", "headroom_v", "shift_px", "noise", "quantise_from")
        for name in above:
            if not getattr(self, name) > 0:
                raise DesignError(f"recipe: {name} = {getattr(self, name)} must be above zero")
        for name in least:
            if not getattr(self, name) >= 0:
                raise DesignError(f"recipe: {name} = {getattr(self, name)} must be zero or more")
        if not 0 < self.validation_share < 1:
            raise DesignError(f"recipe: validation_share = {self.validation_share} must lie between 0 and 1")

    @classmethod
    def from_toml(cls, text: str) -> Self:
        """The recipe in a TOML text; DesignError where it is no TOML or a key is missing, unknown or wrong."""
        try:
            return from_table(cls, tomllib.loads(text), "recipe")
        except tomllib.TOMLDecodeError as error:
            raise DesignError(f"the recipe is not TOML: {error}") from error


DIGITS_ARCHITECTURE = Architecture(Mixed(1, 8, 8, 3, 32, (1, 1)), inputs=64, outputs=10)
"""6,880 edges on 96 nodes in 2 slices: 8 x 8 pixels, 32 further nodes, the last 10 of them the classes."""

DIGITS_RECIPE = Recipe(
    epochs=40,
    batch=128,
    learning_rate=3e-3,
    clip_norm=1.0,
    headroom_weight=0.5,
    headroom_v=1.1,
    snapshots=2,
    shift_px=0.3,
    noise=0.1,
    validation_share=0.08,
    quantise_from=0.5,
    volts_per_unit=0.6,
    seconds_per_unit=100e-6,
)
"""For `DIGITS_ARCHITECTURE` on jf96."""
