"""One call of the kernel: arrays laid out, tiles marched by threads, gradients gathered in a fixed order."""

from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np

from jackfield.physics import node_loops
from jackfield.physics.circuit import Circuit
from jackfield.physics.edge_loops import Array, EdgeLoops, edge_loops
from jackfield.physics.noise import Noise, noise_loop
from jackfield.physics.runs import Runs, runs_of
from jackfield.physics.tableau import Tableau
from jackfield.physics.threads import in_threads, parts
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
    """`v0`, `inverse` (1/capacitance), `leak` [group, row, node], `injections` [point, group, row, node] a slice,
    `tables` [edge, column] or [board, edge, column] an edge set."""

    plan: Plan
    tiling: Tiling
    spread: bool
    v0: Array
    inverse: Array
    leak: Array
    injections: tuple[Array, ...]
    tables: tuple[Array, ...]


@dataclass(frozen=True)
class _Layout:
    """A job as the loops read it: arrays [group, tile, ...], edge sets with their tables in walking order."""

    nodes: Array  # [group, tile, 2, size]
    injection: Array  # [group, tile, point of all slices, size]
    slices: Array
    h: Array
    sets: tuple["_Set", ...]
    noise: tuple[tuple[Array, Array, Array], ...]
    seed: int  # of the noise, its 64 bits as a signed number
    rule: tuple[Array, Array, Array]
    rails: tuple[Any, Any]


@dataclass(frozen=True)
class _Set:
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


@dataclass(frozen=True)
class _Tape:
    """States before each step [step + 1, size], node currents [step, stage, size] and the layout that made them."""

    states: Array
    currents: Array


def run(job: Job, keep: bool) -> tuple[Array, Any]:
    """States [snapshot, group, row, node], and what `gradients` needs if `keep`."""
    layout, tiling, plan = _layout(job), job.tiling, job.plan
    v0 = tiling.split(job.v0)
    shape = (tiling.groups, tiling.tiles, len(plan.steps) * plan.snapshots, tiling.size)
    snapshots = np.empty(shape, v0.dtype)

    def work(place: tuple[int, int]) -> _Tape | None:
        tape = _new_tape(job, v0.dtype, keep)
        node_loops.march(
            v0[place], snapshots[place], tape.states, tape.currents, layout.nodes[place], layout.injection[place],
            layout.slices, layout.h, _sets(layout, *place), *layout.rule, *layout.rails, tiling.width,
            _noise_rows(job, layout, place),
        )  # fmt: skip
        return tape if keep else None

    places = [(group, tile) for group in range(tiling.groups) for tile in range(tiling.tiles)]
    jobs = [places[part] for part in parts(len(places))]
    tapes = [tape for some in in_threads(lambda part: list(map(work, part)), jobs) for tape in some]
    return tiling.join(np.moveaxis(snapshots, 2, 0)), (layout, dict(zip(places, tapes, strict=True)))


def gradients(job: Job, kept: Any, cotangents: Array) -> tuple[list[Array], list[Array], list[Array]]:
    """Gradients of (v0, inverse, leak), the injections and the tables, from those of the states."""
    layout: _Layout = kept[0]
    tiling, tapes = job.tiling, kept[1]
    by_sample = cotangents.reshape(len(cotangents), tiling.groups, tiling.rows, tiling.nodes)
    given = np.ascontiguousarray(np.moveaxis(tiling.split(by_sample, spare=0.0), 0, 2))
    by_start, by_nodes = np.empty_like(layout.nodes[:, :, 0]), np.zeros_like(layout.nodes)
    by_injection = np.zeros_like(layout.injection)

    def work(places: list[tuple[int, int]]) -> list[Array]:
        found = [_zeros(each, places) for each in layout.sets]
        first = places[0]
        for place in places:
            tape = tapes[place]
            rows = [_gradient_row(each, grad, first, place) for each, grad in zip(layout.sets, found, strict=True)]
            node_loops.march_back(
                given[place], by_start[place], tape.states, tape.currents, layout.nodes[place], by_nodes[place],
                by_injection[place], layout.slices, layout.h, _as_sets(rows), *layout.rule, *layout.rails,
                tiling.width,
            )  # fmt: skip
        return found

    jobs = _dealt(tiling)
    found = in_threads(work, jobs)
    tables = [_gathered(job, each, k, [part[k] for part in found]) for k, each in enumerate(layout.sets)]
    nodes = [tiling.join(x) for x in (by_start, by_nodes[:, :, 0], by_nodes[:, :, 1])]
    injection, done, injections = np.moveaxis(by_injection, 2, 0), 0, []
    for part in job.injections:
        injections.append(tiling.join(injection[done : done + len(part)]))
        done += len(part)
    return nodes, injections, tables


def _layout(job: Job) -> _Layout:
    plan, tiling, dtype = job.plan, job.tiling, job.v0.dtype
    nodes = np.stack([tiling.split(job.inverse), tiling.split(job.leak)], axis=2)
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
    return _Layout(
        nodes,
        np.ascontiguousarray(np.moveaxis(tiling.split(injection), 0, 2)),
        np.array(slices, np.int64).reshape(-1, node_loops.SLICE_FIELDS),
        np.array(h, dtype),
        sets,
        _noise_arrays(plan, sets),
        int(np.uint64(plan.noise.seed if plan.noise else 0).view(np.int64)),
        plan.tableau.arrays(dtype),
        (dtype.type(low), dtype.type(high)),
    )


def _edge_sets(job: Job) -> tuple[_Set, ...]:
    sets, tables = [], iter(job.tables)
    for part, slice_ in enumerate(job.plan.circuit.slices):
        for edges in slice_.edges:
            loops = edge_loops(edges.law, edges.imperfection is not None, job.v0.dtype, job.spread)
            runs = runs_of(edges.source, edges.destination)
            sets.append(_Set(part, loops, runs, _walked(job, next(tables), runs), job.spread))
    return tuple(sets)


def _walked(job: Job, table: Array, runs: Runs) -> Array:
    """A table in walking order."""
    ordered = np.take(table, runs.order, axis=-2)
    if job.spread:
        return job.tiling.split_table(np.broadcast_to(ordered, (job.tiling.rows, *ordered.shape[-2:])))
    return np.ascontiguousarray(ordered.reshape(-1, *ordered.shape[-2:]))


def _as_sets(rows: list[list[int]]) -> Array:
    return np.array(rows, np.int64).reshape(-1, node_loops.SET_FIELDS)


def _sets(layout: _Layout, group: int, tile: int) -> Array:
    return _as_sets([each.row(group, tile, 0) for each in layout.sets])


def _new_tape(job: Job, dtype: Any, keep: bool) -> _Tape:
    stages, count = len(job.plan.tableau.weights), sum(job.plan.steps)
    return _Tape(
        np.empty((count + 1 if keep else 2, job.tiling.size), dtype),
        np.empty((count if keep else 1, stages, job.tiling.size), dtype),
    )


def _noise_arrays(plan: Plan, sets: tuple[_Set, ...]) -> tuple[tuple[Array, Array, Array], ...]:
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


def _noise_rows(job: Job, layout: _Layout, place: tuple[int, int]) -> Array:
    rows = []
    for part, (pairs, density, by_node) in enumerate(layout.noise):
        where = [pairs.ctypes.data, len(pairs), density.ctypes.data, by_node.ctypes.data]
        keys = [layout.seed, place[0], place[1] * job.tiling.width]
        rows.append([part, noise_loop(job.v0.dtype).address, *where, *keys])
    return np.array(rows, np.int64).reshape(-1, node_loops.NOISE_FIELDS)


def _dealt(tiling: Tiling) -> list[list[tuple[int, int]]]:
    """Tiles that share gradient arrays go one after the other; boards are never cut."""
    if not tiling.tiles:
        return []
    if tiling.groups > 1:
        return [
            [(group, tile) for group in range(part.start, part.stop) for tile in range(tiling.tiles)]
            for part in parts(tiling.groups)
        ]
    return [[(0, tile) for tile in range(part.start, part.stop)] for part in parts(tiling.tiles)]


def _zeros(each: _Set, places: list[tuple[int, int]]) -> Array:
    """Room for the gradient of a table by the tiles at `places`: as the table, but of their tiles or boards alone."""
    count = _slot(each, len(each.table), places[0], places[-1]) + 1
    return np.zeros((count, *each.table.shape[1:]), each.table.dtype)


def _slot(each: _Set, boards: int, first: tuple[int, int], place: tuple[int, int]) -> int:
    """Which part of the gradient the tile at `place` adds to, where `first` has the first."""
    if each.spread:
        return place[1] - first[1]
    return place[0] - first[0] if boards > 1 else 0


def _gradient_row(each: _Set, gradient: Array, first: tuple[int, int], place: tuple[int, int]) -> list[int]:
    return each.row(*place, gradient[_slot(each, len(each.table), first, place)].ctypes.data)


def _gathered(job: Job, each: _Set, number: int, found: list[Array]) -> Array:
    """The gradient of a table from those of the parts, in the caller's order of edges."""
    shape = job.tables[number].shape
    if not found:
        return np.zeros(shape, each.table.dtype)
    if each.spread:
        total = job.tiling.join_table(np.concatenate(found))
        total = total if len(shape) == 3 else total.sum(axis=0, keepdims=True)
    elif len(each.table) > 1:
        total = np.concatenate(found)
    else:
        total = found[0]
        for other in found[1:]:
            total += other
    return np.take(total, each.runs.place, axis=-2).reshape(shape)
