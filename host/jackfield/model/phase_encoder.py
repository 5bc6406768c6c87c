"""Inputs as phases: a sparse random projection, or a random sign for each input."""

from typing import final

import torch
from torch import Tensor, nn

from jackfield.errors import DesignError

__all__ = ["PhaseEncoder"]

_CLIP = 3.0  # standard deviations that fill the range of phases
_TAKEN = 1 / 8  # about 100 of 784; sparser and denser ones cost up to half a point on MNIST (measured)


@final
class PhaseEncoder(nn.Module):
    """Phases [example, input] of inputs [example, input], fixed once made.

    `projection`: a sparse matrix of 0 and +-1, one entry in eight taken (as Li, Hastie and Church, "Very sparse random
    projections", KDD 2006), then one mean and one deviation for all, three deviations to pi, clipped.
    `sign`: each input in [0, 1] times its own random sign.
    """

    matrix: Tensor
    mean: Tensor
    scale: Tensor

    def __init__(self, kind: str, inputs: int, *, seed: int = 0) -> None:
        super().__init__()
        if kind not in ("projection", "sign"):
            raise DesignError(f"{kind!r} is no encoding of phases; choose projection or sign")
        self.kind = kind
        generator = torch.Generator().manual_seed(seed)
        draw = torch.rand((inputs, inputs) if kind == "projection" else (inputs,), generator=generator)
        share = _TAKEN if kind == "projection" else 1.0
        self.register_buffer("matrix", (draw < share).float() * torch.sign(draw - share / 2))
        self.register_buffer("mean", torch.tensor(0.0))
        self.register_buffer("scale", torch.tensor(1.0))

    def fit(self, x: Tensor) -> None:
        """Take mean and deviation of the projections from the training inputs `x` [example, input]."""
        if self.kind == "projection":
            projected = x @ self.matrix.T
            self.mean.copy_(projected.mean())
            self.scale.copy_(_CLIP * projected.std())

    def forward(self, x: Tensor) -> Tensor:
        """Phases in units of pi; DesignError where `x` has another width."""
        if x.dim() != 2 or x.shape[1] != self.matrix.shape[-1]:
            raise DesignError(f"inputs {tuple(x.shape)} are given; this takes [example, {self.matrix.shape[-1]}]")
        if self.kind == "sign":
            return x * self.matrix
        return ((x @ self.matrix.T - self.mean) / self.scale).clamp(-1.0, 1.0)
