"""One training step after the other, from any of them on."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import torch
from torch import Tensor, nn

from jackfield.model.schedule import one_cycle

__all__ = ["Descent", "Pace"]

_SECOND_MOMENT = 0.999


class Pace(Protocol):
    """What a recipe says of its steps: one-cycle rate up to `learning_rate`, gradient norm, decay of the averages."""

    @property
    def learning_rate(self) -> float: ...
    @property
    def warm_up(self) -> float: ...
    @property
    def clip_norm(self) -> float: ...
    @property
    def average(self) -> float: ...


class Descent:
    """Adam, its rate, the averaged weights: all that a step changes beside the network and the generator."""

    def __init__(self, network: nn.Module, pace: Pace, total: int) -> None:
        """`total` steps will be taken."""
        self._network = network
        self._pace = pace
        self._total = total + 1  # one more, so that the last step is not at rate zero
        self._optimiser = torch.optim.Adam(network.parameters(), lr=pace.learning_rate)
        self._averages = [value.detach().clone() for value in network.parameters()] if pace.average else []

    def step(self, number: int, loss: Tensor) -> None:
        """Step `number` (from 0) down `loss`."""
        rate, momentum = one_cycle(number, self._total, self._pace.learning_rate, self._pace.warm_up)
        for group in self._optimiser.param_groups:
            group["lr"], group["betas"] = rate, (momentum, _SECOND_MOMENT)
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self._network.parameters(), self._pace.clip_norm)
        self._optimiser.step()

    @torch.no_grad()
    def follow(self, number: int) -> None:
        """Let the averages follow the weights as they are after step `number`."""
        decay = min(self._pace.average, (1 + number) / (10 + number))  # the first steps count for little
        for kept, value in zip(self._averages, self._network.parameters(), strict=bool(self._averages)):
            kept.lerp_(value, 1 - decay)

    @contextmanager
    @torch.no_grad()
    def averaged(self) -> Iterator[None]:
        """The network with its averaged weights, within the block."""
        latest = [value.clone() for value in self._network.parameters()]
        self.keep_average()
        try:
            yield
        finally:
            for value, kept in zip(self._network.parameters(), latest, strict=True):
                value.copy_(kept)

    @torch.no_grad()
    def keep_average(self) -> None:
        """Give the network its averaged weights for good, where the recipe averages."""
        for value, kept in zip(self._network.parameters(), self._averages, strict=bool(self._averages)):
            value.copy_(kept)

    def tensors(self) -> dict[str, Tensor]:
        """Everything that the next step depends on, by name; the tensors themselves, not copies."""
        named = {f"network.{name}": value.detach() for name, value in self._network.named_parameters()}
        for place, (name, value) in enumerate(self._network.named_parameters()):
            if self._averages:
                named[f"average.{name}"] = self._averages[place]
            for key, held in self._optimiser.state[value].items():
                named[f"adam.{key}.{name}"] = held
        return named

    def restore(self, named: dict[str, Tensor]) -> None:
        """Take the `tensors` of an earlier descent of the same network and recipe."""
        for place, (name, value) in enumerate(self._network.named_parameters()):
            value.data.copy_(named[f"network.{name}"])
            if self._averages:
                self._averages[place].copy_(named[f"average.{name}"])
            held = {key.split(".")[1]: item for key, item in named.items() if _is_of(key, name)}
            if held:
                self._optimiser.state[value] = {key: item.clone() for key, item in held.items()}


def _is_of(key: str, name: str) -> bool:
    return key.startswith("adam.") and key.split(".", 2)[2] == name
