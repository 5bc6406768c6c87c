"""What a training reports, as frozen values."""

from dataclasses import dataclass

__all__ = ["Accuracy", "Epoch", "TrainingResult"]


@dataclass(frozen=True)
class Accuracy:
    """`correct` right answers among `n`."""

    correct: int
    n: int

    @property
    def share(self) -> float:
        """Between 0 and 1."""
        return self.correct / self.n

    def __str__(self) -> str:
        return f"{100 * self.share:.2f} % of {self.n}"


@dataclass(frozen=True)
class Epoch:
    """One pass over the training part: `number` (from 1) of `count`, mean loss, accuracy on the validation part."""

    number: int
    count: int
    loss: float
    validation: Accuracy


@dataclass(frozen=True)
class TrainingResult:
    """How a training went.

    `test` is inside the board's rails where there is a board, `test_quantised` rounded to its codes besides
    (None without a board); `largest_v` is the largest |v| on the training part, machine units, without rails.
    """

    history: tuple[Epoch, ...]
    validation: Accuracy
    test: Accuracy
    test_quantised: Accuracy | None
    largest_v: float
