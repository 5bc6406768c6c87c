"""One bank of a known board as a function of its codes: node currents, and what one step of a code adds to them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from jackfield.board import BoardSpec, CellGroup, CodeScale
from jackfield.compile.board_circuit import imperfection
from jackfield.compile.knobs import Knobs
from jackfield.compile.known import Floats, Integers, KnownBoard
from jackfield.compile.lower import LoweredSlice
from jackfield.physics import LAWS, Imperfection

__all__ = ["BankModel"]

Floats32 = NDArray[np.float32]


@dataclass(frozen=True)
class _Block:
    """Consecutive knobs: parameter `name` of the edges `rows`, all in cells of `group`."""

    group: CellGroup
    name: str
    rows: Integers
    knobs: slice

    @property
    def scale(self) -> CodeScale:
        """The DAC."""
        return self.group.parameters[self.name]


@dataclass(frozen=True)
class BankModel:
    """The edges of `part` in `cells` of the board `known`, whose trims flow `trim_stretch` times as long.

    Knobs are the codes of one parameter of one group after the other, then one trim a node.
    """

    part: LoweredSlice
    cells: Integers
    spec: BoardSpec
    known: KnownBoard
    trim_stretch: float

    def knobs(self, parameters: dict[str, Floats], trims: Floats) -> Knobs:
        """Codes nearest to `parameters[name][edge]` and `trims[node]`, SI values, brought into range."""
        pieces = [
            (block.scale, self.known.to_nominal(block.name, self.cells[block.rows], parameters[block.name][block.rows]))
            for block in self._blocks()
        ]
        pieces.append((self.spec.nodes.trim, trims / self.known.trim_gain))
        nominal = [scale.clip(values) for scale, values in pieces]
        zero = [scale.middle - scale.value(scale.middle) / scale.lsb for scale, _ in pieces]
        centre = [values / scale.lsb + shift for values, (scale, _), shift in zip(nominal, pieces, zero, strict=True)]
        limits = [np.tile(scale.code_range, (len(values), 1)) for scale, values in pieces]
        low, high = np.concatenate(limits).T
        return Knobs(
            codes=np.concatenate([scale.code(values) for values, (scale, _) in zip(nominal, pieces, strict=True)]),
            low=low,
            high=high,
            centre=np.concatenate(centre),
            **self._ends(),
        )

    def _ends(self) -> dict[str, Integers]:
        rows = np.concatenate([block.rows for block in self._blocks()])
        nodes = np.arange(1, self.spec.nodes.count + 1)
        return {
            "source": np.concatenate([self.part.source[rows], np.zeros_like(nodes)]),
            "destination": np.concatenate([self.part.destination[rows], nodes]),
        }

    def values(self, knobs: Knobs) -> tuple[dict[str, Floats], Floats]:
        """SI values `parameters[name][edge]` and `trims[node]` that the codes give."""
        parameters = {name: np.full(self.part.count, np.nan) for name in self.spec.parameter_names}
        for block in self._blocks():
            parameters[block.name][block.rows] = self._actual(block, knobs)
        trims = self.spec.nodes.trim.value(knobs.codes[-self.spec.nodes.count :]) * self.known.trim_gain
        return parameters, trims

    def currents(self, knobs: Knobs, v: Floats) -> tuple[Floats, Floats32]:
        """Current `[node, state]` into each node at voltages `v[node, state]`, and `effect[knob, state]`: the
        current that one more step of each code drives along its edge (a trim: into its node)."""
        grounded = torch.from_numpy(np.concatenate([np.zeros((1, v.shape[1])), v]).astype(np.float32))
        total = torch.zeros(grounded.shape, dtype=torch.float64)
        effect = np.empty((len(knobs.codes), v.shape[1]), dtype=np.float32)
        for blocks in self._by_group():
            i, steps = self._group_currents(blocks, knobs, grounded)
            rows = blocks[0].rows
            total.index_add_(0, torch.from_numpy(self.part.destination[rows]), i.double())
            total.index_add_(0, torch.from_numpy(self.part.source[rows]), -i.double())
            for block, step in zip(blocks, steps, strict=True):
                effect[block.knobs] = step
        nodes = self.spec.nodes
        effect[-nodes.count :] = (self.trim_stretch * nodes.trim.lsb * self.known.trim_gain)[:, None]
        trims = nodes.trim.value(knobs.codes[-nodes.count :]) * self.known.trim_gain
        still = self.trim_stretch * (trims + self.known.node_offset_A)[:, None] - self.known.leak_S[:, None] * v
        return total[1:].numpy() + still, effect

    def _group_currents(self, blocks: list[_Block], knobs: Knobs, v: Tensor) -> tuple[Tensor, list[Floats32]]:
        group, rows = blocks[0].group, blocks[0].rows
        v_s, v_d = (v[torch.from_numpy(ends[rows])] for ends in (self.part.source, self.part.destination))
        parameters = {
            block.name: torch.from_numpy(self._actual(block, knobs)).float()[:, None].expand_as(v_s).requires_grad_()
            for block in blocks
        }
        flaws = imperfection(self.cells[rows], group.output_limit_A, self.known, torch.float32)
        flaws = Imperfection(flaws.knee, flaws.saturation, flaws.offset[:, None])
        i = LAWS[group.law].current(v_s, v_d, parameters, flaws)
        partials = torch.autograd.grad(i.sum(), list(parameters.values()))
        steps = []
        for block, partial in zip(blocks, partials, strict=True):
            nominal = block.scale.value(knobs.codes[block.knobs])
            lsb = block.scale.lsb * self.known.slope(block.name, self.cells[rows], nominal)
            steps.append(partial.numpy() * lsb.astype(np.float32)[:, None])
        return i.detach(), steps

    def _actual(self, block: _Block, knobs: Knobs) -> Floats:
        nominal = block.scale.value(knobs.codes[block.knobs])
        return self.known.to_actual(block.name, self.cells[block.rows], nominal)

    def _by_group(self) -> list[list[_Block]]:
        blocks = list(self._blocks())
        return [[b for b in blocks if b.group is group] for group in self.spec.groups if group.parameters]

    def _blocks(self) -> Iterator[_Block]:
        start = 0
        for group in self.spec.groups:
            here = (self.cells >= group.first) & (self.cells < group.first + group.count)
            rows = np.flatnonzero(here)
            for name in group.parameters:
                yield _Block(group, name, rows, slice(start, start + len(rows)))
                start += len(rows)
