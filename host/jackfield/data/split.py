"""Labelled examples, divided for training and for the final figure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jackfield.errors import DesignError

__all__ = ["Split"]


@dataclass(frozen=True, eq=False)
class Split:
    """Inputs float32 `[example, input]` in machine units and labels int64 `[example]`; `name` says how it was made.

    The test part is for the final figure only. Raises DesignError where inputs and labels do not belong together.
    """

    name: str
    x_train: NDArray[np.float32]
    y_train: NDArray[np.int64]
    x_test: NDArray[np.float32]
    y_test: NDArray[np.int64]

    def __post_init__(self) -> None:
        for part, x, y in (("training", self.x_train, self.y_train), ("test", self.x_test, self.y_test)):
            if x.ndim != 2 or y.ndim != 1 or len(x) != len(y) or not len(x):
                raise DesignError(
                    f"the {part} part of {self.name} has inputs {x.shape} and labels {y.shape}; "
                    "give [example, input] and [example], at least one example"
                )

    @property
    def inputs(self) -> int:
        """Inputs of one example."""
        return int(self.x_train.shape[1])

    @property
    def classes(self) -> int:
        """Classes, numbered from 0."""
        return int(max(self.y_train.max(), self.y_test.max())) + 1
