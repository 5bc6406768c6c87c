"""How well a network answers and how far its voltages reach."""

from torch import Tensor, no_grad, split

from jackfield.model.network import KirchhoffNet
from jackfield.model.result import Accuracy

__all__ = ["measure_accuracy", "measure_largest_v"]

_BATCH = 2_048  # bounds the memory of large sets
_LOOKS_BATCH = 256  # every step is kept


@no_grad()
def measure_accuracy(
    network: KirchhoffNet, x: Tensor, y: Tensor, *, quantised: bool = False, rails: bool = False
) -> Accuracy:
    """How many of the inputs `x` [example, input] the network answers with their labels `y`."""
    correct = 0
    for part, labels in zip(split(x, _BATCH), split(y, _BATCH), strict=True):
        states = network.states(part, quantised=quantised, rails=rails)
        correct += int((network.logits(states[-1]).argmax(1) == labels).sum())
    return Accuracy(correct, len(y))


@no_grad()
def measure_largest_v(network: KirchhoffNet, x: Tensor, *, quantised: bool = False, steps: int | None = None) -> float:
    """The largest |v| in machine units that the inputs `x` [example, input] cause at any step, without rails.

    `steps` a slice are taken in place of the architecture's.
    """
    looks = steps or network.architecture.steps
    peaks = [
        network.states(part, quantised=quantised, steps=looks, snapshots=looks).abs().max()
        for part in split(x, _LOOKS_BATCH)
    ]
    return max(float(x.abs().max()), *(float(peak) for peak in peaks))
