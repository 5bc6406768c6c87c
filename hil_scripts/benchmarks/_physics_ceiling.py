"""How near the forward loop comes to what the machine's vector units do with the same sums, products and maxima."""

import time
from functools import partial

import numba
import numpy as np
import torch
from benchmarks._rows import Row
from numba import types

from jackfield.physics import Circuit, EdgeSet, Slice, Topology, fully_connected, integrate, mixed
from jackfield.physics.laws.scalar import at_least
from jackfield.physics.memory import vector_memory
from jackfield.physics.vector import Vec

__all__ = ["ceiling_rows"]

LANES, STEPS, BATCH, STAGES = 64, 16, 128, 4
ROUNDS = 1_000_000


def ceiling_rows(quick: bool) -> list[Row]:
    """One thread, float32: subtract, maximum, multiply-add on registers, against integrate's forward run."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        topologies = [fully_connected(48, (1, 0))] if quick else [fully_connected(64, (1, 0)), _mixed()]
        return [_row(topology, 3 if quick else 25, bar=0.1 if quick else 0.4) for topology in topologies]
    finally:
        torch.set_num_threads(threads)


def _mixed() -> Topology:
    return mixed(1, 28, 28, 3, 10, (1, 0))


def _row(topology: Topology, repeats: int, bar: float) -> Row:
    edges = len(topology.source)
    draw = torch.Generator().manual_seed(0)
    parameters = {name: 0.05 * torch.randn(edges, generator=draw) for name in ("gain", "threshold")}
    slices = (Slice(1.0, (EdgeSet("shifted_relu", topology.source, topology.destination, parameters),)),)
    nodes = topology.nodes
    circuit = Circuit(nodes, slices, torch.ones(nodes), torch.zeros(nodes))
    v0 = torch.rand(BATCH, nodes, generator=draw)
    with torch.no_grad():
        job = partial(integrate, circuit, v0, steps=STEPS)
        loop = partial(_arithmetic(), _room().ctypes.data_as(_POINTER), ROUNDS)
        mine, ceiling = _shortest_of_both(job, loop, repeats)
    per_edge = mine / (edges * BATCH * STEPS * STAGES)
    per_round = ceiling / (ROUNDS * LANES)
    return {
        "name": f"share of the arithmetic ceiling, {nodes} nodes",
        "workload": f"{edges} shifted_relu edges, {STEPS} steps forward, batch {BATCH}, float32, one thread; "
        "a subtraction, a maximum and a multiply-add for each edge, sample and stage",
        "against": "ceiling",
        "ours": per_edge,
        "theirs": per_round,
        "unit": "s an edge and sample",
        "ratio": per_round / per_edge,
        "error": None,
        "asked": f"ratio >= {bar:g}",
        "holds": per_round / per_edge >= bar,
    }


def _shortest_of_both(job: partial, loop: partial, repeats: int) -> tuple[float, float]:  # type: ignore[type-arg]
    """Shortest times of both, taken in turns, for interruptions only ever add."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(repeats + 1):
        for found, some in zip(times, (job, loop), strict=True):
            begin = time.perf_counter()
            some()
            found.append(time.perf_counter() - begin)
    return min(times[0][1:]), min(times[1][1:])


def _room() -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
    return np.full(LANES, 0.1, np.float32)


def _pointer() -> type:
    import ctypes

    return ctypes.POINTER(ctypes.c_float)


_POINTER = _pointer()


def _arithmetic():  # type: ignore[no-untyped-def]  # a ctypes function
    """`loop(numbers, rounds)`: a chain of `rounds` for each of LANES numbers, enough chains to fill the pipes."""
    load, store, _ = vector_memory(Vec(types.float32, LANES))

    def loop(numbers: types.CPointer, rounds: int) -> None:
        x, gain, threshold = load(numbers, 0), numbers[0], numbers[1]
        for _ in range(rounds):
            x = x + gain * at_least(x - threshold, 0.0)
        store(numbers, 0, x)

    return numba.cfunc(types.void(types.CPointer(types.float32), types.intp))(loop).ctypes
