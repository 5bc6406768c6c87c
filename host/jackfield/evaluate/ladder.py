"""Rungs of the ladder, each an accuracy with its interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from jackfield.errors import DesignError

__all__ = ["RUNGS", "Rung", "confusion_matrix", "ladder", "score", "wilson_interval"]

RUNGS = (
    "float",
    "in_time",
    "quantised",
    "variation_aware",
    "board_raw",
    "board_per_neuron",
    "twin",
    "board_calibrated",
    "board_by_spikes",
    "board_tuned",
)


@dataclass(frozen=True)
class Rung:
    """Share of `n` held-out inputs answered rightly, with its Wilson 95 % interval."""

    rung: str
    accuracy: float
    interval: tuple[float, float]
    n: int

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {"rung": self.rung, "accuracy": self.accuracy, "interval": list(self.interval), "n": self.n}


def wilson_interval(correct: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval for a share of `correct` in `n` (Wilson 1927, JASA 22, 209)."""
    if not 0 <= correct <= n or n < 1:
        raise DesignError(f"{correct} right answers of {n} are no share; evaluate at least one input")
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share, denominator = correct / n, 1 + z * z / n
    centre = (share + z * z / (2 * n)) / denominator
    half = z / denominator * (share * (1 - share) / n + z * z / (4 * n * n)) ** 0.5
    return max(0.0, centre - half), min(1.0, centre + half)


def score(rung: str, logits: NDArray[np.float64], labels: NDArray[np.int64]) -> Rung:
    """The rung called `rung` from `logits[input, class]` and `labels[input]`; the largest logit answers."""
    if rung not in RUNGS:
        raise DesignError(f"rung {rung!r} is unknown; the ladder has {', '.join(RUNGS)}")
    correct = int((logits.argmax(axis=1) == labels).sum())
    return Rung(rung, correct / len(labels), wilson_interval(correct, len(labels)), len(labels))


def ladder(rungs: Sequence[Rung]) -> tuple[Rung, ...]:
    """`rungs` in the ladder's order."""
    return tuple(sorted(rungs, key=lambda rung: RUNGS.index(rung.rung)))


def confusion_matrix(logits: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Counts `[label, answer]`."""
    classes = logits.shape[1]
    counts = np.bincount(labels * classes + logits.argmax(axis=1), minlength=classes * classes)
    return counts.reshape(classes, classes).astype(np.int64)
