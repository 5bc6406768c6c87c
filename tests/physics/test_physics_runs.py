"""The walking order holds every edge once, parallel edges together."""

import numpy as np
import pytest
import torch

from jackfield.physics import fully_connected, mixed
from jackfield.physics.runs import runs_of


def walked(source: torch.Tensor, destination: torch.Tensor) -> list[tuple[int, int, int]]:
    """Edges (number, s, d) as the rows say they are walked."""
    runs, found = runs_of(source, destination), []
    for a, first, last, edge, forth, back in runs.rows.tolist():
        for pair in range(first, last):
            b, both = int(runs.other[pair]), min(forth, back)
            turns = [False, True] * both + [False] * (forth - both) + [True] * (back - both)
            for turned in turns:
                found.append((int(runs.order[edge]), *((b, a) if turned else (a, b))))
                edge += 1
    return found


@pytest.mark.parametrize("seed", range(4))
def test_every_edge_is_walked_once_between_its_own_ends(seed: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    count = int(torch.randint(0, 60, (), generator=draw))
    source = torch.randint(0, 6, (count,), generator=draw)
    destination = (source + torch.randint(1, 6, (count,), generator=draw)) % 6
    found = walked(source, destination)
    assert sorted(edge for edge, _, _ in found) == list(range(count))
    assert all((int(source[e]), int(destination[e])) == (s, d) for e, s, d in found)
    runs = runs_of(source, destination)
    assert np.array_equal(runs.order[runs.place], np.arange(count))


def test_a_pair_is_visited_once_and_runs_are_long() -> None:
    for topology, pairs, most in (
        (fully_connected(64, (1, 0)), 2080, 64),
        (mixed(1, 28, 28, 3, 10, (1, 0)), 17220, 4365),
    ):
        runs = runs_of(topology.source, topology.destination)
        assert len(runs.other) == pairs
        assert len(runs.rows) <= most


def test_a_topology_is_sorted_once_and_again_when_it_changes() -> None:
    source, destination = torch.tensor([1, 2]), torch.tensor([2, 1])
    first = runs_of(source, destination)
    assert runs_of(source, destination) is first
    source[0] = 0
    assert runs_of(source, destination) is not first
    assert sorted(walked(source, destination)) == [(0, 0, 2), (1, 2, 1)]
