"""Which circuit a network is: its nodes, edges, law and slices, without any trained number."""

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import torch
from torch import Tensor

from jackfield.errors import DesignError
from jackfield.model.tables import check_keys, from_table
from jackfield.physics import LAWS, Topology, fully_connected, mixed, neighbour

__all__ = ["Architecture", "FullyConnected", "Listed", "Mixed", "Neighbour", "Wiring"]


@dataclass(frozen=True)
class FullyConnected:
    """Every ordered pair of `nodes` nodes and ground, see `physics.fully_connected`."""

    nodes: int
    copies: tuple[int, int]

    def topology(self) -> Topology:
        """The edges of one slice."""
        return fully_connected(self.nodes, self.copies)


@dataclass(frozen=True)
class Neighbour:
    """Nodes on a grid, joined inside windows, see `physics.neighbour`."""

    channels: int
    width: int
    height: int
    window: int

    def topology(self) -> Topology:
        """The edges of one slice."""
        return neighbour(self.channels, self.width, self.height, self.window)


@dataclass(frozen=True)
class Mixed:
    """A grid and `extra` nodes joined to all of it, see `physics.mixed`."""

    channels: int
    width: int
    height: int
    window: int
    extra: int
    copies: tuple[int, int]

    def topology(self) -> Topology:
        """The edges of one slice."""
        return mixed(self.channels, self.width, self.height, self.window, self.extra, self.copies)


@dataclass(frozen=True)
class Listed:
    """Edges one by one, for boards with few of them: "1-3:3 2-3 1-0:2" joins nodes 1 and 3 by an edge of order 3.

    Order 1 (as 2-3 is, nothing being said) is linear, 2 has a square term besides, 3 a cubic one; node 0 is ground.
    Raises DesignError where the text says something else or a node does not exist.
    """

    nodes: int
    edges: str

    def __post_init__(self) -> None:
        for word in self.edges.split() or [""]:
            match = re.fullmatch(r"(\d+)-(\d+)(?::([123]))?", word)
            if match is None or match[1] == match[2] or max(int(match[1]), int(match[2])) > self.nodes:
                raise DesignError(
                    f"{word!r} is no edge between two of the nodes 0..{self.nodes}; write such as '1-3:3 2-3 1-0:2'"
                )

    def topology(self) -> Topology:
        """The edges of one slice."""
        ends = torch.tensor([[int(node) for node in word.split(":")[0].split("-")] for word in self.edges.split()])
        return Topology(self.nodes, ends[:, 0].contiguous(), ends[:, 1].contiguous())

    @property
    def orders(self) -> tuple[int, ...]:
        """The order of each edge."""
        return tuple(int(word[-1]) if ":" in word else 1 for word in self.edges.split())


Wiring = FullyConnected | Listed | Neighbour | Mixed
_WIRINGS: dict[str, type[Wiring]] = {
    "fully_connected": FullyConnected,
    "listed": Listed,
    "neighbour": Neighbour,
    "mixed": Mixed,
}


@dataclass(frozen=True)
class Architecture:
    """A circuit of `slices` slices of unit duration with the edges of `wiring`, all of one `law`.

    The first `inputs` nodes start at the input, all others at 0; the last `outputs` nodes are the answer.
    A slice is integrated in `steps` steps of RK4. Raises DesignError on an unknown law or counts that cannot be.
    """

    wiring: Wiring
    inputs: int
    outputs: int
    slices: int = 2
    law: str = "shifted_relu"
    steps: int = 4

    def __post_init__(self) -> None:
        if self.law not in LAWS:
            raise DesignError(f"element law {self.law!r} is not known; use one of {', '.join(LAWS)}")
        if self.slices < 1 or self.steps < 1:
            raise DesignError(f"{self.slices} slices of {self.steps} steps are asked; both take 1 or more")
        if not (1 <= self.inputs <= self.nodes and 1 <= self.outputs <= self.nodes):
            raise DesignError(
                f"{self.inputs} inputs and {self.outputs} outputs are asked of {self.nodes} nodes; each takes 1 to that"
            )

    @cached_property
    def topology(self) -> Topology:
        """The edges of each slice."""
        return self.wiring.topology()

    @property
    def nodes(self) -> int:
        """Nodes without ground."""
        return self.topology.nodes

    @property
    def input_nodes(self) -> tuple[int, ...]:
        """Numbers of the nodes that the input sets."""
        return tuple(range(1, self.inputs + 1))

    @property
    def output_nodes(self) -> tuple[int, ...]:
        """Numbers of the nodes that are read."""
        return tuple(range(self.nodes - self.outputs + 1, self.nodes + 1))

    @cached_property
    def absent(self) -> dict[str, Tensor]:
        """Which edges `[edge]` have no such parameter: terms of a polynomial above a listed edge's order."""
        if not isinstance(self.wiring, Listed) or self.law != "polynomial":
            return {}
        orders = torch.tensor(self.wiring.orders)
        return {"g2": orders != 2, "g3": orders != 3}

    @property
    def grid(self) -> tuple[int, int, int] | None:
        """Channels, rows and columns of the input, where it is a picture that covers the wiring's grid."""
        if isinstance(self.wiring, FullyConnected | Listed):
            return None
        shape = (self.wiring.channels, self.wiring.height, self.wiring.width)
        return shape if shape[0] * shape[1] * shape[2] == self.inputs else None

    def to_table(self) -> dict[str, Any]:
        """Plain values for TOML."""
        kind = next(name for name, wiring in _WIRINGS.items() if wiring is type(self.wiring))
        table = dataclasses.asdict(self)
        return table | {"wiring": {"kind": kind, **table["wiring"]}}

    @classmethod
    def from_table(cls, table: Mapping[str, Any], place: str) -> Self:
        """The architecture that `table` spells out; DesignError, naming `place` and key, where it does not."""
        check_keys(table, [item.name for item in dataclasses.fields(cls)], place)
        wiring = table["wiring"]
        kind = wiring.get("kind") if isinstance(wiring, Mapping) else None
        if kind not in _WIRINGS:
            raise DesignError(f"{place}: wiring kind {kind!r} is unknown; use one of {', '.join(_WIRINGS)}")
        entries = {name: value for name, value in wiring.items() if name != "kind"}
        built = from_table(_WIRINGS[kind], entries, f"{place}.wiring")
        numbers = {name: value for name, value in table.items() if name != "wiring"}
        return cls(built, **dataclasses.asdict(from_table(_Numbers, numbers, place)))


@dataclass(frozen=True)
class _Numbers:
    """What an architecture has beside its wiring, for reading."""

    inputs: int
    outputs: int
    slices: int
    law: str
    steps: int
