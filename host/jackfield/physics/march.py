"""Marches a chunk of tiles through a circuit's slices and back: the discrete adjoint on a tape."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jackfield.physics import nodes
from jackfield.physics.kernel import LANES, Array, LawKernel
from jackfield.physics.tableau import Tableau, scaled


@dataclass(frozen=True)
class EdgeArrays:
    """One edge set for the kernel: int32 ends and a table [edge, column] of parameters."""

    kernel: LawKernel
    source: Array
    destination: Array
    table: Array


@dataclass(frozen=True)
class SliceArrays:
    """One slice for the kernel; `injection` [1 + node], a snapshot after every `every` steps."""

    h: float
    steps: int
    every: int
    injection: Array
    edges: tuple[EdgeArrays, ...]


@dataclass(frozen=True)
class CircuitArrays:
    """A circuit for the kernel; `leak` and `inverse` (1/capacitance) are [1 + node], 0 at ground."""

    tableau: Tableau
    inverse: Array
    leak: Array
    low: float
    high: float
    slices: tuple[SliceArrays, ...]

    def zero_gradients(self) -> "Gradients":
        """Places for the gradients of every array."""
        size = (3, len(self.inverse))
        return Gradients(
            [np.zeros(size, self.inverse.dtype) for _ in self.slices],
            [[np.zeros_like(edges.table) for edges in part.edges] for part in self.slices],
        )


@dataclass(frozen=True)
class Gradients:
    """`nodes[slice]` [3, 1 + node] of leak, injection, 1/capacitance; `tables[slice][set]`."""

    nodes: list[Array]
    tables: list[list[Array]]

    def add(self, other: "Gradients") -> None:
        """Adds in place."""
        for mine, theirs in zip(self.nodes, other.nodes, strict=True):
            mine += theirs
        for my_tables, their_tables in zip(self.tables, other.tables, strict=True):
            for mine, theirs in zip(my_tables, their_tables, strict=True):
                mine += theirs


@dataclass(frozen=True)
class Tape:
    """States before each step [step, tile, 1 + node, LANES] and node currents [step, stage, ...]."""

    states: Array
    currents: Array


def march(arrays: CircuitArrays, v0: Array, snapshots: Array, keep: bool) -> tuple[Tape, ...]:
    """Fills `snapshots` [snapshot, tile, 1 + node, LANES] from `v0`; returns a tape a slice if `keep`."""
    v, taken, tapes = v0, 0, []
    for part in arrays.slices:
        states, currents = _new_tape(arrays, part, v0, keep)
        states[0] = v
        for step in range(part.steps):
            now, after = (step, step + 1) if keep else (step % 2, (step + 1) % 2)
            _step(arrays, part, states[now], currents[step if keep else 0], states[after])
            if (step + 1) % part.every == 0:
                snapshots[taken] = states[after]
                taken += 1
        v = states[after]
        if keep:
            tapes.append(Tape(states, currents))
    return tuple(tapes)


def _new_tape(arrays: CircuitArrays, part: SliceArrays, v0: Array, keep: bool) -> tuple[Array, Array]:
    stages = len(arrays.tableau.weights)
    states = np.empty((part.steps + 1 if keep else 2, *v0.shape), v0.dtype)
    return states, np.empty((part.steps if keep else 1, stages, *v0.shape), v0.dtype)


def _step(arrays: CircuitArrays, part: SliceArrays, v: Array, currents: Array, after: Array) -> None:
    rows, weights, _ = scaled(arrays.tableau, part.h, v.dtype)
    low, high = v.dtype.type(arrays.low), v.dtype.type(arrays.high)
    y = np.empty_like(v)
    for stage, row in enumerate(rows):
        nodes.begin_stage(y, v, currents, row, stage, arrays.inverse, arrays.leak, part.injection)
        for edges in part.edges:
            edges.kernel.accumulate(y, currents[stage], edges.source, edges.destination, edges.table)
    nodes.end_step(after, v, currents, weights, arrays.inverse, low, high)


def march_back(arrays: CircuitArrays, tapes: Sequence[Tape], cotangents: Array, gradients: Gradients) -> Array:
    """Cotangent of v0 from those of the snapshots; adds the rest to `gradients`."""
    cotangent: Array = np.zeros_like(cotangents[0])
    taken = len(cotangents)
    for index in reversed(range(len(arrays.slices))):
        part, tape = arrays.slices[index], tapes[index]
        for step in reversed(range(part.steps)):
            if (step + 1) % part.every == 0:
                taken -= 1
                cotangent += cotangents[taken]
            _step_back(
                arrays,
                part,
                (tape.states[step], tape.currents[step]),
                cotangent,
                gradients.nodes[index],
                gradients.tables[index],
            )
    return cotangent


def _step_back(
    arrays: CircuitArrays,
    part: SliceArrays,
    tape: tuple[Array, Array],
    cotangent: Array,
    by_node: Array,
    by_table: list[Array],
) -> None:
    v, currents = tape
    rows, weights, columns = scaled(arrays.tableau, part.h, v.dtype)
    low, high = v.dtype.type(arrays.low), v.dtype.type(arrays.high)
    y, q, w = np.empty_like(v), np.empty_like(v), np.empty_like(currents)
    nodes.reverse_end_step(cotangent, y, v, currents, weights, arrays.inverse, low, high)
    for stage in reversed(range(len(rows))):
        nodes.reverse_stage(
            y, q, w, v, cotangent, currents, stage, rows[stage], columns[stage],
            arrays.inverse, arrays.leak, by_node,
        )  # fmt: skip
        for edges, gradient in zip(part.edges, by_table, strict=True):
            edges.kernel.pull_back(y, q, w[stage], gradient, edges.source, edges.destination, edges.table)
    nodes.reverse_begin_step(cotangent, w)


def tiled(values: Array) -> Array:
    """[batch, node] as [tile, 1 + node, LANES], padded with zeros."""
    batch, count = values.shape
    tiles = -(-batch // LANES)
    padded = np.zeros((tiles * LANES, 1 + count), values.dtype)
    padded[:batch, 1:] = values
    return np.ascontiguousarray(padded.reshape(tiles, LANES, 1 + count).transpose(0, 2, 1))


def untiled(values: Array, batch: int) -> Array:
    """Reverses `tiled` over any leading axes."""
    *lead, tiles, count, lanes = values.shape
    rows = np.swapaxes(values, -1, -2).reshape(*lead, tiles * lanes, count)
    return np.ascontiguousarray(rows[..., :batch, 1:])
