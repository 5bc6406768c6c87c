"""Labelled inputs in shuffled batches, the same for one seed."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["Batches", "LabelledInputs"]


class LabelledInputs(Protocol):
    """Training inputs `[example, input]` in machine units and labels `[example]`, such as `data.Split`."""

    @property
    def x_train(self) -> NDArray[np.float32]: ...
    @property
    def y_train(self) -> NDArray[np.int64]: ...


class Batches(Iterator[tuple[NDArray[np.float32], Tensor]]):
    """Batches of `size` inputs and labels without end; each example once before any comes again."""

    def __init__(self, data: LabelledInputs, size: int, seed: int) -> None:
        self._data, self._size = data, min(size, len(data.x_train))
        self._rng = np.random.default_rng(seed)
        self._order = np.zeros(0, dtype=np.int64)

    def __next__(self) -> tuple[NDArray[np.float32], Tensor]:
        if len(self._order) < self._size:
            self._order = np.concatenate([self._order, self._rng.permutation(len(self._data.x_train))])
        chosen, self._order = self._order[: self._size], self._order[self._size :]
        return self._data.x_train[chosen], torch.from_numpy(self._data.y_train[chosen])
