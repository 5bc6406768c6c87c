"""Node voltages over one run: what the circuit asks for and what the probes saw."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jackfield.bench import Bench
from jackfield.board import RunProgram
from jackfield.compile import CompiledCircuit, twin
from jackfield.device import AbstractBoard

__all__ = ["Trajectory", "requested_trajectories", "watch_nodes"]

_SNAPSHOTS = 16  # a slice

Floats = NDArray[np.float64]
Inputs = NDArray[np.float32] | NDArray[np.float64]


@dataclass(frozen=True)
class Trajectory:
    """One node's voltage, volts, at `t_s` seconds after the preset switches opened."""

    node: int
    t_s: Floats
    volts: Floats


def watch_nodes(
    bench: Bench[AbstractBoard], compiled: CompiledCircuit, inputs: Inputs, nodes: Sequence[int]
) -> tuple[Trajectory, ...]:
    """Run one input (`[input node]`, machine units) again and again until a probe has followed each of `nodes`.

    Raises LinkError, BoardError or InstrumentError as the bench does.
    """
    probes = bench.spec.probe.count
    bench.board.load_inputs(compiled.input_codes(inputs[None]))
    found: list[Trajectory] = []
    for start in range(0, len(nodes), probes):
        chosen = list(nodes[start : start + probes])
        padded = chosen + chosen[-1:] * (probes - len(chosen))
        scan, clamp = tuple((node,) for node in padded), compiled.program.clamp
        program = RunProgram(compiled.program.steps, scan, mode="watch", clamp=clamp)
        live = bench.watch(program)
        found += [Trajectory(node, live.t_s, live.volts[probe]) for probe, node in enumerate(chosen)]
    return tuple(found)


def requested_trajectories(compiled: CompiledCircuit, inputs: Inputs, nodes: Sequence[int]) -> tuple[Trajectory, ...]:
    """What the circuit asks of `nodes` for one input (`[input node]`, machine units): a board without any error."""
    run = compiled.spec.run
    start = np.zeros(compiled.spec.nodes.count)
    start[np.array(compiled.inputs) - 1] = inputs * compiled.scaling.volts_per_unit
    volts = np.concatenate([start[None], twin(compiled, compiled.spec).states(inputs[None], _SNAPSHOTS)[:, 0]])
    t_s, begin = [0.0], 0.0
    for _, ticks in compiled.program.steps:
        t_s += [begin + ticks * run.tick_s * (k + 1) / _SNAPSHOTS for k in range(_SNAPSHOTS)]
        begin = t_s[-1] + run.bank_switch_s
    return tuple(Trajectory(node, np.array(t_s), volts[:, node - 1]) for node in nodes)
