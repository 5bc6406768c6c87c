"""Cells that can be measured together: groups whose cells share no node.

Where each cell reaches every node, any 48 cells fit on 96 nodes: the route is free, the cell is what is
measured, and a group needs no edge of the circuit. Where reach is listed, cells take the routes they have,
the cells with the fewest free routes first.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jackfield.board import BoardSpec, Reach
from jackfield.errors import CalibrationError

__all__ = ["Group", "form_groups"]

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Group:
    """Cells (index in spec order) with a source and a destination node each; no node appears twice."""

    cells: Integers
    source: Integers
    destination: Integers

    def __len__(self) -> int:
        return len(self.cells)


def form_groups(
    spec: BoardSpec, cells: Integers, random: np.random.Generator, unread: Collection[int] = ()
) -> list[Group]:
    """All `cells` in as few groups as this finds, on node pairs drawn at random; none of the nodes `unread` (from 1)
    where a cell has others.

    Raises CalibrationError, naming the cell, where one has no route between two nodes.
    """
    groups: list[Group] = []
    for part in spec.groups:
        inside = cells[(cells >= part.first) & (cells < part.first + part.count)]
        if part.reach.kind == "crossbar":
            groups += _free_groups(spec.nodes.count, inside, random, unread)
        else:
            groups += _listed_groups(part.reach, part.first, inside, random, unread)
    return groups


def _free_groups(nodes: int, cells: Integers, random: np.random.Generator, unread: Collection[int]) -> list[Group]:
    read = np.setdiff1d(np.arange(1, nodes + 1), list(unread))
    size = len(read) // 2
    groups = []
    for start in range(0, len(cells), size):
        chosen = cells[start : start + size]
        order = random.permutation(read)[: 2 * len(chosen)]
        groups.append(Group(chosen, order[::2], order[1::2]))
    return groups


def _listed_groups(
    reach: Reach, first: int, cells: Integers, random: np.random.Generator, unread: Collection[int]
) -> list[Group]:
    routes = {int(cell): _routes(reach, int(cell) - first, unread) for cell in cells}
    for cell, pairs in routes.items():
        if not pairs:
            raise CalibrationError(
                f"cell number {cell + 1} reaches no two nodes, so that it cannot be measured; leave it out of the spec"
            )
    left = [int(cell) for cell in random.permutation(cells)]
    groups = []
    while left:
        group = _fill(left, routes, random)
        left = [cell for cell in left if cell not in set(group.cells.tolist())]
        groups.append(group)
    return groups


def _routes(reach: Reach, cell: int, unread: Collection[int]) -> list[tuple[int, int]]:
    pairs = [(s, d) for s in reach.sources(cell) for d in reach.destinations(cell) if s and d and s != d]
    return [pair for pair in pairs if not set(pair) & set(unread)] or pairs


def _fill(left: list[int], routes: dict[int, list[tuple[int, int]]], random: np.random.Generator) -> Group:
    """One group, most constrained cell first, ties in the order of `left`."""
    free = {cell: routes[cell] for cell in left}
    chosen: list[tuple[int, int, int]] = []
    while free:
        cell = min(free, key=lambda name: len(free[name]))
        s, d = free[cell][random.integers(len(free[cell]))]
        chosen.append((cell, s, d))
        del free[cell]
        free = {
            name: kept
            for name, pairs in free.items()
            if (kept := [pair for pair in pairs if s not in pair and d not in pair])
        }
    columns = np.array(chosen, dtype=np.int64)
    return Group(columns[:, 0], columns[:, 1], columns[:, 2])
