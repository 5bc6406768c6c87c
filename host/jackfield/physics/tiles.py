"""Samples laid side by side in tiles, and tiles dealt to threads; decided by the shapes alone.

What the kernel sees is [group, row, node]: a group shares its parameters, a row is a sample. Without boards there
is one group. Boards with several samples each are groups; boards with a single sample are the rows of one group
whose parameters are `spread`, one for each row.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
_LANE_BYTES = 64  # a tile's width is a multiple of what the edge loops take at a time
_TILE_BYTES = 256  # 64 samples of float32: wide enough to spread the cost of an edge, narrow enough for the cache
_AT_LEAST = 2  # tiles, so that two threads have work


@dataclass(frozen=True)
class Tiling:
    """`tiles` of `width` rows for each of `groups`; `rows` are used, the rest repeats the last one."""

    groups: int
    rows: int
    nodes: int
    width: int
    tiles: int

    @classmethod
    def of(cls, groups: int, rows: int, nodes: int, itemsize: int) -> "Tiling":
        """The tiling of an array [group, row, node] of numbers of `itemsize` bytes."""
        lanes, most = _LANE_BYTES // itemsize, _TILE_BYTES // itemsize
        least = _AT_LEAST if rows > lanes and groups == 1 else 1
        tiles = least * -(-rows // (least * most))
        width = max(1, -(-rows // (max(tiles, 1) * lanes))) * lanes
        return cls(groups, rows, nodes, width, -(-rows // width))

    @property
    def size(self) -> int:
        """Numbers in a tile."""
        return (1 + self.nodes) * self.width

    def split(self, values: Array, spare: float = 1.0) -> Array:
        """[..., group, row, node] as [..., group, tile, size], with zeros for ground.

        Unused rows hold the last row times `spare`: 1 for what must stay finite, 0 for cotangents.
        """
        lead = values.shape[:-3]
        unused = self.tiles * self.width - self.rows
        if unused:
            values = np.concatenate([values, np.repeat(spare * values[..., -1:, :], unused, axis=-2)], axis=-2)
        out = np.zeros((*lead, self.groups, self.tiles, 1 + self.nodes, self.width), values.dtype)
        tiled = values.reshape(*lead, self.groups, self.tiles, self.width, self.nodes)
        out[..., 1:, :] = np.swapaxes(tiled, -1, -2)
        return out.reshape(*lead, self.groups, self.tiles, self.size)

    def join(self, tiles: Array) -> Array:
        """Reverses `split`."""
        lead = tiles.shape[:-3]
        apart = tiles.reshape(*lead, self.groups, self.tiles, 1 + self.nodes, self.width)[..., 1:, :]
        rows = np.swapaxes(apart, -1, -2).reshape(*lead, self.groups, self.tiles * self.width, self.nodes)
        return np.ascontiguousarray(rows[..., : self.rows, :])

    def split_table(self, table: Array) -> Array:
        """A spread table [row, edge, column] as [tile, edge, column, width]."""
        spare = self.tiles * self.width - self.rows
        padded = np.concatenate([table, np.repeat(table[-1:], spare, axis=0)])
        return np.ascontiguousarray(np.moveaxis(padded.reshape(self.tiles, self.width, *table.shape[1:]), 1, -1))

    def join_table(self, tiles: Array) -> Array:
        """Reverses `split_table`."""
        rows = np.moveaxis(tiles, -1, 1).reshape(self.tiles * self.width, *tiles.shape[1:3])
        return np.ascontiguousarray(rows[: self.rows])
