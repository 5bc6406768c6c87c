"""Moves edges to cells whose corrected range holds their values."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from jackfield.board import BoardSpec
from jackfield.compile.codes import Targets
from jackfield.compile.known import Floats, Integers, KnownBoard
from jackfield.compile.place import Placement, reaches

__all__ = ["suit_cells"]

Mask = NDArray[np.bool_]


def suit_cells(placement: Placement, targets: Targets, spec: BoardSpec, known: KnownBoard, usable: Mask) -> Placement:
    """`placement` with the few exchanges that bring every value inside the range of its cell's own curve.

    A weak cell cannot hold a large gain, nor a shifted one a large threshold, but another cell can. An edge
    that no exchange helps stays where it is; quantising names it. Only `usable` cells are taken into use.
    """
    needs = _Needs(placement, targets, spec, known)
    tenants = np.full((len(placement.slices), spec.cell_count), -1, dtype=np.int64)
    for number, cells in enumerate(placement.cells):
        tenants[number, cells] = np.arange(len(cells))
    every = np.arange(spec.cell_count)
    for cell in np.flatnonzero(~needs.met(every, tenants)):
        partners = _partners(int(cell), tenants, needs, usable)
        if len(partners):
            tenants[:, [cell, partners[0]]] = tenants[:, [partners[0], cell]]
    homes = (_homes(row, part.count) for row, part in zip(tenants, placement.slices, strict=True))
    return Placement(placement.slices, tuple(homes))


def _homes(tenants: Integers, edges: int) -> Integers:
    """The cell of each edge, from the edge of each cell."""
    home = np.empty(edges, dtype=np.int64)
    held = np.flatnonzero(tenants >= 0)
    home[tenants[held]] = held
    return home


def _partners(cell: int, tenants: Integers, needs: "_Needs", usable: Mask) -> Integers:
    """Cells that can change their edges with those of `cell`, free ones before used ones."""
    used: Mask = np.any(tenants >= 0, axis=0)
    candidates = np.flatnonzero((usable | used) & (needs.law == needs.law[cell]))
    candidates = candidates[candidates != cell]
    here = np.full(len(candidates), cell)
    candidates = candidates[needs.met(candidates, tenants[:, here])]
    candidates = candidates[needs.met(here[: len(candidates)], tenants[:, candidates])]
    return np.concatenate([candidates[~used[candidates]], candidates[used[candidates]]])


@dataclass(frozen=True)
class _Needs:
    """What edges ask of the cells that hold them."""

    placement: Placement
    targets: Targets
    spec: BoardSpec
    known: KnownBoard

    @cached_property
    def law(self) -> NDArray[np.str_]:
        """The law of each cell."""
        groups = self.spec.groups
        return np.repeat(np.array([group.law for group in groups]), [group.count for group in groups])

    @cached_property
    def _ranges(self) -> dict[str, tuple[Floats, Floats]]:
        """The least and the largest value that each cell can hold `[cell]`, half an LSB beyond its codes included."""
        count = self.spec.cell_count
        ranges = {n: (np.full(count, -np.inf), np.full(count, np.inf)) for n in self.spec.parameter_names}
        for group in self.spec.groups:
            cells = group.first + np.arange(group.count)
            for name, scale in group.parameters.items():
                for limit, nominal in zip(ranges[name], (scale.lo, scale.hi), strict=True):
                    beyond = nominal + np.copysign(scale.lsb / 2, nominal - (scale.lo + scale.hi) / 2)
                    limit[cells] = self.known.to_actual(name, cells, np.full(group.count, beyond))
        return ranges

    def met(self, cells: Integers, tenants: Integers) -> Mask:
        """Whether each of `cells` can hold its column of `tenants[slice, cell]` (-1: no edge in that slice)."""
        met = np.ones(len(cells), dtype=np.bool_)
        for number, row in enumerate(tenants):
            held = np.flatnonzero(row >= 0)
            met[held] &= self._can_hold(cells[held], row[held], number)
        return met

    def _can_hold(self, cells: Integers, edges: Integers, number: int) -> Mask:
        part = self.placement.slices[number]
        able = reaches(part.source[edges], part.destination[edges], cells, self.spec)
        for name, (low, high) in self._ranges.items():
            wanted = self.targets.parameters[number][name][edges]
            # NaN, a parameter that the edge's law lacks, is beyond neither end.
            able &= ~((wanted < low[cells]) | (wanted > high[cells]))
        return able
