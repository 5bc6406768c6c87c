"""What a gradient measured on a circuit needs of the circuit: settle, run, be read. No model of it is asked for.

Two plants exist: one in `physics` (`physics_plant`) and one on a bench.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from torch import Tensor

from jackfield.physics import Circuit

__all__ = ["Ability", "Parameters", "Plant", "Settled"]

Parameters = tuple[Mapping[str, Tensor], ...]
"""For each edge set of the circuit's slice its parameters, [edge] each."""


class Ability(StrEnum):
    """What a plant can do; an estimator says which it needs."""

    SETTLE = "settle under constant injected currents"
    WAVEFORM = "run with a current waveform into every node and be read along the way"


@dataclass(frozen=True, eq=False)
class Settled:
    """Node voltages `[sample, node]` after settling; `settled` `[sample]` is False where a sample still moved,
    `railed` `[sample, node]` True where a node stood at a rail."""

    values: Tensor
    settled: Tensor
    railed: Tensor


class Plant(Protocol):
    """A circuit of one slice, in the units of `circuit`; all tensors are float64.

    `start` `[sample, node]` are presets of all nodes, of which `circuit.clamped` stay driven. `passes` and `reads`
    count input vectors run and node voltages read since the plant was made.
    """

    passes: int
    reads: int

    @property
    def circuit(self) -> Circuit:
        """What the plant was asked to be: edges, laws and nominal parameters, not what it is."""
        ...

    @property
    def abilities(self) -> frozenset[Ability]: ...

    def configure(self, parameters: Parameters) -> None:
        """Ask for other parameters; a board rounds them to codes and says so in `circuit`."""
        ...

    def settle(self, start: Tensor, injection: Tensor | None = None, driven: tuple[int, ...] = ()) -> Settled:
        """The state at rest under currents `injection` `[sample, node]`; `driven` nodes stay at `start`, too."""
        ...

    def transient(self, start: Tensor, points: int, duration: float, injection: Tensor | None = None) -> Tensor:
        """Voltages `[point, sample, node]` at `points` equally spaced times over `duration`, both ends included.

        `injection` `[point, sample, node]` has as many points, linear in between.
        """
        ...
