"""What all cells of a board have in common: its nodes, its knee and its saturation."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from jackfield.board import BoardSpec
from jackfield_calibration.node_estimator import NODE_PARAMETERS, NodeFit

__all__ = ["NODE_UNKNOWNS", "Shared", "refined_nodes", "shared_precision"]

NODE_UNKNOWNS = 5  # ln C, preset gain, preset offset, leak rate, offset rate

_LEAST_KNEE_V = 1e-4
_LEAST_LIMIT = 1e-3
_LIMIT, _LIMIT_WIDTH = 0.75, 0.2  # cells give between 1.05 and 1.8 of what they are specified for


@dataclass(frozen=True)
class Shared:
    """Nodes and the cells' common law: float64 tensors `[node]`, SI, currents over C_ref.

    `log_capacitance` is ln(C_n/C_ref) with mean 0 over the nodes `in_gauge`: those whose cell runs were read. Any
    other's is what was assumed of it, and its 5 % must not stand in every gain. `leak_rate` (1/s) and `offset_rate`
    (V/s) are over the node's own capacitance, as node runs see them. `knee_V` and
    `limit` (1/saturation in output limits) `[]`.
    """

    capacitance_F: float
    output_limit_A: float
    in_gauge: Tensor
    log_capacitance: Tensor
    preset_gain: Tensor
    preset_offset_V: Tensor
    leak_rate: Tensor
    offset_rate: Tensor
    knee_V: Tensor
    limit: Tensor

    @classmethod
    def start(cls, spec: BoardSpec, nodes: NodeFit, output_limit_A: float) -> "Shared":
        """Before the first cell run: equal capacitances, a small knee, no pronounced saturation."""
        column = {name: torch.from_numpy(nodes.column(name)) for name in ("preset_gain", "preset_offset_V")}
        reference = spec.nodes.capacitance_F
        return cls(
            reference,
            output_limit_A,
            torch.ones(spec.nodes.count, dtype=torch.bool),
            torch.zeros(spec.nodes.count, dtype=torch.float64),
            column["preset_gain"],
            column["preset_offset_V"],
            torch.from_numpy(nodes.column("leak_S")) / reference,
            torch.from_numpy(nodes.column("node_offset_A")) / reference,
            torch.tensor(5e-3, dtype=torch.float64),
            torch.tensor(_LIMIT, dtype=torch.float64),
        )

    @property
    def size(self) -> int:
        """Unknowns of `moved`: five a node, then knee squared (nearly linear in what it does) and limit."""
        return NODE_UNKNOWNS * len(self.log_capacitance) + 2

    def allowed(self, step: Tensor) -> Tensor:
        """`step` shortened where it would take knee or limit below what can be."""
        kept = step.clone()
        kept[-2] = kept[-2].clamp(min=_LEAST_KNEE_V**2 - float(self.knee_V) ** 2)
        kept[-1] = kept[-1].clamp(min=_LEAST_LIMIT - float(self.limit))
        return kept

    def moved(self, step: Tensor) -> "Shared":
        """After a step in (ln C, preset gain, preset offset, leak rate, offset rate) of each node, knee squared and
        limit; gauge kept."""
        log_c, gain, offset, leak, rate = step[:-2].reshape(NODE_UNKNOWNS, -1)
        logs = self.log_capacitance + log_c
        return replace(
            self,
            log_capacitance=logs - logs[self.in_gauge].mean(),
            preset_gain=self.preset_gain + gain,
            preset_offset_V=self.preset_offset_V + offset,
            leak_rate=self.leak_rate + leak,
            offset_rate=self.offset_rate + rate,
            knee_V=(self.knee_V**2 + step[-2]).sqrt(),
            limit=self.limit + step[-1],
        )


def shared_precision(nodes: NodeFit, capacitance_F: float) -> Tensor:
    """Precision `[unknown, unknown]` of the shared values after node runs: what these saw as fitted, the rest weak.

    Capacitances get 5 %.
    """
    count, seen = len(nodes.value), NODE_UNKNOWNS - 1
    size = NODE_UNKNOWNS * count + 2
    precision = torch.zeros(size, size, dtype=torch.float64)
    precision[:count, :count] = torch.eye(count) * 0.05**-2
    unit = np.array([1.0, 1.0, capacitance_F, capacitance_F])  # of a node fit in one of its unknowns here
    inverse = torch.from_numpy(np.linalg.inv(nodes.covariance / np.outer(unit, unit)))
    rows = torch.arange(count)
    for i in range(seen):
        for j in range(seen):
            precision[count + i * count + rows, count + j * count + rows] = inverse[:, i, j]
    precision[-2, -2], precision[-1, -1] = 1e-4**-2, _LIMIT_WIDTH**-2
    return precision


def refined_nodes(nodes: NodeFit, shared: Shared, shared_se: Tensor) -> NodeFit:
    """`nodes` with what cell runs have added: presets, leak and offset current as in `shared`, with their standard
    errors `shared_se[unknown]`.
    """
    capacitance_F, value, se = shared.capacitance_F, nodes.value.copy(), nodes.se.copy()
    found = {
        "preset_gain": (shared.preset_gain, 1.0),
        "preset_offset_V": (shared.preset_offset_V, 1.0),
        "leak_S": (shared.leak_rate, capacitance_F),
        "node_offset_A": (shared.offset_rate, capacitance_F),
    }
    errors = shared_se[:-2].reshape(NODE_UNKNOWNS, -1)[1:]
    for (name, (values, unit)), error in zip(found.items(), errors, strict=True):
        at = NODE_PARAMETERS.index(name)
        value[:, at], se[:, at] = unit * values.numpy(), unit * error.numpy()
    return replace(nodes, value=value, se=se)
