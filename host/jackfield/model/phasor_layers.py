"""Layers of phasor networks: unit phasors in, unit phasors out, as cosine and sine [2, example, ...].

A neuron's answer is the direction of its weighted sum, z/|z|, the phase of a settled resonator (Olin-Ammentorp and
Bazhenov, arXiv 2106.11908). Phases are in units of pi, -1 to 1.
"""

import math
from abc import ABC, abstractmethod
from typing import final

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, max_pool2d

from jackfield.errors import DesignError

__all__ = ["AbstractPhasorLayer", "PhasorConv", "PhasorDense", "PhasorMinPool", "phases_of", "units_of"]

_TINY = 1e-12  # keeps the gradient finite where a sum vanishes


def units_of(phases: Tensor) -> Tensor:
    """Unit phasors [2, ...] of phases [...]."""
    return torch.stack([torch.cos(math.pi * phases), torch.sin(math.pi * phases)])


def phases_of(units: Tensor) -> Tensor:
    """Phases [...] of phasors [2, ...] of any length."""
    return torch.atan2(units[1], units[0]) / math.pi


class AbstractPhasorLayer(nn.Module, ABC):
    """A layer from `shape_in` to `shape_out`, the shapes of one example: (neuron,) or (channel, row, column)."""

    shape_in: tuple[int, ...]
    shape_out: tuple[int, ...]

    @abstractmethod
    def forward(self, units: Tensor, weight: Tensor | None = None) -> Tensor:
        """Unit phasors [2, example, *shape_out]; `weight` stands in for the layer's own (rounded ones)."""


class _Weighted(AbstractPhasorLayer):
    """Real weights and a bias: a reference current of phase 0, the same in both executions."""

    weight: nn.Parameter
    bias: nn.Parameter

    def forward(self, units: Tensor, weight: Tensor | None = None) -> Tensor:
        """See AbstractPhasorLayer."""
        total = self.sums(units, self.weight if weight is None else weight)
        return total * torch.rsqrt(total.square().sum(0) + _TINY)

    @abstractmethod
    def sums(self, units: Tensor, weight: Tensor) -> Tensor:
        """Weighted sums [2, example, *shape_out], the bias in the cosine."""

    @abstractmethod
    def matrix(self) -> Tensor:
        """All weights [neuron, source + 1] of the flattened layer, the bias last: for boards and runs in time."""


@final
class PhasorDense(_Weighted):
    """Every neuron hears every source."""

    def __init__(self, sources: int, neurons: int, generator: torch.Generator) -> None:
        super().__init__()
        self.shape_in, self.shape_out = (sources,), (neurons,)
        self.weight = nn.Parameter(_glorot((neurons, sources), sources, neurons, generator))
        self.bias = nn.Parameter(torch.zeros(neurons))

    def sums(self, units: Tensor, weight: Tensor) -> Tensor:
        """See _Weighted."""
        flat = units.flatten(2)
        return torch.stack([flat[0] @ weight.T + self.bias, flat[1] @ weight.T])

    def matrix(self) -> Tensor:
        """See _Weighted."""
        return torch.cat([self.weight.detach(), self.bias.detach()[:, None]], dim=1)


@final
class PhasorConv(_Weighted):
    """A square kernel without padding over (channel, row, column); one bias a channel."""

    def __init__(self, shape: tuple[int, int, int], channels: int, kernel: int, generator: torch.Generator) -> None:
        super().__init__()
        before, rows, columns = shape
        if kernel > min(rows, columns):
            raise DesignError(f"a kernel of {kernel} is larger than {rows} x {columns}; choose a smaller one")
        self.shape_in, self.shape_out = shape, (channels, rows - kernel + 1, columns - kernel + 1)
        size = (channels, before, kernel, kernel)
        self.weight = nn.Parameter(_glorot(size, before * kernel**2, channels * kernel**2, generator))
        self.bias = nn.Parameter(torch.zeros(channels))

    def sums(self, units: Tensor, weight: Tensor) -> Tensor:
        """See _Weighted."""
        real, imaginary = units.view(2, -1, *self.shape_in)
        return torch.stack([conv2d(real, weight, self.bias), conv2d(imaginary, weight)])

    def matrix(self) -> Tensor:
        """See _Weighted."""
        sources = math.prod(self.shape_in)
        each = conv2d(torch.eye(sources).view(sources, *self.shape_in), self.weight.detach()).flatten(1)
        bias = self.bias.detach().repeat_interleave(math.prod(self.shape_out[1:]))
        return torch.cat([each.T, bias[:, None]], dim=1)


@final
class PhasorMinPool(AbstractPhasorLayer):
    """The earliest phase of each square of `size`: on a spiking substrate the first spike of a frame wins."""

    def __init__(self, shape: tuple[int, int, int], size: int) -> None:
        super().__init__()
        self.size, self.shape_in = size, shape
        self.shape_out = (shape[0], shape[1] // size, shape[2] // size)

    def forward(self, units: Tensor, weight: Tensor | None = None) -> Tensor:
        """See AbstractPhasorLayer."""
        planes = units.view(2, -1, *self.shape_in)
        _, chosen = max_pool2d(-phases_of(planes), self.size, return_indices=True)
        flat = planes.flatten(3)
        return torch.gather(flat, 3, chosen.flatten(2).expand(2, *chosen.shape[:2], -1)).view(2, *chosen.shape)


def _glorot(shape: tuple[int, ...], sources: int, neurons: int, generator: torch.Generator) -> Tensor:
    """Glorot and Bengio, AISTATS 2010: uniform within sqrt(6/(sources + neurons))."""
    return (2 * torch.rand(shape, generator=generator) - 1) * math.sqrt(6 / (sources + neurons))
