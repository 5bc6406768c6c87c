"""Networks of the shape of a LUCIDAC: 8 nodes, 32 lanes, 4 multipliers, the polynomial law."""

from jackfield.model.architecture import Architecture, Listed
from jackfield.model.recipe import Recipe

__all__ = ["MOONS_ARCHITECTURE", "MOONS_RECIPE"]

MOONS_ARCHITECTURE = Architecture(
    Listed(4, "1-3:3 2-3 1-4:3 2-4"), inputs=2, outputs=2, slices=1, law="polynomial", steps=8
)
"""Two moons in the plane: a cubic and a linear edge from the coordinates to each class; 30 lanes, 4 multipliers."""

MOONS_RECIPE = Recipe(
    epochs=60,
    batch=50,
    learning_rate=3e-2,
    clip_norm=1.0,
    headroom_weight=0.5,
    headroom_v=1.3,
    snapshots=2,
    shift_px=0.0,
    noise=0.0,
    validation_share=0.1,
    quantise_from=0.5,
    volts_per_unit=0.6,
    seconds_per_unit=300e-6,
)
"""For `MOONS_ARCHITECTURE`."""
