"""Predicted readings of cell runs and their partials, through the physics' own law and solver.

A cell's gain at a nominal gain n is n (1 + scale) + zero + the DAC's curve (smooth bends and bits that err), its
threshold the nominal one plus an offset, and a current offset flows whatever the voltages. Partials are forward
differences in float64: one more evaluation each, on whatever law the spec names.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor

from jackfield.board import BENDS, BITS, CodeScale, curve_terms
from jackfield.physics import LAWS, Imperfection, cell_response
from jackfield_calibration.cell_runs import CellBlock
from jackfield_calibration.shared import Shared

__all__ = [
    "ALL_COLUMNS",
    "CELL_PARAMETERS",
    "CURVE",
    "OWN_COLUMNS",
    "CellLaw",
    "partials_to_parameters",
    "respond",
]

CELL_PARAMETERS = (
    "scale",
    "zero",
    "threshold",
    "offset",
    *(f"bend_{degree}" for degree in BENDS),
    *(f"bit_{number + 1}" for number in range(BITS)),
)
"""Relative; over the largest gain; V; over the output limit; terms of the DAC's curve over the largest gain."""
CURVE = slice(4, None)

OWN_COLUMNS, ALL_COLUMNS = 3, 13
_CHUNK = 1024  # cells at a time: the working set stays in cache
_STEP = 1e-6


@dataclass(frozen=True)
class CellLaw:
    """The law of a group of cells, its gain DAC and the scale of its currents."""

    name: str
    gain: CodeScale
    output_limit_A: float

    @property
    def largest_gain_S(self) -> float:
        """The unit of gains here."""
        return self.gain.hi

    def gain_partials(self, nominal_S: Tensor) -> Tensor:
        """d(gain)/d(parameter) at the codes of nominal gains `[cell]`, over the largest gain, `[cell, parameter]`."""
        lowest = float(self.gain.value(0))
        return _gain_partials(self.gain)[torch.round((nominal_S - lowest) / self.gain.lsb).long()]


@cache
def _gain_partials(scale: CodeScale) -> Tensor:
    """The same for all codes, `[code, parameter]`."""
    u = torch.from_numpy(scale.value(np.arange(2**scale.bits)) / scale.hi)[:, None]
    one, none = torch.ones_like(u), torch.zeros_like(u)
    return torch.cat([u, one, none, none, torch.from_numpy(curve_terms(scale))], 1)


def _effective(law: CellLaw, block: CellBlock, p: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    gain = block.gain_S / law.largest_gain_S + (law.gain_partials(block.gain_S) * p).sum(1)
    return gain, block.threshold_V + p[:, 2], p[:, 3]


def partials_to_parameters(law: CellLaw, block: CellBlock) -> Tensor:
    """d(gain, threshold, offset)/d(parameter), `[cell, 3, parameter]`."""
    gain = law.gain_partials(block.gain_S)
    threshold, offset = torch.zeros_like(gain), torch.zeros_like(gain)
    threshold[:, 2], offset[:, 3] = 1.0, 1.0
    return torch.stack([gain, threshold, offset], 1)


def respond(
    law: CellLaw, block: CellBlock, shared: Shared, p: Tensor, columns: int = OWN_COLUMNS
) -> tuple[Tensor, Tensor]:
    """Predicted volts `[cell, input, end]` and their partials `[cell, input, end, column]`.

    Columns, as many as asked: gain (of the largest), threshold, offset (of the limit); ln C, preset, leak rate (1/ms)
    and offset rate (V/ms) of the source, the same of the destination; knee, limit.
    """
    starts = range(0, len(block.gain_S), _CHUNK)
    parts = [_respond(law, block.of(slice(i, i + _CHUNK)), shared, p[i : i + _CHUNK], columns) for i in starts]
    volts, partials = zip(*parts, strict=True)
    return torch.cat(volts), torch.cat(partials)


def _respond(law: CellLaw, block: CellBlock, shared: Shared, p: Tensor, columns: int) -> tuple[Tensor, Tensor]:
    gain, threshold, offset = (value[:, None] for value in _effective(law, block, p))
    ends = (block.source, block.destination)
    presets = [
        shared.preset_gain[node][:, None] * block.preset_V[:, :, i] + shared.preset_offset_V[node][:, None]
        for i, node in enumerate(ends)
    ]
    slow = [[1e-3 * rate[node][:, None] for rate in (shared.leak_rate, shared.offset_rate)] for node in ends]
    nodes = [[shared.log_capacitance[node][:, None], presets[i], *slow[i]] for i, node in enumerate(ends)]
    inputs = [gain, threshold, offset, *nodes[0], *nodes[1], shared.knee_V, shared.limit]
    spread = [_varied(value, 1 + i if i < columns else None, 1 + columns) for i, value in enumerate(inputs)]
    volts = torch.stack(_integrate(law, block, shared.capacitance_F, spread), dim=-1)
    partials = (volts[1:] - volts[:1]) / _STEP
    return volts[0], partials.movedim(0, -1)


def _varied(value: Tensor, row: int | None, rows: int) -> Tensor:
    """`value` once a variant, moved in variant `row`; `[variant or 1, cell or 1, input or 1]`."""
    if row is None:
        return value.expand(1, *value.shape) if value.dim() else value
    step = torch.zeros(rows, 1, 1, dtype=torch.float64)
    step[row] = _STEP
    return value + step


def _integrate(law: CellLaw, block: CellBlock, capacitance_F: float, spread: list[Tensor]) -> tuple[Tensor, Tensor]:
    gain, threshold, offset, log_s, v_s, leak_s, rate_s, log_d, v_d, leak_d, rate_d, knee, limit = spread
    c_s, c_d = (capacitance_F * torch.exp(log) for log in (log_s, log_d))
    imperfection = Imperfection(knee, law.output_limit_A / limit, offset * law.output_limit_A)
    params = {"gain": gain * law.largest_gain_S, "threshold": threshold}
    shape = (gain + v_s + v_d).shape
    return cell_response(
        LAWS[law.name],
        params,
        imperfection,
        v_s.expand(shape),
        v_d.expand(shape),
        c_s,
        c_d,
        1e3 * leak_s * c_s,
        1e3 * leak_d * c_d,
        1e3 * rate_s * c_s,
        1e3 * rate_d * c_d,
        block.run_s,
        block.steps,
    )
