"""What every estimator of measured gradients offers: one call, what it needs of a plant, what it refuses."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor

from jackfield.errors import BoardError, DesignError
from jackfield.physics import Circuit
from jackfield.tune.plant import Ability, Parameters, Plant, Settled

__all__ = ["Estimate", "Estimator", "Loss", "Nudge", "asymmetry", "edge_products", "voltages_across"]

Loss = Callable[[Tensor], Tensor]
"""Losses `[sample]` of output voltages `[sample, output]`, in torch operations."""

NAMED = 4  # edges that a refusal names


@dataclass(frozen=True, eq=False)
class Estimate:
    """Gradients of the mean loss for each edge set, like Parameters; `loss` `[sample]` and `values` `[sample, node]` of
    the free run; `usable` `[sample]` is False for samples left out because they moved on or stood at a rail.

    `asymmetry` of the Jacobian as measured, where the estimator was forced. `passes` and `reads` are its cost.
    """

    gradients: Parameters
    loss: Tensor
    values: Tensor
    usable: Tensor
    asymmetry: float | None
    passes: int
    reads: int


@dataclass(frozen=True)
class Nudge:
    """How strong a sample is nudged: beta times its error, `peak` being the largest current (or voltage step) at any
    output. Small errors get the same peak as large ones, but never more than `beta` times themselves."""

    beta: float = 50.0
    peak: float = float("inf")

    def of(self, error: Tensor) -> Tensor:
        """beta `[sample, 1]` for errors `[sample, node]`."""
        largest = error.abs().amax(-1, keepdim=True).clamp_min(1e-30)
        return torch.clamp(self.peak / largest, max=self.beta)


class Estimator(ABC):
    """dloss/dparameters from node voltages of a plant and the nominal parameters alone.

    With `approximate` a circuit that is not reciprocal is taken all the same, where the estimator has a meaning there.
    """

    name: ClassVar[str]
    needs: ClassVar[frozenset[Ability]]
    forcible: ClassVar[bool] = False

    def __init__(self, nudge: Nudge, *, approximate: bool = False) -> None:
        if approximate and not self.forcible:
            raise DesignError(f"{self.name} has no meaning on a circuit that is not reciprocal; leave out approximate")
        self.nudge, self.approximate = nudge, approximate

    @final
    def estimate(self, plant: Plant, start: Tensor, loss: Loss) -> Estimate:
        """The gradient of the mean of `loss` over samples with presets `start` `[sample, node]`.

        Raises DesignError where the plant cannot do what is needed or its edges are not reciprocal, BoardError where
        no sample settles inside the rails.
        """
        crooked = self.check(plant)
        passes, reads = plant.passes, plant.reads
        measured = asymmetry(plant, start[:1]) if crooked and Ability.SETTLE in self.needs else None
        gradients, losses, values, usable = self._estimate(plant, start, loss)
        return Estimate(gradients, losses, values, usable, measured, plant.passes - passes, plant.reads - reads)

    @final
    def check(self, plant: Plant) -> bool:
        """Whether the plant's circuit has edges that are not reciprocal. Raises DesignError as `estimate`."""
        missing = self.needs - plant.abilities
        if missing:
            raise DesignError(f"{self.name} needs a board that can {' and '.join(sorted(missing))}; this one cannot")
        named = _crooked(plant.circuit)
        if named and not self.approximate:
            more = f" and {len(named) - NAMED} more" if len(named) > NAMED else ""
            way = "; approximate=True forces it" if self.forcible else ""
            raise DesignError(
                f"{self.name} is exact on reciprocal edges only; not so are {', '.join(named[:NAMED])}{more}. Use "
                f"edges whose current depends on v_s - v_d alone{way}"
            )
        return bool(named)

    @abstractmethod
    def _estimate(self, plant: Plant, start: Tensor, loss: Loss) -> tuple[Parameters, Tensor, Tensor, Tensor]:
        """Gradients, losses, free voltages and usable samples."""


def _crooked(circuit: Circuit) -> list[str]:
    return [
        f"edge {edge} ({edges.describe(edge)}, {edges.law})"
        for edges in circuit.slices[0].edges
        if not edges.element_law.reciprocal
        for edge in range(len(edges))
    ]


def output_error(circuit: Circuit, values: Tensor, loss: Loss) -> tuple[Tensor, Tensor]:
    """Losses `[sample]` and dloss/dv `[sample, node]`, zero but at the outputs."""
    chosen = torch.tensor(circuit.outputs) - 1
    outputs = values[:, chosen].detach().requires_grad_()
    losses = loss(outputs)
    (slope,) = torch.autograd.grad(losses.sum(), outputs)
    return losses.detach(), torch.zeros_like(values).index_copy(1, chosen, slope)


def usable_of(*states: Settled) -> Tensor:
    """Samples `[sample]` at rest and off the rails in all `states`; raises BoardError where there is none."""
    still = torch.stack([state.settled for state in states]).all(0)
    railed = torch.stack([state.railed.any(-1) for state in states]).any(0)
    usable = still & ~railed
    if not bool(usable.any()):
        raise BoardError(
            f"none of {len(usable)} samples gives a gradient: {int((~still).sum())} oscillate or still move, "
            f"{int(railed.sum())} stand at a rail; nudge less, use gains of one sign or a stronger leak"
        )
    return usable


def voltages_across(circuit: Circuit, v: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Source and destination voltages `[..., edge]` of each edge set."""
    potentials = torch.cat([torch.zeros_like(v[..., :1]), v], dim=-1)
    return [(potentials[..., edges.source], potentials[..., edges.destination]) for edges in circuit.slices[0].edges]


def edge_products(circuit: Circuit, contrast: Tensor, v: Tensor) -> list[dict[str, Tensor]]:
    """(a_s - a_d) di/dp at `v`, `[..., edge]` for each parameter of each edge set; `contrast` is a."""
    products = []
    ends = zip(circuit.slices[0].edges, voltages_across(circuit, contrast), voltages_across(circuit, v), strict=True)
    for edges, (a_s, a_d), (v_s, v_d) in ends:
        nominal = {name: value.detach() for name, value in edges.parameters.items()}
        slopes = edges.element_law.first_partials(v_s, v_d, nominal)
        products.append({name: (a_s - a_d) * slopes[name] for name in nominal})
    return products


def mean_over(products: list[dict[str, Tensor]], usable: Tensor) -> Parameters:
    """Means over the usable of samples `[sample, edge]`."""
    return tuple({name: value[usable].mean(0) for name, value in one.items()} for one in products)


def asymmetry(plant: Plant, start: Tensor, current: float = 1e-2) -> float:
    """|A - A^T| / |A + A^T| of the response A of settled voltages to currents, measured at one sample `[1, node]`.

    `current` goes into each free node in turn, with both signs. A reciprocal circuit has 0, but for noise.
    """
    circuit = plant.circuit
    free = [node for node in range(circuit.nodes) if node + 1 not in circuit.clamped]
    push = torch.zeros(len(free), circuit.nodes, dtype=start.dtype)
    push[range(len(free)), free] = current
    many = start.expand(len(free), -1).contiguous()
    response = (plant.settle(many, push).values - plant.settle(many, -push).values)[:, free]
    return float((response - response.T).norm() / (response + response.T).norm())
