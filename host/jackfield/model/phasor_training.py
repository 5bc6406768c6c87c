"""Training phasor networks without time; one seed, the same numbers."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot, pad

from jackfield.errors import DesignError
from jackfield.model.phasor_layers import units_of
from jackfield.model.phasor_net import TRUE_PHASE, PhasorErrors, PhasorNet, similarity
from jackfield.model.result import Accuracy, Epoch
from jackfield.model.training import LabelledData

__all__ = [
    "PHASOR_BEST",
    "PHASOR_PUBLISHED",
    "PHASOR_TWO_EPOCHS",
    "PhasorRecipe",
    "measure_phasor_accuracy",
    "train_phasor",
]

# Of the cross-entropy on similarities, which lie in -1..1. On MNIST in 25 epochs 8 gives 0.5 points more than 5, and
# stronger sums: phases in time are a quarter nearer to those without.
_SHARPNESS = 8.0
_WARM_UP = 0.1
_EVALUATION_BATCH = 5_000


@dataclass(frozen=True)
class PhasorRecipe:
    """`loss`: "similarity" (mean 1 - s to quadrature targets) or "cross_entropy" (on similarities to the true phase).

    With similarity RMSprop at a constant `rate`; with cross-entropy AdamW with `decay` and a one-cycle rate up to
    `rate`, pictures shifted by up to `shift_px` whole pixels anew each epoch. `errors` of the board are trained for.
    """

    epochs: int
    batch: int
    rate: float
    loss: str
    decay: float = 0.0
    shift_px: int = 0
    errors: PhasorErrors | None = None

    def __post_init__(self) -> None:
        if self.loss not in ("similarity", "cross_entropy"):
            raise DesignError(f"loss {self.loss!r} is unknown; choose similarity or cross_entropy")
        if min(self.epochs, self.batch, self.rate) <= 0 or min(self.decay, self.shift_px) < 0:
            raise DesignError(f"{self} has a number below its least; epochs, batch and rate are above zero")


PHASOR_PUBLISHED = PhasorRecipe(epochs=2, batch=128, rate=1e-3, loss="similarity")
"""The recipe of Olin-Ammentorp and Bazhenov's published code."""

PHASOR_BEST = PhasorRecipe(epochs=25, batch=256, rate=8e-3, loss="cross_entropy", decay=0.1, shift_px=1)
"""For 784-100-10 on MNIST."""

PHASOR_TWO_EPOCHS = PhasorRecipe(epochs=2, batch=64, rate=4e-3, loss="cross_entropy", decay=0.1, shift_px=1)
"""The same in two epochs: four times as many steps of half the rate (chosen on other splits than the benchmark's)."""


def train_phasor(
    network: PhasorNet,
    data: LabelledData,
    recipe: PhasorRecipe,
    *,
    grid: tuple[int, int] | None = None,
    seed: int = 0,
    progress: Callable[[Epoch], None] | None = None,
) -> tuple[Epoch, ...]:
    """Train in place, the encoder fitted first; accuracy after each epoch is on the data's test part.

    `grid` (rows, columns) is for recipes that shift pictures. DesignError where data and network do not fit.
    """
    if recipe.shift_px and grid is None:
        raise DesignError("the recipe shifts pictures; give grid=(rows, columns) or set shift_px = 0")
    x, y = torch.from_numpy(data.x_train), torch.from_numpy(data.y_train)
    held, labels = torch.from_numpy(data.x_test), torch.from_numpy(data.y_test)
    if int(max(y.max(), labels.max())) >= network.outputs:
        raise DesignError(f"{data.name} has more classes than the network's {network.outputs} outputs")
    network.encoder.fit(x)
    generator = torch.Generator().manual_seed(seed)
    batches = max(1, len(x) // recipe.batch)
    optimiser, schedule = _optimiser(network, recipe, batches)
    history = []
    for number in range(1, recipe.epochs + 1):
        seen = x if grid is None or not recipe.shift_px else _shifted(x, grid, recipe.shift_px, generator)
        with torch.no_grad():
            phases = network.encoder(seen)
        order = torch.randperm(len(x), generator=generator)
        size, total = min(recipe.batch, len(x)), 0.0
        for chosen in order[: batches * size].view(batches, size):
            loss = _loss(network, phases[chosen], y[chosen], recipe, generator)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            if schedule is not None:
                schedule.step()
            total += float(loss.detach())
        history.append(Epoch(number, recipe.epochs, total / batches, measure_phasor_accuracy(network, held, labels)))
        if progress is not None:
            progress(history[-1])
    return tuple(history)


def measure_phasor_accuracy(network: PhasorNet, x: Tensor, y: Tensor) -> Accuracy:
    """How many of the inputs [example, input] are answered with their labels, without time."""
    with torch.no_grad():
        parts = zip(torch.split(x, _EVALUATION_BATCH), torch.split(y, _EVALUATION_BATCH), strict=True)
        correct = sum(int((network.scores(network(part)).argmax(1) == labels).sum()) for part, labels in parts)
    return Accuracy(correct, len(y))


def _optimiser(
    network: PhasorNet, recipe: PhasorRecipe, batches: int
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.OneCycleLR | None]:
    if recipe.loss == "similarity":
        return torch.optim.RMSprop(network.parameters(), lr=recipe.rate, alpha=0.9), None
    optimiser = torch.optim.AdamW(network.parameters(), lr=recipe.rate, weight_decay=recipe.decay)
    total = batches * recipe.epochs + 1  # one more, so that the last step is not at rate zero
    return optimiser, torch.optim.lr_scheduler.OneCycleLR(
        optimiser, recipe.rate, total_steps=total, pct_start=max(_WARM_UP, 2 / total)
    )


def _loss(network: PhasorNet, phases: Tensor, y: Tensor, recipe: PhasorRecipe, generator: torch.Generator) -> Tensor:
    answers = network.answers(units_of(phases), recipe.errors, generator)
    if recipe.loss == "similarity":
        return (1 - similarity(answers, TRUE_PHASE * one_hot(y, network.outputs))).mean()
    return cross_entropy(_SHARPNESS * network.scores(answers), y)


def _shifted(x: Tensor, grid: tuple[int, int], largest: int, generator: torch.Generator) -> Tensor:
    """Each picture moved by whole pixels, dark where it came from."""
    rows, columns = grid
    wide = pad(x.view(-1, rows, columns), (largest,) * 4)
    moves = torch.randint(0, 2 * largest + 1, (2, len(x), 1, 1), generator=generator)
    down, right = moves[0] + torch.arange(rows)[:, None], moves[1] + torch.arange(columns)
    return wide[torch.arange(len(x))[:, None, None], down, right].reshape(len(x), -1)
