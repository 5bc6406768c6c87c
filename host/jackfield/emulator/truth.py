"""What was drawn, for scoring: the names and the gauge of a calibration record, and the defects.

Only I/C can be observed. With k the geometric mean of C_n over the nominal capacitance, currents are
divided by k and capacitances are C_n over k times nominal; a record that could not measure all nodes has its k over
those that it could (`regauged`). Only tests and benchmarks read this.
"""

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from jackfield.emulator.analog import AnalogBoard
from jackfield.emulator.draws import DEFECTS, CellDraws
from jackfield.emulator.inl import INL_DEGREES

__all__ = ["gauge_factor", "regauged", "truth", "truth_json"]

# What is over a capacitance, beside each parameter's scale, zero and curve.
OVER_CAPACITANCE = ("capacitance_ratio", "leak_S", "node_offset_A", "trim_gain", "saturation", "current_offset_A")


def truth(board: AnalogBoard) -> dict[str, Any]:
    """Plain values: `quantities` maps a record's quantity to {index: value}, `defects` cells to kinds.

    `unknown` is what no record has.
    """
    quantities = _node_quantities(board) | _probe_quantities(board)
    defects: dict[str, str] = {}
    for draws in board.plant.cells:
        for name, values in _cell_quantities(board, draws).items():
            quantities.setdefault(name, {}).update(values)
        defects |= {_name(draws, int(i)): DEFECTS[draws.defect[i]] for i in np.flatnonzero(draws.defect)}
    return {
        "spec": board.spec.name,
        "spec_digest": board.spec.digest,
        "profile": board.randomness.profile,
        "seed": board.randomness.seed,
        "temperature_C": board.plant.drift.temperature_C,
        "gauge_factor": gauge_factor(board),
        "quantities": quantities,
        "defects": defects,
        "stuck_probes": [[int(probe) + 1, int(node) + 1] for probe, node in np.argwhere(board.probes.stuck)],
        "unknown": {
            "bank_switch_V": _by_number(board.plant.nodes.switch_V),
            "crosstalk": board.probes.crosstalk.tolist(),
        },
    }


def truth_json(board: AnalogBoard) -> str:
    """`truth` as one JSON text; what is infinite is null."""
    return json.dumps(truth(board), sort_keys=True, allow_nan=False)


def regauged(told: Mapping[str, Any], nodes: Iterable[str]) -> dict[str, Any]:
    """`told`, a truth, with the mean of ln C 0 over `nodes` (numbers from 1) alone."""
    ratios = told["quantities"]["capacitance_ratio"]
    factor = math.exp(np.mean([math.log(ratios[node]) for node in nodes]))
    quantities = {
        name: {at: value / factor if value is not None else None for at, value in values.items()}
        if name in OVER_CAPACITANCE or name.startswith("gain_")
        else values
        for name, values in told["quantities"].items()
    }
    return {**told, "gauge_factor": told["gauge_factor"] * factor, "quantities": quantities}


def gauge_factor(board: AnalogBoard) -> float:
    """Geometric mean of the node capacitances over nominal."""
    ratios = board.plant.nodes.capacitance_F / board.spec.nodes.capacitance_F
    return float(np.exp(np.mean(np.log(ratios))))


def _node_quantities(board: AnalogBoard) -> dict[str, dict[str, Any]]:
    nodes, k = board.plant.nodes, gauge_factor(board)
    arrays = {
        "capacitance_ratio": nodes.capacitance_F / board.spec.nodes.capacitance_F / k,
        "leak_S": nodes.leak_S / k,
        "node_offset_A": nodes.offset_A / k,
        "trim_gain": nodes.trim_gain / k,
        "preset_gain": nodes.preset_gain,
        "preset_offset_V": nodes.preset_offset_V,
        "droop_per_s": nodes.droop_per_s,
    }
    return {name: _by_number(values) for name, values in arrays.items()}


def _probe_quantities(board: AnalogBoard) -> dict[str, dict[str, Any]]:
    saturation = board.profile.saturation_of_limit / gauge_factor(board)
    return {
        "probe_gain": _by_number(board.probes.gain),
        "probe_offset_V": _by_number(board.probes.offset_V),
        "reference_V": {"board": board.probes.reference_V},
        "knee_V": {"board": board.profile.knee_V},
        "saturation": {"board": saturation if math.isfinite(saturation) else None},
    }


def _cell_quantities(board: AnalogBoard, draws: CellDraws) -> dict[str, dict[str, Any]]:
    k, epoch = gauge_factor(board), board.plant.drift.epoch(board.time_s)
    names = [_name(draws, i) for i in range(draws.group.count)]
    arrays: dict[str, Any] = {"current_offset_A": draws.current_A / k}
    for parameter, drawn in draws.parameters.items():
        drift, unit = board.plant.drift.of(draws, parameter, epoch), draws.group.parameters[parameter].unit
        if drawn.is_offset:
            arrays[f"{parameter}_offset_{unit}"] = drawn.zero + drift
            continue
        arrays[f"{parameter}_scale"] = drawn.scale * (1 + drift) / k
        arrays[f"{parameter}_zero_{unit}"] = drawn.zero / k
        if drawn.family == "binary":
            for bit in range(drawn.inl.shape[1]):
                arrays[f"{parameter}_bit_{bit + 1}_{unit}"] = drawn.inl[:, bit] / k
            continue
        # The draws are terms of orthonormal polynomials, a record holds those of plain Legendre polynomials.
        for term, degree in enumerate(INL_DEGREES):
            arrays[f"{parameter}_bend_{degree}_{unit}"] = drawn.inl[:, term] * math.sqrt(2 * degree + 1) / k
    return {name: dict(zip(names, values.tolist(), strict=True)) for name, values in arrays.items()}


def _name(draws: CellDraws, index: int) -> str:
    return f"{draws.group.name}{index + 1}"


def _by_number(values: Any) -> dict[str, float]:
    return {str(number + 1): float(value) for number, value in enumerate(values)}
