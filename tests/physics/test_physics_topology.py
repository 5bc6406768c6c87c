"""Edge counts of the published code, and what a few small topologies contain."""

import pytest
import torch

from jackfield.errors import DesignError
from jackfield.physics import Topology, fully_connected, mixed, neighbour


@pytest.mark.parametrize(
    ("topology", "nodes", "edges"),
    [
        (fully_connected(64, (1, 0)), 64, 4_160),
        (mixed(1, 28, 28, 4, 50, (1, 1)), 834, 230_068),
        (mixed(1, 28, 28, 3, 10, (1, 0)), 794, 57_306),
        (mixed(4, 32, 32, 3, 0, (1, 0)), 4_096, 1_138_096),
        (mixed(1, 8, 8, 3, 32, (1, 1)), 96, 6_880),
        (neighbour(1, 28, 28, 4), 784, 150_000),
    ],
    ids=["fully", "mnist", "mnist-3", "colour", "digits", "neighbour"],
)
def test_counts_are_the_published_ones(topology: Topology, nodes: int, edges: int) -> None:
    assert (topology.nodes, len(topology)) == (nodes, edges)
    ends = torch.stack([topology.source, topology.destination])
    assert int(ends.min()) >= 0
    assert int(ends.max()) == nodes
    assert not bool((topology.source == topology.destination).any())


def pairs(topology: Topology) -> list[tuple[int, int]]:
    return sorted(zip(topology.source.tolist(), topology.destination.tolist(), strict=True))


def test_fully_connected_is_every_ordered_pair_with_ground() -> None:
    assert pairs(fully_connected(2, (1, 0))) == [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)]
    assert pairs(fully_connected(1, (2, 1))) == [(0, 1)] * 3 + [(1, 0)] * 3


def test_neighbour_counts_a_pair_once_for_each_window() -> None:
    near = pairs(neighbour(1, 3, 2, 2))  # 1 2 3 / 4 5 6: nodes 2 and 5 share both windows
    assert near.count((2, 5)) == near.count((5, 2)) == 2
    assert near.count((1, 5)) == 1
    assert (1, 3) not in near


def test_mixed_joins_grid_and_extra_nodes_to_ground_but_extras_not_to_each_other() -> None:
    found = pairs(mixed(1, 1, 1, 1, 2, (2, 1)))  # grid node 1, extra nodes 2 and 3
    assert found == sorted([(1, 0), (2, 0), (3, 0), (2, 1), (3, 1)] * 2 + [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3)])


def by_loops(channels: int, width: int, height: int, window: int) -> list[tuple[int, int]]:
    """Window by window along the rows; in a window channel by channel, row by row."""
    found = []
    for top in range(height - window + 1):
        for left in range(width - window + 1):
            members = [
                1 + (channel * height + row) * width + column
                for channel in range(channels)
                for row in range(top, top + window)
                for column in range(left, left + window)
            ]
            found += [(a, b) for a in members for b in members if a != b]
    return found


@pytest.mark.parametrize("sizes", [(1, 5, 4, 3), (3, 3, 4, 2), (2, 2, 2, 1)])
def test_order_of_edges(sizes: tuple[int, int, int, int]) -> None:
    channels, width, height, _ = sizes
    grid = channels * width * height
    near = by_loops(*sizes)
    made = mixed(*sizes, 2, (1, 2))
    ends = list(zip(made.source.tolist(), made.destination.tolist(), strict=True))
    assert ends[: len(near)] == near
    to_ground = [(node, 0) for node in range(1, grid + 1)]
    far = [(extra, node) for extra in (grid + 1, grid + 2) for node in range(grid + 1)]
    back = [[(b, a) for a, b in pairs] for pairs in (to_ground, far)]
    assert ends[len(near) :] == to_ground + back[0] * 2 + far + back[1] * 2


def test_a_window_wider_than_the_grid_is_an_error() -> None:
    with pytest.raises(DesignError, match="window of 4 does not fit a grid of 3 x 8"):
        neighbour(1, 3, 8, 4)
