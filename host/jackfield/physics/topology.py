"""Which nodes are joined: the topologies of KirchhoffNet, with the edge counts of its published code.

Gao, Sun, Rohrer, Boning: "KirchhoffNet: A Scalable Ultra Fast Analog Neural Network", arXiv 2310.15872.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from jackfield.errors import DesignError


@dataclass(frozen=True, eq=False)
class Topology:
    """`nodes` and the ends of each edge, int64 [edge] in 0..nodes (0 is ground)."""

    nodes: int
    source: Tensor
    destination: Tensor

    def __len__(self) -> int:
        return len(self.source)


def fully_connected(nodes: int, copies: tuple[int, int]) -> Topology:
    """For every ordered pair of distinct nodes of ground and 1..nodes: copies[0] edges along it and
    copies[1] against it; nodes (nodes + 1) (copies[0] + copies[1]) edges."""
    first, second = torch.meshgrid(torch.arange(nodes + 1), torch.arange(nodes + 1), indexing="ij")
    distinct = first != second
    return _both_ways(nodes, [(first[distinct], second[distinct], copies)])


def neighbour(channels: int, width: int, height: int, window: int) -> Topology:
    """All ordered pairs of distinct nodes inside each window x window patch of a grid.

    A pair counts once for each window that holds it. Node of channel c, row y, column x:
    1 + (c height + y) width + x.
    """
    if not 1 <= window <= min(width, height):
        raise DesignError(f"a window of {window} does not fit a grid of {width} x {height}")
    grid = 1 + torch.arange(channels * height * width).reshape(channels, height, width)
    patches = grid.unfold(1, window, 1).unfold(2, window, 1)  # channel, row, column, window, window
    members = patches.permute(1, 2, 0, 3, 4).reshape(-1, channels * window * window)
    first, second = torch.meshgrid(torch.arange(members.shape[1]), torch.arange(members.shape[1]), indexing="ij")
    distinct = first != second
    source, destination = members[:, first[distinct]], members[:, second[distinct]]
    return Topology(grid.numel(), source.flatten(), destination.flatten())


def mixed(channels: int, width: int, height: int, window: int, extra: int, copies: tuple[int, int]) -> Topology:
    """`neighbour` on a grid, and `extra` nodes after the grid's.

    Added are copies[0] edges from every grid node to ground and copies[1] back, and copies[0] edges from
    every extra node to every grid node and to ground and copies[1] back; none between extra nodes.
    """
    near = neighbour(channels, width, height, window)
    grid = torch.arange(1, near.nodes + 1)
    extras = torch.arange(near.nodes + 1, near.nodes + extra + 1)
    targets = torch.arange(near.nodes + 1)
    far = _both_ways(
        near.nodes + extra,
        [
            (grid, torch.zeros_like(grid), copies),
            (extras.repeat_interleave(len(targets)), targets.repeat(extra), copies),
        ],
    )
    return Topology(
        far.nodes,
        torch.cat([near.source, far.source]),
        torch.cat([near.destination, far.destination]),
    )


def _both_ways(nodes: int, groups: list[tuple[Tensor, Tensor, tuple[int, int]]]) -> Topology:
    source, destination = [], []
    for first, second, (along, against) in groups:
        source += [first] * along + [second] * against
        destination += [second] * along + [first] * against
    empty = torch.empty(0, dtype=torch.int64)
    return Topology(nodes, torch.cat([empty, *source]), torch.cat([empty, *destination]))
