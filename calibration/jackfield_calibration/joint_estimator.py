"""Cells and nodes together: the normal equations of all, with each cell's own block eliminated (Schur complement).

A node's capacitance, preset, leak and offset current, the knee and the saturation are seen by many cells; holding
them fixed would make the cells' standard errors too small (coverage 0.60 in a trial), and where many reads of each cell
are averaged, cell runs know a node better than node runs do.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from jackfield_calibration.cell_estimator import CellFit, Prior, estimate_cells
from jackfield_calibration.cell_model import ALL_COLUMNS, CELL_PARAMETERS, CellLaw, partials_to_parameters, respond
from jackfield_calibration.cell_runs import CellBlock, stacked
from jackfield_calibration.gauss_newton import with_prior
from jackfield_calibration.shared import NODE_UNKNOWNS, Shared

__all__ = ["Begin", "refine_jointly", "shared_covariance", "with_shared_errors"]

_GAUGE = 1e8  # precision of the sum of ln C
_SHARES = (1.0, 0.3, 0.1)
_ENOUGH_CELLS = 1200  # more do not make the shared values better than the tolerances ask
_AT_A_TIME = 2048
_OWN = len(CELL_PARAMETERS)


@dataclass(frozen=True)
class Begin:
    """What holds before the cell runs speak: the cells' prior, the shared values and their precision.

    `moved` is where an earlier refinement had taken the shared values.
    """

    prior: Prior
    shared: Shared
    precision: Tensor
    moved: Tensor

    def over(self, blocks: list[CellBlock]) -> "Begin":
        """The same with the gauge over the nodes that `blocks` read."""
        in_gauge = torch.zeros_like(self.shared.in_gauge)
        for block in blocks:
            for end, nodes in enumerate((block.source, block.destination)):
                in_gauge[nodes[block.usable[:, :, end].any(1)]] = True
        return replace(self, shared=replace(self.shared, in_gauge=in_gauge))

    @property
    def stiff_precision(self) -> Tensor:
        """`precision`, and a stiff mean of ln C: scaling all capacitances is scaling all currents."""
        in_gauge = self.shared.in_gauge.double()
        precision = self.precision.clone()
        precision[: len(in_gauge), : len(in_gauge)] += _GAUGE * torch.outer(in_gauge, in_gauge)
        return precision


class _Normal:
    """Normal equations: of each cell, of the shared unknowns and between them, with their right-hand sides."""

    def __init__(self, cells: int, unknowns: int) -> None:
        self.own = torch.zeros(cells, _OWN, _OWN, dtype=torch.float64)
        self.between = torch.zeros(cells, _OWN, unknowns, dtype=torch.float64)
        self.shared = torch.zeros(unknowns * unknowns, dtype=torch.float64)
        self.own_slope = torch.zeros(cells, _OWN, dtype=torch.float64)
        self.shared_slope = torch.zeros(unknowns, dtype=torch.float64)

    def add(self, own: Tensor, seen: Tensor, at: Tensor, weight: Tensor, residual: Tensor) -> None:
        """One block: partials `own[cell, reading, own]`, `seen[cell, reading, k]` of the unknowns `at[cell, k]`."""
        weighted_own, weighted = own * weight[:, :, None], seen * weight[:, :, None]
        self.own += weighted_own.transpose(1, 2) @ own
        self.own_slope += torch.einsum("crp,cr->cp", weighted_own, residual)
        cross = weighted_own.transpose(1, 2) @ seen
        self.between.scatter_add_(2, at[:, None, :].expand_as(cross), cross)
        block = weighted.transpose(1, 2) @ seen
        unknowns = len(self.shared_slope)
        places = at[:, :, None] * unknowns + at[:, None, :]
        self.shared.index_add_(0, places.flatten(), block.flatten())
        slope = torch.einsum("crk,cr->ck", weighted, residual)
        self.shared_slope.index_add_(0, at.flatten(), slope.flatten())


@dataclass(frozen=True)
class _Linear:
    """The problem linearised at one point, cells eliminated."""

    inverse: Tensor
    gain: Tensor
    covariance: Tensor
    slope: Tensor


def refine_jointly(
    law: CellLaw, blocks: list[CellBlock], fit: CellFit, begin: Begin, sound: Tensor, rounds: int
) -> Tensor:
    """Where `rounds` steps take the shared values from the beginning; cells are fitted anew after each.

    Only `sound[cell]` cells inform the nodes, and no more of them than it takes. A joint step of the cells
    themselves would overshoot where gains are negative and runs long; a step that makes things worse is cut.
    """
    rows = torch.nonzero(sound)[:, 0]
    rows = rows[:: max(1, len(rows) // _ENOUGH_CELLS)]
    blocks, part = [block.of(rows) for block in blocks], fit.of(rows)
    moved = begin.moved
    for _ in range(rounds):
        linear = _linearise(law, blocks, part, begin, moved)
        cost = _cost(law, blocks, part, begin, moved, part.noise_V)
        for share in _SHARES:
            trial = begin.shared.allowed(moved + share * (linear.covariance @ linear.slope))
            there = estimate_cells(law, blocks, begin.shared.moved(trial), begin.prior, part.value, part.noise_V)
            if _cost(law, blocks, there, begin, trial, part.noise_V) < cost:
                moved, part = trial, there
                break
    return moved


def shared_covariance(law: CellLaw, blocks: list[CellBlock], fit: CellFit, begin: Begin, sound: Tensor) -> Tensor:
    """Covariance of the shared values at `begin.moved`, from the same cells as the refinement."""
    rows = torch.nonzero(sound)[:, 0]
    rows = rows[:: max(1, len(rows) // _ENOUGH_CELLS)]
    return _linearise(law, [block.of(rows) for block in blocks], fit.of(rows), begin, begin.moved).covariance


def with_shared_errors(
    law: CellLaw, blocks: list[CellBlock], fit: CellFit, begin: Begin, covariance: Tensor
) -> CellFit:
    """`fit` with covariances that include what is not known of the shared values (their `covariance`)."""
    spreads = []
    for start in range(0, len(fit.value), _AT_A_TIME):
        part = slice(start, start + _AT_A_TIME)
        linear = _linearise(law, [block.of(part) for block in blocks], fit.of(part), begin, begin.moved)
        spreads.append(linear.inverse + linear.gain @ covariance @ linear.gain.transpose(1, 2))
    return replace(fit, covariance=torch.cat(spreads))


def _cost(law: CellLaw, blocks: list[CellBlock], fit: CellFit, begin: Begin, moved: Tensor, noise_V: float) -> float:
    shared = begin.shared.moved(moved)
    predicted = torch.cat([respond(law, block, shared, fit.value, 0)[0].flatten(1) for block in blocks], 1)
    measured, usable = (stacked(blocks, name) for name in ("volts", "usable"))
    noise = torch.cat([block.noise(noise_V).flatten(1) for block in blocks], 1)
    readings = (usable * (measured - predicted) ** 2 / noise).sum()
    weak = ((fit.value / begin.prior.width) ** 2).sum()
    return float(readings + weak + moved @ begin.stiff_precision @ moved)


def _linearise(law: CellLaw, blocks: list[CellBlock], fit: CellFit, begin: Begin, moved: Tensor) -> _Linear:
    value, shared, prior = fit.value, begin.shared.moved(moved), begin.prior
    precision = begin.stiff_precision
    sums = _Normal(len(value), shared.size)
    for block in blocks:
        volts, partials = respond(law, block, shared, value, ALL_COLUMNS)
        residual = torch.where(block.usable, block.volts - volts, torch.zeros_like(volts)).flatten(1)
        weight = (block.usable / block.noise(fit.noise_V)).flatten(1)
        own = partials[..., :3].flatten(1, 2) @ partials_to_parameters(law, block)
        sums.add(own, *_shared_partials(block, shared, partials[..., 3:]), weight, residual)
    inverse = with_prior(sums.own, prior.width)
    own_slope = sums.own_slope - value / prior.width**2
    gain = inverse @ sums.between
    flat_gain, flat_between = gain.flatten(0, 1), sums.between.flatten(0, 1)
    reduced = sums.shared.reshape(shared.size, shared.size) + precision - flat_between.T @ flat_gain
    slope = sums.shared_slope - precision @ moved - flat_gain.T @ own_slope.flatten()
    return _Linear(inverse, gain, torch.linalg.inv(reduced), slope)


def _shared_partials(block: CellBlock, shared: Shared, partials: Tensor) -> tuple[Tensor, Tensor]:
    """Partials `[cell, reading, 12]` to the unknowns that a block touches, and which they are `[cell, 12]`."""
    count, cells = len(shared.log_capacitance), len(block.source)
    columns, places = [], []
    for i, node in enumerate((block.source, block.destination)):
        log_c, preset, leak, rate = partials[..., 4 * i : 4 * i + 4].unbind(-1)
        columns += [log_c, preset * block.preset_V[:, :, i, None], preset, 1e-3 * leak, 1e-3 * rate]
        places += [number * count + node for number in range(NODE_UNKNOWNS)]
    columns += [partials[..., 8] / (2 * shared.knee_V), partials[..., 9]]
    places += [torch.full((cells,), shared.size - 2), torch.full((cells,), shared.size - 1)]
    return torch.stack(columns, -1).flatten(1, 2), torch.stack(places, 1)
