"""Small digits networks for the ladder, where what a board loses can be seen: they are not redundant."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from jackfield.board import BoardSpec
from jackfield.cli.models import trained_for
from jackfield.data import Split, digits_split
from jackfield.model import Architecture, Checkpoint, Listed, Mixed, Plan, packaged_plan
from jackfield.physics import Topology, mixed

__all__ = ["NETWORKS", "network"]

EDGES = 1_720
NETWORKS = ("digits 1,720", "pooled relu", "pooled tanh")


def network(name: str, spec: BoardSpec, epochs: int) -> tuple[Checkpoint, Split]:
    """One of NETWORKS, trained for `spec`, and its data.

    1,720 edges on 96 nodes are every fourth of the packaged digits network, at random; pooled to 4 x 4 pixels, 28 nodes
    have 728 edges a slice.
    """
    plan = packaged_plan("digits")
    if name == "digits 1,720":
        wiring, inputs, data = Listed(96, _text(mixed(1, 8, 8, 3, 32, (1, 1)))), 64, digits_split()
    else:
        wiring, inputs, data = Mixed(1, 4, 4, 3, 12, (1, 1)), 16, _pooled()
    law = "tanh_diff" if name == "pooled tanh" else "shifted_relu"
    rate, noise = (6e-3, 0.1) if inputs == 64 else (1.5e-2, 0.05 if law == "tanh_diff" else 0.03)
    recipe = replace(plan.recipe, epochs=epochs, shift_px=0.0, noise=noise, learning_rate=rate)
    shape = Architecture(wiring, inputs, 10, plan.architecture.slices, law, plan.architecture.steps)
    plan = Plan(spec.name, shape, recipe)
    checkpoint, _ = trained_for(spec, data, plan, 0, lambda epoch: None)
    return checkpoint, data


def _text(topology: Topology) -> str:
    chosen = np.sort(np.random.default_rng(0).permutation(len(topology))[:EDGES])
    return " ".join(f"{int(topology.source[e])}-{int(topology.destination[e])}" for e in chosen)


def _pooled() -> Split:
    data = digits_split()

    def pooled(x: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.ascontiguousarray(x.reshape(-1, 4, 2, 4, 2).mean(axis=(2, 4)).reshape(len(x), 16), dtype=np.float32)

    return replace(data, name="digits pooled to 4 x 4", x_train=pooled(data.x_train), x_test=pooled(data.x_test))
