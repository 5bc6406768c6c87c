"""LUCIDAC circuits on the independent emulator of lucipy, and what scipy says of them."""

import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from jackfield.compile import compile_circuit
from jackfield.device import AbstractBoard
from jackfield.physics import Circuit, EdgeSet, Slice

__all__ = ["Case", "cubic_chain", "on_board", "peer", "quadratic", "random_case", "ring", "worst_error"]

Floats = NDArray[np.float64]
LANES, MULTIPLIERS, NODES = 32, 4, 8
SERVE = """
import copy, functools, scipy.integrate
from lucipy import Circuit, Emulation, Simulation
load = Circuit.load
Circuit.load = lambda self, config: load(self, copy.deepcopy(config))  # it upscales what it is given, run after run
if {exact}:
    Simulation.solve_ivp = functools.partialmethod(Simulation.solve_ivp, rtol=1e-7, atol=1e-9)
Emulation('127.0.0.1', 0).serve_blocking()
"""


@dataclass(frozen=True)
class Case:
    """`edges` rows (source, destination, g1, g2, g3) with nodes from 1, 0 is ground; a leak a node; run for `time`."""

    name: str
    nodes: int
    edges: tuple[tuple[int, int, float, float, float], ...]
    leak: tuple[float, ...]
    time: float
    start: Floats

    def slopes(self, t: float, v: Floats) -> Floats:
        """dv/dt by Kirchhoff's law, for scipy."""
        dv = -np.array(self.leak) * v
        at = np.concatenate([[0.0], v])
        for s, d, g1, g2, g3 in self.edges:
            x = at[s] - at[d]
            current = g1 * x + g2 * x**2 + g3 * x**3
            for node, sign in ((s, -1.0), (d, 1.0)):
                if node:
                    dv[node - 1] += sign * current
        return dv

    def trajectory(self, v0: Floats) -> Floats:
        """Voltages `[node, time]`, the last one at the end."""
        found = solve_ivp(self.slopes, (0.0, self.time), v0, rtol=1e-10, atol=1e-12, max_step=self.time / 50)
        return np.asarray(found.y)

    @property
    def circuit(self) -> Circuit:
        """The same for jackfield."""
        rows = torch.tensor(self.edges, dtype=torch.float64)
        ends = rows[:, :2].long()
        edges = EdgeSet(
            "polynomial", ends[:, 0], ends[:, 1], {name: rows[:, 2 + k] for k, name in enumerate(("g1", "g2", "g3"))}
        )
        nodes = tuple(range(1, self.nodes + 1))
        ones = torch.ones(self.nodes, dtype=torch.float64)
        leak = torch.tensor(self.leak, dtype=torch.float64)
        return Circuit(self.nodes, (Slice(self.time, (edges,)),), ones, leak, None, nodes, nodes)


def _case(name: str, nodes: int, edges: list[tuple[int, int, float, float, float]], leak: float, seed: int) -> Case:
    start = np.random.default_rng(seed).uniform(-0.8, 0.8, (3, nodes))
    return Case(name, nodes, tuple(edges), (leak,) * nodes, 1.5, start)


def ring() -> Case:
    """8 nodes, 8 linear edges: 24 lanes."""
    g = np.random.default_rng(1).uniform(0.1, 0.6, NODES)
    return _case("8-node linear ring", NODES, [(i + 1, (i + 1) % 8 + 1, float(g[i]), 0.0, 0.0) for i in range(8)], 0, 1)


def quadratic() -> Case:
    """8 nodes in pairs with 4 quadratic edges, each node with a leak: all 32 lanes."""
    g = np.random.default_rng(2).uniform(-0.3, 0.3, 4)
    return _case(
        "8 nodes, 4 quadratic edges", 8, [(2 * i + 1, 2 * i + 2, 0.0, float(g[i]), 0.0) for i in range(4)], 0.2, 2
    )


def cubic_chain() -> Case:
    """4 nodes in a chain, linear, the outer two edges cubic besides: 28 lanes."""
    edges = [(1, 2, 0.3, 0.0, 0.4), (2, 3, 0.5, 0.0, 0.0), (3, 4, 0.2, 0.0, 0.3)]
    return _case("4-node cubic chain", 4, edges, 0, 3)


def random_case(seed: int) -> Case:
    """Linear, quadratic and cubic edges at random, to ground as well, as many as fit; |v| stays below 0.95."""
    rng = np.random.default_rng(1000 + seed)
    while True:
        nodes = int(rng.integers(3, NODES + 1))
        lanes, multipliers, edges = LANES - nodes, MULTIPLIERS, []
        pairs = [(s, d) for s in range(1, nodes + 1) for d in range(nodes + 1) if d == 0 or d > s]
        for number in rng.permutation(len(pairs))[: nodes + 2]:
            s, d = pairs[number]
            ends = 2 if d else 1
            order = int(rng.integers(1, 4))
            cost = 2 * (d != 0) + (0, 3 * ends, 1 + 4 * ends)[order - 1]
            if cost <= lanes and order - 1 <= multipliers:
                lanes, multipliers = lanes - cost, multipliers - order + 1
                curve = float(rng.uniform(-0.3, 0.3)) if order == 2 else 0.0
                cube = float(rng.uniform(0.0, 0.4)) if order == 3 else 0.0
                edges.append((s, d, float(rng.uniform(-0.1, 0.5)), curve, cube))
        case = Case(
            f"random circuit {seed}", nodes, tuple(edges), (0.1,) * nodes, 1.5, rng.uniform(-0.8, 0.8, (3, nodes))
        )
        if all(np.abs(case.trajectory(v0)).max() < 0.95 for v0 in case.start):
            return case


def on_board(case: Case, board: AbstractBoard) -> Floats:
    """Node voltages `[start, node]` at the end of the runs on `board`, one unit being its full scale."""
    from dataclasses import replace

    compiled = compile_circuit(case.circuit, board.spec, volts_per_unit=1.0)
    board.apply(compiled.image)
    board.load_inputs(compiled.input_codes(case.start))
    return board.read_nodes(replace(compiled.program, count=len(case.start))).values_V  # type: ignore[attr-defined]


def worst_error(case: Case, read: Callable[[Case], Floats]) -> float:
    """Largest difference of what is read and what scipy says, in full scales."""
    wanted = np.array([case.trajectory(v0)[:, -1] for v0 in case.start])
    return float(np.abs(read(case) - wanted).max())


@contextlib.contextmanager
def peer(exact: bool = True) -> Iterator[int]:
    """The TCP port of lucipy's emulator, as a process of its own.

    With `exact` its solver runs at a relative tolerance of 1e-7: at its own 1e-3 it is wrong by up to 1e-2 itself.
    """
    program = SERVE.format(exact=exact)
    process = subprocess.Popen([sys.executable, "-u", "-c", program], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        yield int(line.partition("tcp://127.0.0.1:")[2].split()[0])
    finally:
        process.terminate()
        process.wait(timeout=10)
        if process.stdout is not None:
            process.stdout.close()
