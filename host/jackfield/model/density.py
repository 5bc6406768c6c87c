"""Densities in few dimensions as circuits: a continuous normalising flow whose field is Kirchhoff's law.

Gao, Sun, Rohrer, Boning: "KirchhoffNet: A Scalable Ultra Fast Analog Neural Network", arXiv 2310.15872, with the
change of variables of Chen, Rubanova, Bettencourt, Duvenaud: "Neural Ordinary Differential Equations", 1806.07366.
"""

import math
from collections.abc import Iterable
from typing import final

import torch
from torch import Tensor, nn

from jackfield.errors import DesignError
from jackfield.model.architecture import Architecture
from jackfield.physics import LAWS, Circuit, EdgeSet, Slice, integrate, integrate_with_trace

__all__ = ["KirchhoffDensity"]

_LAW = "tanh_affine"
_SPREAD = 0.1


@final
class KirchhoffDensity(nn.Module):
    """A density of points [point, node]: where a circuit takes nodes that start at normal numbers of width 1.

    `values[name]` of [slice, edge] are the parameters of `tanh_affine` edges. That law is odd in its parameters, so
    a circuit with all of them negated and its slices in reverse order runs time backwards: it takes points to their
    starts, and its exact trace, integrated, is the logarithm of how it scales areas.
    Raises DesignError where `architecture` has another law, or nodes that no input sets.
    """

    def __init__(self, architecture: Architecture, *, seed: int = 0) -> None:
        super().__init__()
        if architecture.law != _LAW or not architecture.nodes == architecture.inputs == architecture.outputs:
            raise DesignError(
                f"a density of {architecture.law} edges with {architecture.inputs} inputs and {architecture.outputs} "
                f"outputs on {architecture.nodes} nodes is asked; use {_LAW}, every node both input and output"
            )
        self.architecture = architecture
        generator = torch.Generator().manual_seed(seed)
        shape = (architecture.slices, len(architecture.topology))
        self.values = nn.ParameterDict(
            {name: _SPREAD * torch.randn(shape, generator=generator) for name in LAWS[_LAW].parameter_names}
        )

    def circuit(self) -> Circuit:
        """The circuit from starts to points, C = 1."""
        return self._circuit(range(self.architecture.slices), 1.0)

    def log_density(self, x: Tensor, *, steps: int | None = None) -> Tensor:
        """Logarithm (nats) of the density at points `x` [point, node]; differentiable to `values` and `x`.

        `steps` a slice override the architecture's.
        """
        back = self._circuit(reversed(range(self.architecture.slices)), -1.0)
        start, growth = integrate_with_trace(back, x, steps=steps or self.architecture.steps)
        return growth - (start.square() + math.log(2 * math.pi)).sum(dim=1) / 2

    @torch.no_grad()
    def sample(self, count: int, *, seed: int, steps: int | None = None) -> Tensor:
        """`count` points [point, node] of the density."""
        start = torch.randn(count, self.architecture.nodes, generator=torch.Generator().manual_seed(seed))
        return integrate(self.circuit(), start, steps=steps or self.architecture.steps)[-1]

    def _circuit(self, order: Iterable[int], sign: float) -> Circuit:
        shape = self.architecture
        ends = shape.topology.source, shape.topology.destination
        slices = tuple(
            Slice(1.0, (EdgeSet(_LAW, *ends, {name: sign * value[number] for name, value in self.values.items()}),))
            for number in order
        )
        ones = torch.ones(shape.nodes, dtype=self.values["a"].dtype)
        return Circuit(shape.nodes, slices, ones, torch.zeros_like(ones), None, shape.input_nodes, shape.output_nodes)
