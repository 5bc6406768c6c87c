"""What a trained network answers without any board."""

import numpy as np
import torch
from numpy.typing import NDArray

from jackfield.model import Checkpoint

__all__ = ["model_outputs"]


def model_outputs(checkpoint: Checkpoint, x: NDArray[np.float32], quantised: bool) -> NDArray[np.float64]:
    """Output voltages `[input, output]` of the model inside the board's rails, machine units."""
    network = checkpoint.network
    with torch.no_grad():
        end = network.states(torch.from_numpy(x), quantised=quantised, rails=network.bounds is not None)[-1]
    return end[:, -network.architecture.outputs :].double().numpy()
