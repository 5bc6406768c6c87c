"""A small network, trained in seconds."""

import pytest

from jackfield.model import Architecture, FullyConnected, Recipe


@pytest.fixture
def small() -> Architecture:
    """8 nodes all joined, points of the plane in, two classes out."""
    return Architecture(FullyConnected(8, (1, 0)), inputs=2, outputs=2)


@pytest.fixture
def recipe() -> Recipe:
    """A few epochs for points of the plane."""
    return Recipe(
        epochs=20,
        batch=50,
        learning_rate=0.05,
        warm_up=0.25,
        clip_norm=1.0,
        smoothing=0.0,
        average=0.0,
        headroom_weight=0.5,
        headroom_v=1.1,
        coarse_steps=4,
        coarse_until=0.0,
        snapshots=2,
        shift_px=0.0,
        rotate_deg=0.0,
        noise=0.0,
        validation_share=0.1,
        quantise_from=0.5,
        volts_per_unit=0.6,
        seconds_per_unit=100e-6,
        as_codes=False,
    )
