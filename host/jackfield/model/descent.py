"""One training step after the other, from any of them on."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from jackfield.model.augment import moved
from jackfield.model.headroom import headroom_penalty
from jackfield.model.network import KirchhoffNet
from jackfield.model.recipe import Recipe
from jackfield.model.schedule import one_cycle

__all__ = ["Descent"]

_SECOND_MOMENT = 0.999


class Descent:
    """Adam, its rate, the averaged weights: all that a step changes beside the network and the generator."""

    def __init__(self, network: KirchhoffNet, recipe: Recipe, total: int) -> None:
        """`total` steps will be taken."""
        self._network = network
        self._recipe = recipe
        self._total = total + 1  # one more, so that the last step is not at rate zero
        self._optimiser = torch.optim.Adam(network.parameters(), lr=recipe.learning_rate)
        self._averages = [value.detach().clone() for value in network.parameters()] if recipe.average else []

    def step(self, number: int, x: Tensor, y: Tensor, generator: torch.Generator, quantised: bool) -> float:
        """Step `number` (from 0) on inputs `x` [example, input] with labels `y`; the loss before it."""
        network, recipe = self._network, self._recipe
        self._set_rate(number)
        coarse = number < recipe.coarse_until * self._total
        steps = recipe.coarse_steps if coarse else network.architecture.steps
        varied = self._varied(x, generator)
        states = network.states(varied, quantised=quantised, steps=steps, snapshots=recipe.snapshots)
        loss = cross_entropy(network.logits(states[-1]), y, label_smoothing=recipe.smoothing)
        penalty = recipe.headroom_weight * headroom_penalty(states, recipe.headroom_v)
        self._optimiser.zero_grad()
        (loss + penalty).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), recipe.clip_norm)
        self._optimiser.step()
        network.confine()
        self._average(number)
        return float(loss.detach())

    def _set_rate(self, number: int) -> None:
        rate, momentum = one_cycle(number, self._total, self._recipe.learning_rate, self._recipe.warm_up)
        for group in self._optimiser.param_groups:
            group["lr"], group["betas"] = rate, (momentum, _SECOND_MOMENT)

    def _varied(self, x: Tensor, generator: torch.Generator) -> Tensor:
        recipe, grid = self._recipe, self._network.architecture.grid
        if grid is not None and (recipe.shift_px > 0 or recipe.rotate_deg > 0):
            x = moved(x, grid, recipe.shift_px, recipe.rotate_deg, generator)
        return x + recipe.noise * torch.randn(x.shape, generator=generator) if recipe.noise > 0 else x

    @torch.no_grad()
    def _average(self, number: int) -> None:
        decay = min(self._recipe.average, (1 + number) / (10 + number))  # the first steps count for little
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
