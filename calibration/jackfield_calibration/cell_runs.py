"""Cell runs as arrays: one block is one setting of every wanted cell, each alone between two nodes."""

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["CellBlock"]


_SETTINGS = ("source", "destination", "gain_S", "threshold_V", "preset_V")
_READ = ("volts", "variance", "usable", "copies")


@dataclass(frozen=True)
class CellBlock:
    """Settings and readings of one step, cells in the order of the calibration's list.

    `source`, `destination` int64 `[cell]` node indices from 0; `gain_S`, `threshold_V` nominal `[cell]`;
    `preset_V[cell, input, end]` nominal; `volts`, `variance` (within the slot), `usable` and `copies` (so many reads
    are averaged) of the same shape, end 0 is the source. `run_s` is the length of the run, integrated in `steps` steps.
    """

    source: Tensor
    destination: Tensor
    gain_S: Tensor
    threshold_V: Tensor
    preset_V: Tensor
    volts: Tensor
    variance: Tensor
    usable: Tensor
    copies: Tensor
    run_s: float
    steps: int

    def of(self, rows: Tensor | slice) -> "CellBlock":
        """The block of some cells only."""
        fields = {name: getattr(self, name)[rows] for name in (*_SETTINGS, *_READ)}
        return CellBlock(**fields, run_s=self.run_s, steps=self.steps)

    def among(self, rows: Tensor, cells: int) -> "CellBlock":
        """This block, of the cells `rows` alone, as one of `cells` cells; the others have no usable reading in it."""
        fields = {}
        for name in (*_SETTINGS, *_READ):
            part = getattr(self, name)
            filling = torch.ones if name in ("variance", "copies") else torch.zeros
            fields[name] = filling((cells, *part.shape[1:]), dtype=part.dtype)
            fields[name][rows] = part
        return CellBlock(**fields, run_s=self.run_s, steps=self.steps)

    def turned(self) -> "CellBlock":
        """The same runs with the ends exchanged: what a cell with swapped ends would have been set to."""
        return CellBlock(
            self.destination,
            self.source,
            self.gain_S,
            self.threshold_V,
            self.preset_V.flip(2),
            self.volts.flip(2),
            self.variance.flip(2),
            self.usable.flip(2),
            self.copies.flip(2),
            self.run_s,
            self.steps,
        )

    @property
    def reads(self) -> Tensor:
        """Usable readings, `[cell]`."""
        return (self.usable * self.copies).flatten(1).sum(1).long()

    def noise(self, noise_V: float) -> Tensor:
        """Variance of each reading where a single read has `noise_V` beyond its slot's, like `volts`."""
        return self.variance + noise_V**2 / self.copies


def stacked(blocks: list[CellBlock], name: str) -> Tensor:
    """One field of all blocks as `[cell, reading]`."""
    return torch.cat([getattr(block, name).flatten(1) for block in blocks], dim=1)
