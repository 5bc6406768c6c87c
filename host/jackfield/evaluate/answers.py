"""What a board answers to a set of inputs, and how far that is from what was wanted."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from jackfield.bench import Bench
from jackfield.board import CalibrationRecord, Measurement, RunProgram, schedule
from jackfield.compile import CompiledCircuit

__all__ = ["Answers", "ask_board"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Answers:
    """Output voltages `[input, output]` with standard errors, volts; `valid` is neither clipped nor railed."""

    volts: Floats
    se_V: Floats
    valid: NDArray[np.bool_]

    def error_rms_V(self, wanted_V: Floats) -> float:
        """The output error: rms over inputs and outputs of these volts minus `wanted_V` `[input, output]`."""
        return float(np.sqrt(np.mean((self.volts - wanted_V) ** 2)))


def ask_board(bench: Bench, compiled: CompiledCircuit, inputs: Floats, record: CalibrationRecord | None) -> Answers:
    """Run `inputs` `[input, input node]` (machine units) on the board that holds `compiled`, and read the outputs.

    With a record, readings are corrected for the droop between HOLD and each node's slot.
    Raises LinkError, BoardError or InstrumentError as the bench does.
    """
    program = replace(compiled.program, first=0, count=1)
    measured = bench.measure(compiled.input_codes(inputs), program)
    volts = measured.values_V / _held_share(bench, program, measured, record)
    order = [measured.nodes.index(node) for node in compiled.outputs]
    valid = ~(measured.clipped | measured.railed)
    return Answers(volts[:, order], measured.se_V[:, order], valid[:, order])


def _held_share(bench: Bench, program: RunProgram, measured: Measurement, record: CalibrationRecord | None) -> Floats:
    """The share of its voltage that each node still has in the middle of its slot, `[node]`."""
    if record is None or "droop_per_s" not in record.tables:
        return np.ones(len(measured.nodes))
    plan = schedule(bench.spec, program)
    hold_s = plan.slot_start_s[0, 0] - program.hold_ticks * bench.spec.run.tick_s
    middle_s = plan.slot_start_s[0] + plan.slot_s / 2 - hold_s
    waits = {node: middle_s[2 + slot] for nodes in program.scan for slot, node in enumerate(nodes)}
    droop = record.tables["droop_per_s"].value
    return np.array([1.0 - droop[node - 1] * waits[node] for node in measured.nodes])
