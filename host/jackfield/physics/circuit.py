"""Circuits as plain numbers: nodes with capacitors, edges with laws, a sequence of time slices.

Whoever builds a circuit chooses the units: machine units throughout, or SI throughout.
Nodes are numbered 1..nodes; 0 is ground and has no entry in arrays (node n at index n - 1).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, isfinite

import numpy as np
import torch
from torch import Tensor

from jackfield.errors import DesignError
from jackfield.physics.laws import LAWS, ElementLaw, Imperfection


@dataclass(frozen=True, eq=False)
class EdgeSet:
    """Edges of one law: `source`, `destination` int64 [edge] (0 is ground), `parameters` of [edge] each.

    For a population of boards in one run, parameters and imperfections may be [board, edge].

    Raises DesignError, naming the edge (counted from 0), on an unknown law, missing or unknown or
    non-finite parameters, lengths that differ and edges from a node to itself.
    """

    law: str
    source: Tensor
    destination: Tensor
    parameters: Mapping[str, Tensor]
    imperfection: Imperfection | None = None

    def __post_init__(self) -> None:
        if self.law not in LAWS:
            raise DesignError(f"element law {self.law!r} is not known; use one of {', '.join(LAWS)}")
        names = LAWS[self.law].parameter_names
        if set(self.parameters) != set(names):
            raise DesignError(
                f"law {self.law} takes the parameters {', '.join(names)}, not {', '.join(self.parameters)}"
            )
        self._check_ends()
        for name, value in self.parameters.items():
            self._check_values(name, value, exact=True)
        if self.imperfection is not None:
            self._check_values("knee", self.imperfection.knee, lowest=0.0)
            self._check_values("saturation", 1 / self.imperfection.saturation, lowest=0.0)
            self._check_values("offset", self.imperfection.offset)

    def _check_ends(self) -> None:
        for name, ends in (("source", self.source), ("destination", self.destination)):
            if ends.dtype != torch.int64 or ends.dim() != 1:
                raise DesignError(f"edge {name}s are {ends.dtype} {tuple(ends.shape)}; give int64 [edge]")
        if self.source.shape != self.destination.shape:
            raise DesignError(
                f"{len(self.source)} sources but {len(self.destination)} destinations; give one each per edge"
            )
        loops = (self.source == self.destination).nonzero()
        if len(loops):
            edge = int(loops[0])
            raise DesignError(
                f"edge {edge} ({self.describe(edge)}) joins a node to itself and would carry nothing; remove it"
            )

    def _check_values(self, name: str, value: Tensor, exact: bool = False, lowest: float = -inf) -> None:
        fits = value.dim() in (1, 2) and value.shape[-1:] == self.source.shape
        if not fits and (exact or value.dim() > 0):
            raise DesignError(
                f"{name} of {self.law} has shape {tuple(value.shape)}; give one value for each of the {len(self)} edges"
            )
        plain = value.detach().expand(np.broadcast_shapes(tuple(value.shape), tuple(self.source.shape)))
        for wrong, what in (
            (~plain.isfinite(), "not a finite number"),
            (plain < lowest, f"below {lowest:g}"),
        ):
            if bool(wrong.any()):
                edge = int(wrong.nonzero()[0, -1])
                raise DesignError(f"{name} of edge {edge} ({self.describe(edge)}) is {what}")

    def __len__(self) -> int:
        return len(self.source)

    @property
    def element_law(self) -> ElementLaw:
        """The law itself."""
        return LAWS[self.law]

    def describe(self, edge: int) -> str:
        """The ends of an edge as people write them: "n3->n9", "n4->ground"."""
        ends = (int(self.source[edge]), int(self.destination[edge]))
        return "->".join(f"n{node}" if node else "ground" for node in ends)


@dataclass(frozen=True, eq=False)
class Waveform:
    """Currents into each node, linear between `points` equally spaced over a slice with both its ends.

    `points` is [point, node], [point, batch, node], or with boards [point, board, node] and
    [point, board, batch, node]. Raises DesignError on fewer than two points.
    """

    points: Tensor

    def __post_init__(self) -> None:
        if self.points.dim() not in (2, 3, 4) or len(self.points) < 2:
            raise DesignError(
                f"a waveform of shape {tuple(self.points.shape)} is not possible; give [point, ..., node] with at "
                "least two points, the first at the start of the slice and the last at its end"
            )


@dataclass(frozen=True, eq=False)
class Slice:
    """A stretch of `duration` with its own edges; `injection` is a current into each node.

    A constant one is [node], [batch, node], or with boards [board, node] and [board, batch, node].
    """

    duration: float
    edges: tuple[EdgeSet, ...]
    injection: Tensor | Waveform | None = None

    def __post_init__(self) -> None:
        if not (isfinite(self.duration) and self.duration > 0):
            raise DesignError(f"a slice of duration {self.duration} is not possible; give a positive time")


@dataclass(frozen=True, eq=False)
class Circuit:
    """C_n dv_n/dt = edge currents into n - edge currents out of n - leak_n v_n + injection_n, per slice.

    `capacitance` and `leak` are [node]; all tensors share one dtype, float32 or float64. `rails` (lo, hi)
    clamp the nodes, None is unbounded. `inputs` are the nodes that v(0) sets (others start at 0),
    `outputs` those where v(T) is the answer; `clamped` nodes are driven and stay at v(0).
    A population of boards has [board, node] and [board, edge] instead wherever the boards differ.
    Raises DesignError, naming edge and node, on anything inconsistent.
    """

    nodes: int
    slices: tuple[Slice, ...]
    capacitance: Tensor
    leak: Tensor
    rails: tuple[float, float] | None = None
    inputs: tuple[int, ...] = ()
    outputs: tuple[int, ...] = ()
    clamped: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.nodes < 1 or not self.slices:
            raise DesignError(f"a circuit needs a node and a slice; got {self.nodes} nodes, {len(self.slices)} slices")
        if self.rails is not None and not -inf <= self.rails[0] < self.rails[1] <= inf:
            raise DesignError(f"rails {self.rails} are not (low, high)")
        self._check_nodes("capacitance", self.capacitance)
        self._check_nodes("leak", self.leak)
        if bool((self.capacitance.detach() <= 0).any()):
            node = int((self.capacitance.detach() <= 0).nonzero()[0, -1]) + 1
            raise DesignError(f"capacitance of node {node} is not above zero")
        self._check_terminals("input", self.inputs)
        self._check_terminals("output", self.outputs)
        self._check_terminals("clamped", self.clamped)
        for index, part in enumerate(self.slices):
            self._check_slice(index, part)

    @property
    def dtype(self) -> torch.dtype:
        """float32 or float64."""
        return self.capacitance.dtype

    @property
    def boards(self) -> int | None:
        """Boards of a population; None for a single circuit. Raises DesignError where tensors disagree."""
        found = [value for value in (self.capacitance, self.leak) if value.dim() == 2]
        for edges in (edges for part in self.slices for edges in part.edges):
            cell = edges.imperfection
            some = [*edges.parameters.values(), *((cell.knee, cell.saturation, cell.offset) if cell else ())]
            found += [value for value in some if value.dim() == 2]
        counts = sorted({len(value) for value in found})
        if len(counts) > 1:
            raise DesignError(f"tensors for {' and '.join(map(str, counts))} boards in one circuit; give the same")
        return counts[0] if counts else None

    def _check_nodes(self, name: str, value: Tensor, most: int = 2) -> None:
        if not 1 <= value.dim() <= most or value.shape[-1] != self.nodes:
            raise DesignError(f"{name} has shape {tuple(value.shape)}; give one for each of {self.nodes} nodes")
        self._check_dtype(name, value)
        finite = value.detach().isfinite()
        if not bool(finite.all()):
            raise DesignError(f"{name} of node {int((~finite).nonzero()[0, -1]) + 1} is not a finite number")

    def _check_dtype(self, name: str, value: Tensor) -> None:
        if value.dtype != self.dtype or value.dtype not in (torch.float32, torch.float64):
            raise DesignError(
                f"{name} is {value.dtype}, capacitance {self.dtype}; use one of float32, float64 throughout"
            )

    def _check_terminals(self, kind: str, terminals: tuple[int, ...]) -> None:
        for node in terminals:
            if not 1 <= node <= self.nodes:
                raise DesignError(f"{kind} node {node} is not among the nodes 1..{self.nodes}")
        if len(set(terminals)) != len(terminals):
            raise DesignError(f"{kind} nodes {terminals} name a node twice")

    def _check_slice(self, index: int, part: Slice) -> None:
        if part.injection is not None:
            wave = isinstance(part.injection, Waveform)
            value = part.injection.points if isinstance(part.injection, Waveform) else part.injection
            self._check_nodes(f"injection of slice {index}", value, 4 if wave else 3)
        for edges in part.edges:
            for ends in (edges.source, edges.destination):
                outside = ((ends < 0) | (ends > self.nodes)).nonzero()
                if len(outside):
                    edge = int(outside[0])
                    raise DesignError(
                        f"edge {edge} ({edges.describe(edge)}, {edges.law}, slice {index}) ends at node "
                        f"{int(ends[edge])}; this circuit has the nodes 1..{self.nodes} and ground 0"
                    )
            for name, value in edges.parameters.items():
                self._check_dtype(f"{name} of {edges.law} in slice {index}", value)
