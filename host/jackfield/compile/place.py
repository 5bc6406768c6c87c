"""Which cell holds which edge."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from jackfield.board import BoardSpec
from jackfield.compile.lower import Integers, LoweredSlice, lower
from jackfield.errors import DesignError
from jackfield.physics import Circuit

__all__ = ["Placement", "place", "place_slices", "reaches"]

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Placement:
    """`cells[slice][edge]`: global cell indices of the lowered edges `slices[slice]`, distinct in a slice.

    The n-th edge from s to d has the same cell in every slice wherever the board's reach allows it, so all banks
    use the same calibrated cells.
    """

    slices: tuple[LoweredSlice, ...]
    cells: tuple[Integers, ...]

    @property
    def used(self) -> Integers:
        """Indices of all cells that any slice uses, ascending."""
        return np.unique(np.concatenate(self.cells))


def place(circuit: Circuit, spec: BoardSpec, avoid: Iterable[int] = ()) -> Placement:
    """A cell for every edge of `circuit`, none of those in `avoid`.

    Raises DesignError, naming the edge that has no cell and what is needed and available.
    """
    return place_slices(lower(circuit, spec), spec, avoid)


def place_slices(slices: tuple[LoweredSlice, ...], spec: BoardSpec, avoid: Iterable[int] = ()) -> Placement:
    """`place` for edges already lowered."""
    allowed = np.ones(spec.cell_count, dtype=np.bool_)
    allowed[np.fromiter(avoid, dtype=np.int64)] = False
    cells = tuple(np.full(part.count, -1, dtype=np.int64) for part in slices)
    for law in dict.fromkeys(str(law) for part in slices for law in np.unique(part.law)):
        groups = [group for group in spec.groups if group.law == law]
        free = np.concatenate([group.first + np.flatnonzero(allowed[group.members]) for group in groups])
        rows = [np.flatnonzero(part.law == law) for part in slices]
        _check_room(rows, free, law, spec)
        keys = _keys(slices, rows, spec)
        if all(group.reach.kind == "crossbar" for group in groups):
            every = np.concatenate([group.first + np.arange(group.count) for group in groups])
            found = _take_and_replace(keys, every, free)
        else:
            found = _match(slices, rows, keys, free, spec)
        for number, row in enumerate(rows):
            cells[number][row] = found[number]
    return Placement(slices, cells)


def _check_room(rows: list[Integers], free: Integers, law: str, spec: BoardSpec) -> None:
    needed = max(len(row) for row in rows)
    if needed > len(free):
        raise DesignError(
            f"a slice needs {needed} {law} cells, board {spec.name} has {len(free)} usable ones; "
            "choose a larger board or train with fewer edges"
        )


def _keys(slices: tuple[LoweredSlice, ...], rows: list[Integers], spec: BoardSpec) -> list[Integers]:
    """A number for each edge that names its ends and its place among parallel edges, alike in all slices."""
    keys = []
    for part, row in zip(slices, rows, strict=True):
        pair = part.source[row] * (spec.nodes.count + 1) + part.destination[row]
        order = np.argsort(pair, kind="stable")
        starts = np.flatnonzero(np.diff(pair[order], prepend=-1))
        copy = np.empty(len(row), dtype=np.int64)
        copy[order] = np.arange(len(row)) - np.repeat(starts, np.diff(starts, append=len(row)))
        keys.append(pair * spec.cell_count + copy)
    return keys


def _take_and_replace(keys: list[Integers], every: Integers, free: Integers) -> list[Integers]:
    """Crossbar: the cells that edges would take if all of `every` were usable, but for those not in `free`.

    Other edges keep their cells, so that what was measured of a node's cells together stays true.
    """
    found = _take_in_order(keys, every)
    able, used = np.zeros((2, every.max() + 1), dtype=np.bool_)
    able[free] = True
    used[np.concatenate(found)] = True
    unusable, spare = np.flatnonzero(used & ~able), np.flatnonzero(able & ~used)
    if len(unusable) > len(spare):
        return _take_in_order(keys, free)
    replacement = np.arange(len(used))
    replacement[unusable] = spare[: len(unusable)]
    return [replacement[cells] for cells in found]


def _take_in_order(keys: list[Integers], free: Integers) -> list[Integers]:
    """Crossbar: known edges keep their cell, new ones take the first cells that no slice, then this one, uses."""
    known, home = (np.zeros(0, dtype=np.int64) for _ in range(2))  # keys met so far, ascending, and their cells
    fresh = 0
    found = []
    for slice_keys in keys:
        met = np.isin(slice_keys, known)
        cells = np.full(len(slice_keys), -1, dtype=np.int64)
        cells[met] = home[np.searchsorted(known, slice_keys[met])]
        # Edges of earlier slices may share a cell that this slice needs twice: the first keeps it.
        first = np.unique(cells, return_index=True)[1]
        cells[np.setdiff1d(np.arange(len(cells)), first)] = -1
        spare = np.concatenate([free[fresh:], free[:fresh][~np.isin(free[:fresh], cells)]])
        new = np.flatnonzero(cells < 0)
        cells[new] = spare[: len(new)]
        order = np.argsort(np.concatenate([known, slice_keys[~met]]), kind="stable")
        known, home = (np.concatenate(pair)[order] for pair in ((known, slice_keys[~met]), (home, cells[~met])))
        fresh = max(fresh, 1 + int(np.searchsorted(free, cells.max(initial=-1)))) if len(cells) else fresh
        found.append(cells)
    return found


def _match(
    slices: tuple[LoweredSlice, ...], rows: list[Integers], keys: list[Integers], free: Integers, spec: BoardSpec
) -> list[Integers]:
    """Listed reach: one maximum matching for all slices where there is one, else one a slice."""
    every, first = np.unique(np.concatenate(keys), return_index=True)
    source = np.concatenate([part.source[row] for part, row in zip(slices, rows, strict=True)])[first]
    destination = np.concatenate([part.destination[row] for part, row in zip(slices, rows, strict=True)])[first]
    shared = _matching(source, destination, free, spec)
    if (shared >= 0).all():
        return [shared[np.searchsorted(every, slice_keys)] for slice_keys in keys]
    found = []
    for number, (part, row) in enumerate(zip(slices, rows, strict=True)):
        cells = _matching(part.source[row], part.destination[row], free, spec)
        if (cells < 0).any():
            edge = int(row[np.flatnonzero(cells < 0)[0]])
            raise _no_cell(part, number, edge, free, spec)
        found.append(cells)
    return found


def _matching(source: Integers, destination: Integers, free: Integers, spec: BoardSpec) -> Integers:
    graph = csr_array(reaches(source[:, None], destination[:, None], free, spec))
    matched = maximum_bipartite_matching(graph, perm_type="column")
    return np.where(matched >= 0, free[matched], -1).astype(np.int64)


def reaches(source: Integers, destination: Integers, cells: Integers, spec: BoardSpec) -> Mask:
    """Whether cells can run edges; the three arrays broadcast, `[edge, 1]` and `[cell]` give a table."""
    source, destination, cells = np.broadcast_arrays(source, destination, cells)
    possible = np.zeros(cells.shape, dtype=np.bool_)
    for group in spec.groups:
        here = (cells >= group.first) & (cells < group.first + group.count)
        number = cells[here] - group.first
        possible[here] = _ends_at(group.reach.source_lists, number, source[here])
        possible[here] &= _ends_at(group.reach.destination_lists, number, destination[here])
    return possible


def _ends_at(lists: Integers | None, cells: Integers, nodes: Integers) -> Mask:
    if lists is None:
        return np.ones(len(cells), dtype=np.bool_)
    return np.asarray((lists[cells] == nodes[:, None]).any(axis=1))


def _no_cell(part: LoweredSlice, number: int, edge: int, free: Integers, spec: BoardSpec) -> DesignError:
    able = free[reaches(part.source[edge], part.destination[edge], free, spec)]
    names = ", ".join(str(spec.cells[cell]) for cell in able)
    reach = f"only {names} can run it and other edges need them" if len(able) else "no usable cell reaches both ends"
    return DesignError(
        f"{part.describe(edge)} of slice {number} finds no cell on board {spec.name}: {reach}; "
        f"the slice needs {part.count} cells, {len(free)} are usable; route the edge between other nodes "
        "or choose a board with a crossbar"
    )
