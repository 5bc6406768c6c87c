"""KirchhoffNet: a circuit whose element parameters are trained.

Gao, Sun, Rohrer, Boning: "KirchhoffNet: A Scalable Ultra Fast Analog Neural Network", arXiv 2310.15872.
"""

import math
from collections.abc import Mapping
from typing import final

import torch
from torch import Tensor, nn

from jackfield.errors import DesignError
from jackfield.model.architecture import Architecture
from jackfield.model.bounds import Bounds
from jackfield.model.quantise import round_to_codes
from jackfield.physics import LAWS, Circuit, EdgeSet, Parameter, Slice, Topology, integrate

__all__ = ["KirchhoffNet"]

_INITIAL_DIGITAL_GAIN = 10.0
_GAIN_SPREAD = 0.5
_THRESHOLD_SPREAD = 0.05
_CURVE_SHARE = 0.1


@final
class KirchhoffNet(nn.Module):
    """Logits [batch, outputs] from inputs [batch, inputs], both in machine units, by running a circuit.

    Each slice has its own parameters of each edge, `values[name]` of [slice, edge]. The input sets the first
    nodes, all others start at 0; logits are the last nodes times a learned digital gain.
    With `bounds`, parameters stay inside a board's ranges (`confine`) and can be rounded to its codes.
    """

    def __init__(self, architecture: Architecture, *, bounds: Bounds | None = None, seed: int = 0) -> None:
        super().__init__()
        if bounds is not None and bounds.law != architecture.law:
            raise DesignError(
                f"the bounds are those of {bounds.law} cells, the network's law is {architecture.law}; "
                "make the bounds for that law"
            )
        self.architecture = architecture
        self.bounds = bounds
        self.values = nn.ParameterDict(_initial_values(architecture, seed))
        self.log_digital_gain = nn.Parameter(torch.tensor(math.log(_INITIAL_DIGITAL_GAIN)))
        self.confine()

    def forward(self, x: Tensor, *, quantised: bool = False) -> Tensor:
        """Logits; see `states` and `logits`."""
        return self.logits(self.states(x, quantised=quantised)[-1])

    def states(
        self,
        x: Tensor,
        *,
        quantised: bool = False,
        rails: bool = False,
        snapshots: int = 1,
        steps: int | None = None,
    ) -> Tensor:
        """Node voltages [slices * snapshots, batch, node] at equally spaced times of each slice, its end included.

        `steps` a slice override the architecture's. Raises DesignError where `x` has another width.
        """
        circuit = self.circuit(quantised=quantised, rails=rails)
        return integrate(circuit, self.start(x), steps=steps or self.architecture.steps, snapshots=snapshots)

    def start(self, x: Tensor) -> Tensor:
        """v(0) [batch, node] of inputs [batch, inputs]; DesignError where `x` has another width."""
        if x.dim() != 2 or x.shape[1] != self.architecture.inputs:
            raise DesignError(
                f"inputs of shape {tuple(x.shape)} are given; this network takes [batch, {self.architecture.inputs}]"
            )
        rest = torch.zeros(len(x), self.architecture.nodes - self.architecture.inputs, dtype=x.dtype)
        return torch.cat([x, rest], dim=1)

    def logits(self, v: Tensor) -> Tensor:
        """Logits [batch, outputs] of the last node voltages [batch, node]."""
        return v[:, -self.architecture.outputs :] * self.digital_gain

    @property
    def digital_gain(self) -> Tensor:
        """Logits a machine unit of output voltage."""
        return self.log_digital_gain.exp()

    def circuit(self, *, quantised: bool = False, rails: bool = False) -> Circuit:
        """The circuit in machine units, C = 1, differentiable to `values`.

        `quantised`: parameters rounded to the board's codes; `rails`: nodes stop at the board's rails.
        Raises DesignError where one is asked of a network without bounds.
        """
        if (quantised or rails) and self.bounds is None:
            raise DesignError(
                "codes or rails are asked of a network that was made for no board; make it with bounds, "
                "Bounds.from_spec(...)"
            )
        values = self._rounded() if quantised else dict(self.values)
        shape = self.architecture
        some = self.log_digital_gain
        return Circuit(
            shape.nodes,
            tuple(
                self._slice({name: value[number] for name, value in values.items()}) for number in range(shape.slices)
            ),
            torch.ones(shape.nodes, dtype=some.dtype),
            torch.zeros(shape.nodes, dtype=some.dtype),
            self.bounds.rails if rails and self.bounds is not None else None,
            shape.input_nodes,
            shape.output_nodes,
        )

    def _slice(self, parameters: Mapping[str, Tensor]) -> Slice:
        topology = self.architecture.topology
        return Slice(1.0, (EdgeSet(self.architecture.law, topology.source, topology.destination, parameters),))

    def _rounded(self) -> dict[str, Tensor]:
        assert self.bounds is not None
        return {name: round_to_codes(value, self.bounds.codes[name]) for name, value in self.values.items()}

    @torch.no_grad()
    def confine(self) -> None:
        """Bring every parameter inside the range of the board's cells, where there is a board; absent ones to zero."""
        for name, absent in self.architecture.absent.items():
            self.values[name].masked_fill_(absent, 0.0)
        if self.bounds is not None:
            for name, value in self.values.items():
                value.clamp_(self.bounds.codes[name].lo, self.bounds.codes[name].hi)


def _initial_values(architecture: Architecture, seed: int) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    topology = architecture.topology
    shape = (architecture.slices, len(topology))
    spread = _GAIN_SPREAD / _degrees(topology).sqrt()
    return {
        parameter.name: _initial(parameter, torch.randn(shape, generator=generator), spread)
        for parameter in LAWS[architecture.law].parameters
    }


def _initial(parameter: Parameter, noise: Tensor, gain_spread: Tensor) -> Tensor:
    """Currents' factors about 0, slopes of an argument about 1, thresholds and shifts about 0."""
    if parameter.amperes:
        # Square and cubic terms of either sign run away from large differences; they begin small.
        drawn = noise * gain_spread * (_CURVE_SHARE if parameter.volts < -1 else 1.0)
    else:
        drawn = noise * _THRESHOLD_SPREAD + (1.0 if parameter.volts < 0 else 0.0)
    return drawn.clamp(parameter.lower, parameter.upper)


def _degrees(topology: Topology) -> Tensor:
    """Edges [edge] at the node that each edge drives: its destination, or its source where that is ground."""
    ends = torch.cat([topology.source, topology.destination])
    degrees = torch.bincount(ends, minlength=topology.nodes + 1).float()
    driven = torch.where(topology.destination > 0, topology.destination, topology.source)
    return degrees[driven]
