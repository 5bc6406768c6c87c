"""What all cells of a board have in common: its nodes, its knee and its saturation."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from jackfield.board import BoardSpec
from jackfield_calibration.node_estimator import NodeFit

__all__ = ["Shared", "shared_precision"]

_LEAST_KNEE_V = 1e-4
_LEAST_LIMIT = 1e-3
_LIMIT, _LIMIT_WIDTH = 0.75, 0.2  # cells give between 1.05 and 1.8 of what they are specified for


@dataclass(frozen=True)
class Shared:
    """Nodes and the cells' common law: float64 tensors `[node]`, SI, currents over C_ref.

    `log_capacitance` is ln(C_n/C_ref) with mean 0; `leak_rate` (1/s) and `offset_rate` (V/s) are over the
    node's own capacitance, as node runs see them. `knee_V` and `limit` (1/saturation in output limits) `[]`.
    """

    capacitance_F: float
    output_limit_A: float
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
        """Unknowns of `moved`: three a node, then knee squared (nearly linear in what it does) and limit."""
        return 3 * len(self.log_capacitance) + 2

    def allowed(self, step: Tensor) -> Tensor:
        """`step` shortened where it would take knee or limit below what can be."""
        kept = step.clone()
        kept[-2] = kept[-2].clamp(min=_LEAST_KNEE_V**2 - float(self.knee_V) ** 2)
        kept[-1] = kept[-1].clamp(min=_LEAST_LIMIT - float(self.limit))
        return kept

    def moved(self, step: Tensor) -> "Shared":
        """After a step in (ln C, preset gain, preset offset) of each node, knee squared and limit; gauge kept."""
        count = len(self.log_capacitance)
        log_c, gain, offset = (step[i * count : (i + 1) * count] for i in range(3))
        logs = self.log_capacitance + log_c
        return replace(
            self,
            log_capacitance=logs - logs.mean(),
            preset_gain=self.preset_gain + gain,
            preset_offset_V=self.preset_offset_V + offset,
            knee_V=(self.knee_V**2 + step[-2]).sqrt(),
            limit=self.limit + step[-1],
        )


def shared_precision(nodes: NodeFit) -> Tensor:
    """Precision `[unknown, unknown]` of the shared values after node runs: presets as fitted, the rest weak.

    Capacitances get 5 % and a stiff mean: scaling all of them is scaling all currents, the gauge.
    """
    count = len(nodes.value)
    precision = torch.zeros(3 * count + 2, 3 * count + 2, dtype=torch.float64)
    precision[:count, :count] = torch.eye(count) * 0.05**-2 + 1e8
    inverse = torch.linalg.inv(torch.from_numpy(nodes.covariance))
    rows = torch.arange(count)
    for i in range(2):
        for j in range(2):
            precision[count + i * count + rows, count + j * count + rows] = inverse[:, i, j]
    precision[-2, -2], precision[-1, -1] = 1e-4**-2, _LIMIT_WIDTH**-2
    return precision
