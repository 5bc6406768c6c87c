"""Node voltages over one run: what the circuit asks for and what the probes saw."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jackfield.bench import Bench
from jackfield.board import RunProgram
from jackfield.compile import CompiledCircuit

__all__ = ["Trajectory", "watch_nodes"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Trajectory:
    """One node's voltage, volts, at `t_s` seconds after the preset switches opened."""

    node: int
    t_s: Floats
    volts: Floats


def watch_nodes(bench: Bench, compiled: CompiledCircuit, inputs: Floats, nodes: Sequence[int]) -> tuple[Trajectory, ...]:
    """Run one input (`[input node]`, machine units) again and again until a probe has followed each of `nodes`.

    Raises LinkError, BoardError or InstrumentError as the bench does.
    """
    probes = bench.spec.probe.count
    bench.board.load_inputs(compiled.input_codes(inputs[None]))
    found: list[Trajectory] = []
    for start in range(0, len(nodes), probes):
        chosen = list(nodes[start : start + probes])
        padded = chosen + chosen[-1:] * (probes - len(chosen))
        program = RunProgram(compiled.program.steps, tuple((node,) for node in padded), mode="watch")
        t_s, volts = bench.watch(program)
        found += [Trajectory(node, t_s, volts[probe]) for probe, node in enumerate(chosen)]
    return tuple(found)
