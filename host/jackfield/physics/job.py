"""One call of the kernel: arrays laid out, tiles marched by threads, gradients gathered in a fixed order."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from jackfield.physics import node_loops
from jackfield.physics.edge_loops import Array
from jackfield.physics.layout import Job, LaidSet, Layout, laid_out
from jackfield.physics.noise import noise_loop
from jackfield.physics.threads import in_threads, parts
from jackfield.physics.tiles import Tiling


@dataclass(frozen=True)
class _Tape:
    """States before each step [step + 1, size], node currents [step, stage, size] and the layout that made them."""

    states: Array
    currents: Array


def run(job: Job, keep: bool) -> tuple[Array, Any]:
    """States [snapshot, group, row, node], and what `gradients` needs if `keep`."""
    layout, tiling, plan = laid_out(job), job.tiling, job.plan
    v0 = tiling.split(job.v0)
    shape = (tiling.groups, tiling.tiles, len(plan.steps) * plan.snapshots, tiling.size)
    snapshots = np.empty(shape, v0.dtype)

    def work(place: tuple[int, int]) -> _Tape | None:
        tape = _new_tape(job, v0.dtype, keep)
        node_loops.march(
            v0[place], snapshots[place], tape.states, tape.currents, layout.of_nodes(place), layout.injection[place],
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
    layout: Layout = kept[0]
    tiling, tapes = job.tiling, kept[1]
    by_sample = cotangents.reshape(len(cotangents), tiling.groups, tiling.rows, tiling.nodes)
    given = np.ascontiguousarray(np.moveaxis(tiling.split(by_sample, spare=0.0), 0, 2))
    shape = (tiling.groups, tiling.tiles, tiling.size)
    by_start, by_nodes = np.empty(shape, given.dtype), np.zeros((*shape[:2], 2, shape[2]), given.dtype)
    by_injection = np.zeros_like(layout.injection)

    def work(places: list[tuple[int, int]]) -> list[Array]:
        found = [_zeros(each, places) for each in layout.sets]
        first = places[0]
        for place in places:
            tape = tapes[place]
            rows = [_gradient_row(each, grad, first, place) for each, grad in zip(layout.sets, found, strict=True)]
            node_loops.march_back(
                given[place], by_start[place], tape.states, tape.currents, layout.of_nodes(place), by_nodes[place],
                by_injection[place], layout.slices, layout.h, _as_sets(rows), *layout.rule, *layout.rails,
                tiling.width,
            )  # fmt: skip
        return found

    jobs = _dealt(tiling)
    found = in_threads(work, jobs)
    tables = [_gathered(job, each, k, [part[k] for part in found]) for k, each in enumerate(layout.sets)]
    nodes = [tiling.join(by_start), *_node_gradients(job, by_nodes)]
    injection, done, injections = np.moveaxis(by_injection, 2, 0), 0, []
    for part in job.injections:
        injections.append(tiling.join(injection[done : done + len(part)]))
        done += len(part)
    return nodes, injections, tables


def _node_gradients(job: Job, by_nodes: Array) -> list[Array]:
    """Reverses `_node_arrays`: gradients of 1/capacitance and leak."""
    tiling, found = job.tiling, []
    for k, shape in enumerate(job.node_shapes):
        some = by_nodes[:, :, k]
        if job.spread:
            each = tiling.join(some)[0]
        else:
            lanes = some.reshape(tiling.groups, tiling.tiles, 1 + tiling.nodes, tiling.width)
            each = lanes[:, :, 1:].sum(axis=(1, 3))
        found.append((each if len(shape) == 2 else each.sum(axis=0)).reshape(shape))
    return found


def _as_sets(rows: list[list[int]]) -> Array:
    return np.array(rows, np.int64).reshape(-1, node_loops.SET_FIELDS)


def _sets(layout: Layout, group: int, tile: int) -> Array:
    return _as_sets([each.row(group, tile, 0) for each in layout.sets])


def _new_tape(job: Job, dtype: Any, keep: bool) -> _Tape:
    stages, count = len(job.plan.tableau.weights), sum(job.plan.steps)
    return _Tape(
        np.empty((count + 1 if keep else 2, job.tiling.size), dtype),
        np.empty((count if keep else 1, stages, job.tiling.size), dtype),
    )


def _noise_rows(job: Job, layout: Layout, place: tuple[int, int]) -> Array:
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


def _zeros(each: LaidSet, places: list[tuple[int, int]]) -> Array:
    """Room for the gradient of a table by the tiles at `places`: as the table, but of their tiles or boards alone."""
    count = _slot(each, len(each.table), places[0], places[-1]) + 1
    return np.zeros((count, *each.table.shape[1:]), each.table.dtype)


def _slot(each: LaidSet, boards: int, first: tuple[int, int], place: tuple[int, int]) -> int:
    """Which part of the gradient the tile at `place` adds to, where `first` has the first."""
    if each.spread:
        return place[1] - first[1]
    return place[0] - first[0] if boards > 1 else 0


def _gradient_row(each: LaidSet, gradient: Array, first: tuple[int, int], place: tuple[int, int]) -> list[int]:
    return each.row(*place, gradient[_slot(each, len(each.table), first, place)].ctypes.data)


def _gathered(job: Job, each: LaidSet, number: int, found: list[Array]) -> Array:
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
