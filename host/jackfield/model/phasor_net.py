"""PhasorNet: phases in, phases out, trained without time."""

import math
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor, nn

from jackfield.errors import DesignError
from jackfield.model.phase_encoder import PhaseEncoder
from jackfield.model.phasor_layers import (
    AbstractPhasorLayer,
    PhasorConv,
    PhasorDense,
    PhasorMinPool,
    phases_of,
    units_of,
)

__all__ = ["PhasorErrors", "PhasorNet", "round_phasor_weights", "similarity"]

TRUE_PHASE = 0.5
"""The output of the true class; the others' is 0: a quarter period apart."""


def similarity(phases: Tensor, others: Tensor) -> Tensor:
    """cos pi (a - b): 1 where two phases agree, -1 where they are opposite; elementwise."""
    return torch.cos(math.pi * (phases - others))


@dataclass(frozen=True)
class PhasorErrors:
    """What a board does to a network, drawn anew at each batch of training: `bits` of the signed weights (0: not
    rounded), `jitter` of each neuron's phase and `detuning` as a constant phase of each neuron (both in units of pi).
    """

    bits: int = 0
    jitter: float = 0.0
    detuning: float = 0.0


@final
class PhasorNet(nn.Module):
    """Phases [example, outputs] from inputs [example, inputs] in [0, 1], by layers of unit phasors.

    `layers` follow each other: int n is n dense neurons, ("conv", channels, kernel) and ("pool", size) want `grid`,
    the (channel, row, column) of the inputs. Raises DesignError where they do not fit each other.
    """

    def __init__(
        self,
        layers: tuple[int | tuple[str, int, int] | tuple[str, int], ...],
        *,
        inputs: int,
        grid: tuple[int, int, int] | None = None,
        encoding: str = "projection",
        seed: int = 0,
    ) -> None:
        super().__init__()
        if grid is not None and math.prod(grid) != inputs:
            raise DesignError(f"a grid of {grid} holds {math.prod(grid)} inputs, not {inputs}")
        self.encoder = PhaseEncoder(encoding, inputs, seed=seed)
        generator = torch.Generator().manual_seed(seed)
        shape: tuple[int, ...] = grid or (inputs,)
        made: list[AbstractPhasorLayer] = []
        for layer in layers:
            made.append(_layer(layer, shape, generator))
            shape = made[-1].shape_out
        self.layers = nn.ModuleList(made)
        self.outputs = math.prod(shape)

    def forward(
        self, x: Tensor, errors: PhasorErrors | None = None, generator: torch.Generator | None = None
    ) -> Tensor:
        """Phases of the last layer, in units of pi; with `errors` of a board drawn from `generator`."""
        return self.answers(units_of(self.encoder(x)), errors, generator)

    def answers(
        self, units: Tensor, errors: PhasorErrors | None = None, generator: torch.Generator | None = None
    ) -> Tensor:
        """As `forward`, from the encoded inputs as unit phasors [2, example, input]."""
        for layer in self.layers:
            assert isinstance(layer, AbstractPhasorLayer)
            if errors is not None and isinstance(layer, PhasorDense | PhasorConv):
                weight = rounded_weight(layer.weight, errors.bits) if errors.bits else layer.weight
                units = _turned(layer.forward(units, weight), errors, generator)
            else:
                units = layer.forward(units)
        return phases_of(units.flatten(2))

    def scores(self, phases: Tensor) -> Tensor:
        """How near each output is to the phase of the true class; the largest is the answer."""
        return similarity(phases, torch.full_like(phases, TRUE_PHASE))


def rounded_weight(weight: Tensor, bits: int) -> Tensor:
    """Weights on the signed steps that reach from -largest to largest; the gradient passes unchanged."""
    step = weight.detach().abs().max() / ((1 << (bits - 1)) - 1)
    return weight + (torch.round(weight.detach() / step) * step - weight.detach())


def round_phasor_weights(network: PhasorNet, bits: int) -> None:
    """Round the weights of each layer in place, as `rounded_weight` does."""
    for layer in network.layers:
        if isinstance(layer, PhasorDense | PhasorConv):
            layer.weight.data = rounded_weight(layer.weight.data, bits)


def _turned(units: Tensor, errors: PhasorErrors, generator: torch.Generator | None) -> Tensor:
    angle = torch.zeros(units.shape[1:])
    if errors.jitter:
        angle = angle + errors.jitter * torch.randn(units.shape[1:], generator=generator)
    if errors.detuning:
        angle = angle + errors.detuning * torch.randn(units.shape[2:], generator=generator)
    cosine, sine = units_of(angle)
    return torch.stack([units[0] * cosine - units[1] * sine, units[0] * sine + units[1] * cosine])


def _layer(
    wanted: int | tuple[str, int, int] | tuple[str, int], shape: tuple[int, ...], generator: torch.Generator
) -> AbstractPhasorLayer:
    if isinstance(wanted, int):
        return PhasorDense(math.prod(shape), wanted, generator)
    if len(shape) != 3:
        raise DesignError(f"{wanted} wants rows and columns, it follows {shape}; put it first and give the grid")
    plane = (shape[0], shape[1], shape[2])
    if wanted[0] == "conv" and len(wanted) == 3:
        return PhasorConv(plane, wanted[1], wanted[2], generator)
    if wanted[0] == "pool" and len(wanted) == 2:
        return PhasorMinPool(plane, wanted[1])
    raise DesignError(f'{wanted} is no layer; give a number of neurons, ("conv", channels, kernel) or ("pool", size)')
