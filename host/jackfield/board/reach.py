"""Which nodes a cell can connect."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jackfield.board.cell import Cells
from jackfield.errors import DesignError

__all__ = ["Reach"]


@dataclass(frozen=True)
class Reach:
    """The routes of a group of cells; node 0 is ground.

    A crossbar reaches every node and ground from each cell, and its route field carries the node number.
    A matrix has one cell, wired for good, from each of its sources to each of its destinations, the cells of one
    destination after each other: its two route fields are one bit that is 0. A listed reach gives each cell its own
    sources and destinations (`[cell, choice]` node numbers), and the route field carries the position in the list.
    """

    kind: str
    nodes: int
    source_lists: NDArray[np.int64] | None = None
    destination_lists: NDArray[np.int64] | None = None

    @classmethod
    def parse(cls, kind: str, nodes: int, cells: Cells, table: str | None) -> "Reach":
        """From the spec: `table` is the CSV text `cell,sources,destinations` with nodes parted by blanks.

        Raises DesignError where the kind is unknown, a cell is missing or a node does not exist.
        """
        if kind == "crossbar":
            return cls(kind, nodes)
        if kind == "matrix":
            raise DesignError("reach kind 'matrix' is of boards of kind 'oscillator'; use 'crossbar' or 'listed'")
        if kind != "listed" or table is None:
            raise DesignError(f"reach kind {kind!r} is unknown; use 'crossbar', or 'listed' with a file")
        rows = {row[0]: row[1:] for row in (line.split(",") for line in table.split("\n")[1:] if line.strip())}
        names = [str(cell) for cell in cells]
        missing = [cell for cell in names if cell not in rows]
        if missing:
            raise DesignError(f"the reach file lists no routes for cell {missing[0]}; it needs one row a cell")
        sources, destinations = (
            np.array([[int(node) for node in rows[cell][column].split()] for cell in names]) for column in (0, 1)
        )
        if max(sources.max(), destinations.max()) > nodes or min(sources.min(), destinations.min()) < 0:
            raise DesignError(f"the reach file names a node beyond 0..{nodes}; correct the file")
        return cls(kind, nodes, sources, destinations)

    @classmethod
    def matrix(cls, nodes: int, neurons: int) -> "Reach":
        """From each of the nodes after the first `neurons` to each of those."""
        sources, destinations = np.arange(neurons + 1, nodes + 1), np.arange(1, neurons + 1)
        return cls("matrix", nodes, np.tile(sources, neurons)[:, None], np.repeat(destinations, len(sources))[:, None])

    @property
    def source_bits(self) -> int:
        """Width of the source field in the image, in bits."""
        return self._bits(self.source_lists)

    @property
    def destination_bits(self) -> int:
        """Width of the destination field in the image, in bits."""
        return self._bits(self.destination_lists)

    def _bits(self, lists: NDArray[np.int64] | None) -> int:
        choices = self.nodes + 1 if lists is None else lists.shape[1]
        return max(1, (choices - 1).bit_length())

    def sources(self, cell: int) -> tuple[int, ...]:
        """Nodes that can be the source of the group's cell number `cell` (0-based within the group)."""
        return self._nodes(self.source_lists, cell)

    def destinations(self, cell: int) -> tuple[int, ...]:
        """Nodes that can be the destination of the group's cell number `cell` (0-based within the group)."""
        return self._nodes(self.destination_lists, cell)

    def _nodes(self, lists: NDArray[np.int64] | None, cell: int) -> tuple[int, ...]:
        return tuple(range(self.nodes + 1)) if lists is None else tuple(int(n) for n in lists[cell])

    def allows(self, cell: int, source: int, destination: int) -> bool:
        """Whether the group's cell (0-based within the group) can run from `source` to `destination`."""
        return source != destination and source in self.sources(cell) and destination in self.destinations(cell)

    def encode(self, ends: str, nodes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Route fields for node numbers `[cell]`; `ends` is "source" or "destination".

        Raises DesignError where a cell does not reach its node.
        """
        lists = self.source_lists if ends == "source" else self.destination_lists
        if lists is None:
            if nodes.size and (nodes.min() < 0 or nodes.max() > self.nodes):
                raise DesignError(f"node {int(nodes.max())} is asked; the board has 0..{self.nodes}")
            return nodes
        found = lists == nodes[:, None]
        if not found.any(axis=1).all():
            cell = int(np.flatnonzero(~found.any(axis=1))[0])
            raise DesignError(
                f"cell number {cell + 1} cannot have node {int(nodes[cell])} as {ends}; "
                f"it reaches {', '.join(str(n) for n in lists[cell])}"
            )
        return np.asarray(found.argmax(axis=1), dtype=np.int64)

    def decode(self, ends: str, fields: NDArray[np.int64]) -> NDArray[np.int64]:
        """Node numbers `[cell]` of route fields; raises DesignError where a field names no node."""
        lists = self.source_lists if ends == "source" else self.destination_lists
        choices = self.nodes + 1 if lists is None else lists.shape[1]
        if fields.size and int(fields.max()) >= choices:
            raise DesignError(f"a {ends} field holds {int(fields.max())}; below {choices} is possible")
        return fields if lists is None else lists[np.arange(len(fields)), fields]

    def rest(self, ends: str, cells: int) -> NDArray[np.int64]:
        """Node numbers `[cell]` of route field 0: where a disabled cell rests."""
        return self.decode(ends, np.zeros(cells, dtype=np.int64))
