"""What a record says, as a calibration begins with it: nodes, what cells share, what is usual among them."""

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from jackfield.board import BoardSpec, CalibrationRecord, Table
from jackfield.errors import CalibrationError
from jackfield_calibration.cell_estimator import Prior
from jackfield_calibration.cell_model import CELL_PARAMETERS
from jackfield_calibration.crosstalk import Crosstalk
from jackfield_calibration.joint_estimator import Begin
from jackfield_calibration.node_estimator import NODE_PARAMETERS, NodeFit
from jackfield_calibration.sentinel import TABLE
from jackfield_calibration.shared import NODE_UNKNOWNS, Shared, shared_precision
from jackfield_calibration.tables import CURVE, NOT_MEASURED

__all__ = ["begin_from", "nodes_from"]

Floats = NDArray[np.float64]

_LEAST_WIDTH = 1e-4  # of a weak parameter over the cells
_LEAST_SE = 1e-7


def nodes_from(spec: BoardSpec, record: CalibrationRecord) -> NodeFit:
    """The fit of the nodes that `record` was made with. Raises CalibrationError where it lacks a table of the nodes."""
    ratio = _table(record, "capacitance_ratio").value
    value, se = (np.zeros((spec.nodes.count, len(NODE_PARAMETERS))) for _ in range(2))
    slow = dict.fromkeys(("leak_S", "node_offset_A"), 1000.0 * spec.nodes.capacitance_F)  # in a volt a millisecond
    for at, name in enumerate(NODE_PARAMETERS):
        table = _table(record, name)
        factor = ratio if name in ("leak_S", "node_offset_A", "trim_gain") else np.ones_like(ratio)
        least = _LEAST_SE * slow.get(name, 1.0)
        value[:, at], se[:, at] = table.value / factor, np.maximum(table.se / factor, least)
    covariance = np.stack([np.diag(row[: NODE_UNKNOWNS - 1] ** 2) for row in se])
    noise_V = float(np.median(_table(record, TABLE).se))
    return NodeFit(value, se, covariance, noise_V, _table(record, "preset_gain").reads, _crosstalk(record))


def _crosstalk(record: CalibrationRecord) -> Crosstalk:
    table = _table(record, "crosstalk")
    pairs = [(int(seeing) - 1, int(seen) - 1) for seeing, _, seen in (name.partition("-") for name in table.index)]
    return Crosstalk(*(dict(zip(pairs, column.tolist(), strict=True)) for column in (table.value, table.se)))


def begin_from(spec: BoardSpec, record: CalibrationRecord, nodes: NodeFit, group: str) -> Begin:
    """What cells of `group` share, as `record` knows it, and what is usual among its good cells."""
    part = spec.group(group)
    ratio, knee, saturation = (_table(record, name) for name in ("capacitance_ratio", "knee_V", "saturation"))
    start = Shared.start(spec, nodes, part.output_limit_A)
    shared = replace(
        start,
        in_gauge=torch.tensor([reason != NOT_MEASURED for reason in ratio.reason]),
        log_capacitance=torch.from_numpy(np.log(ratio.value)),
        knee_V=torch.tensor(knee.value[0], dtype=torch.float64),
        limit=torch.tensor(1 / saturation.value[0], dtype=torch.float64),
    )
    precision, count = shared_precision(nodes, spec.nodes.capacitance_F), spec.nodes.count
    spread = np.maximum(ratio.se / ratio.value, _LEAST_SE)
    precision[:count, :count] = torch.diag(torch.from_numpy(spread**-2))
    precision[-2, -2] = max(2 * knee.value[0] * knee.se[0], _LEAST_SE) ** -2
    precision[-1, -1] = max(saturation.se[0] / saturation.value[0] ** 2, _LEAST_SE) ** -2
    gain, threshold = part.parameters["gain"], part.parameters["threshold"]
    prior = _prior(record, Prior.generous(gain.lsb / gain.hi, threshold.hi), gain.hi, part.output_limit_A)
    return Begin(prior, shared, precision, torch.zeros(shared.size, dtype=torch.float64))


def _prior(record: CalibrationRecord, generous: Prior, largest_S: float, limit_A: float) -> Prior:
    """Gain scale and threshold as wide as ever, the weak parameters as they are among the record's good cells."""
    columns = {"zero": ("gain_zero_S", largest_S), "offset": ("current_offset_A", limit_A)}
    columns |= {name.removeprefix("gain_").removesuffix("_S"): (name, largest_S) for name in CURVE}
    width = generous.width.clone()
    for parameter, (name, unit) in columns.items():
        table, at = _table(record, name), CELL_PARAMETERS.index(parameter)
        values, se = table.value[table.good] / unit, table.se[table.good] / unit
        if len(values) > 1:
            width[at] = max(float(np.sqrt(np.mean(values**2 + se**2))), _LEAST_WIDTH)
    return Prior(width, generous.widest)


def _table(record: CalibrationRecord, name: str) -> Table:
    if name not in record.tables:
        raise CalibrationError(f"the record has no {name}; calibrate the board at level 'cells'")
    return record.tables[name]
