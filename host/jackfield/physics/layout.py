"""A run as the compiled loops read it: tensors of a circuit turned into arrays of tiles and addresses."""

from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np

from jackfield.physics import node_loops
from jackfield.physics.circuit import Circuit
from jackfield.physics.edge_loops import Array, EdgeLoops, edge_loops
from jackfield.physics.noise import Noise
from jackfield.physics.runs import Runs, runs_of
from jackfield.physics.tableau import Tableau
from jackfield.physics.tiles import Tiling


@dataclass(frozen=True)
class Plan:
    """What is not a tensor with a gradient; `keep` is whether a tape is wanted."""

    circuit: Circuit
    tableau: Tableau
    steps: tuple[int, ...]
    snapshots: int
    noise: Noise | None
    keep: bool


@dataclass(frozen=True)
class Job:
    """`v0` [group, row, node]; `inverse` (1/capacitance) and `leak` [node] or [board, node]; for each slice
    `injections` [point, group, row, node]; for each edge set `tables` [edge, column] or [board, edge, column]."""

    plan: Plan
    tiling: Tiling
    spread: bool
    v0: Array
    inverse: Array
    leak: Array
    injections: tuple[Array, ...]
    tables: tuple[Array, ...]

    @property
    def node_shapes(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Of `inverse` and `leak`."""
        return self.inverse.shape, self.leak.shape


@dataclass(frozen=True)
class Layout:
    """A job as the loops read it: arrays [group, tile, ...], edge sets with their tables in walking order."""

    nodes: Array  # [group or 1, tile or 1, 2, size]
    injection: Array  # [group, tile, point of all slices, size]
    slices: Array
    h: Array
    sets: tuple["LaidSet", ...]
    noise: tuple[tuple[Array, Array, Array], ...]
    seed: int  # of the noise, its 64 bits as a signed number
    rule: tuple[Array, Array, Array]
    rails: tuple[Any, Any]

    def of_nodes(self, place: tuple[int, int]) -> Array:
        """1/capacitance and leak [2, size] of a tile."""
        groups, tiles = self.nodes.shape[:2]
        found: Array = self.nodes[min(place[0], groups - 1), min(place[1], tiles - 1)]
        return found


@dataclass(frozen=True)
class LaidSet:
    """`table` [group or 1, edge, column], or [tile, edge, column, width] where spread."""

    part: int
    loops: EdgeLoops
    runs: Runs
    table: Array
    spread: bool

    def row(self, group: int, tile: int, gradient: int) -> list[int]:
        """What `march` and `march_back` take of it."""
        table = self.table[tile if self.spread else min(group, len(self.table) - 1)]
        runs = self.runs
        addresses = [runs.rows.ctypes.data, len(runs.rows), runs.other.ctypes.data, table.ctypes.data, gradient]
        return [self.part, self.loops.forward, self.loops.backward, *addresses]


def laid_out(job: Job) -> Layout:
    plan, tiling, dtype = job.plan, job.tiling, job.v0.dtype
    points = [len(part) for part in job.injections]
    injection = np.concatenate([part.astype(dtype) for part in job.injections])
    firsts = np.cumsum([0, *points[:-1]])
    slices = [
        [steps, steps // plan.snapshots, first, count]
        for steps, first, count in zip(plan.steps, firsts, points, strict=True)
    ]
    h = [part.duration / steps for part, steps in zip(plan.circuit.slices, plan.steps, strict=True)]
    low, high = plan.circuit.rails or (-inf, inf)
    sets = _edge_sets(job)
    return Layout(
        _node_arrays(job),
        np.ascontiguousarray(np.moveaxis(tiling.split(injection), 0, 2)),
        np.array(slices, np.int64).reshape(-1, node_loops.SLICE_FIELDS),
        np.array(h, dtype),
        sets,
        _noise_arrays(plan, sets),
        int(np.uint64(plan.noise.seed if plan.noise else 0).view(np.int64)),
        plan.tableau.arrays(dtype),
        (dtype.type(low), dtype.type(high)),
    )


def _node_arrays(job: Job) -> Array:
    """1/capacitance and leak as the loops read them: one for all samples of a group, or spread."""
    tiling, count = job.tiling, job.tiling.nodes
    rows = [value.reshape(-1, count) for value in (job.inverse, job.leak)]
    if job.spread:
        spread = [tiling.split(np.broadcast_to(value, (1, tiling.rows, count))) for value in rows]
        return np.stack(spread, axis=2)
    found = np.zeros((max(map(len, rows)), 1, 2, 1 + count, tiling.width), job.v0.dtype)
    for k, value in enumerate(rows):
        found[:, 0, k, 1:] = value[..., None]
    return found.reshape(*found.shape[:3], tiling.size)


def _edge_sets(job: Job) -> tuple[LaidSet, ...]:
    sets, tables = [], iter(job.tables)
    for part, slice_ in enumerate(job.plan.circuit.slices):
        for edges in slice_.edges:
            loops = edge_loops(edges.law, edges.imperfection is not None, job.v0.dtype, job.spread)
            runs = runs_of(edges.source, edges.destination)
            sets.append(LaidSet(part, loops, runs, _walked(job, next(tables), runs), job.spread))
    return tuple(sets)


def _walked(job: Job, table: Array, runs: Runs) -> Array:
    """A table in walking order."""
    ordered = np.take(table, runs.order, axis=-2)
    if job.spread:
        return job.tiling.split_table(np.broadcast_to(ordered, (job.tiling.rows, *ordered.shape[-2:])))
    return np.ascontiguousarray(ordered.reshape(-1, *ordered.shape[-2:]))


def _noise_arrays(plan: Plan, sets: tuple[LaidSet, ...]) -> tuple[tuple[Array, Array, Array], ...]:
    """For each slice pairs of nodes [pair, 2], their densities, the nodes' density; parallel edges share one draw."""
    noise, found = plan.noise, []
    if noise is None:
        return ()
    for part in range(len(plan.steps)):
        ends, density = [np.zeros((0, 2), np.int64)], [np.zeros(0)]
        for runs in (each.runs for each in sets if each.part == part and noise.edge_density):
            sizes = runs.rows[:, 2] - runs.rows[:, 1]
            ends.append(np.stack([np.repeat(runs.rows[:, 0], sizes), runs.other], axis=1))
            density.append(np.repeat(runs.rows[:, 4] + runs.rows[:, 5], sizes) * noise.edge_density)
        found.append((np.concatenate(ends), np.concatenate(density), np.array([noise.node_density])))
    return tuple(found)
