"""Cells for edges, on crossbars and on listed routes."""

import numpy as np
import pytest
import torch

from jackfield.board import BoardSpec
from jackfield.compile import Placement, place
from jackfield.errors import DesignError
from jackfield.physics import Circuit, EdgeSet, Slice


def circuit(*slices: list[tuple[int, int]], nodes: int = 16) -> Circuit:
    def part(pairs: list[tuple[int, int]]) -> Slice:
        source, destination = (torch.tensor(ends, dtype=torch.int64) for ends in zip(*pairs, strict=True))
        zero = torch.zeros(len(pairs))
        return Slice(1.0, (EdgeSet("shifted_relu", source, destination, {"gain": zero, "threshold": zero}),))

    return Circuit(nodes, tuple(part(pairs) for pairs in slices), torch.ones(nodes), torch.zeros(nodes))


def check(placement: Placement, spec: BoardSpec) -> None:
    for part, cells in zip(placement.slices, placement.cells, strict=True):
        assert len(set(cells.tolist())) == part.count
        for cell, s, d in zip(cells, part.source, part.destination, strict=True):
            group = spec.group_of(int(cell))
            assert group.reach.allows(int(cell) - group.first, int(s), int(d))


def test_a_crossbar_takes_cells_in_order_and_keeps_them_between_slices(jf96: BoardSpec) -> None:
    placement = place(circuit([(1, 2), (2, 3), (1, 2)], [(1, 2), (4, 5), (1, 2), (2, 3)]), jf96, avoid=[1])
    assert placement.cells[0].tolist() == [0, 4, 2]
    assert placement.cells[1].tolist() == [0, 3, 2, 4]
    assert placement.used.tolist() == [0, 2, 3, 4]


def test_avoiding_a_cell_moves_no_other_edge(jf96: BoardSpec) -> None:
    pairs = [(1 + n % 90, 2 + n % 90) for n in range(6000)]
    free, avoiding = (place(circuit(pairs, pairs, nodes=96), jf96, avoid) for avoid in ((), (17, 4000)))
    assert np.flatnonzero(free.cells[0] != avoiding.cells[0]).tolist() == [17, 4000]
    assert not np.isin([17, 4000], avoiding.used).any()


def test_a_crossbar_with_few_spares_still_takes_what_is_left(jf96: BoardSpec) -> None:
    placement = place(circuit([(1, 2)] * 100, [(3, 4)] * 100, nodes=4), jf96, avoid=range(100, 8192))
    assert placement.used.tolist() == list(range(100))


def test_a_full_crossbar_reuses_the_cells_of_other_slices(jf96: BoardSpec) -> None:
    first = [(1, 2)] * 5000
    second = [(3, 4)] * 5000
    placement = place(circuit(first, second, nodes=4), jf96)
    distinct = [len(np.unique(cells)) for cells in placement.cells]
    assert distinct == [5000, 5000]
    assert len(placement.used) == jf96.cell_count


def test_a_full_listed_board_is_matched(jf16: BoardSpec) -> None:
    reach = jf16.groups[0].reach
    rng = np.random.default_rng(4)
    pairs = []
    for cell in rng.permutation(jf16.cell_count):
        ends = [(s, d) for s in reach.sources(int(cell)) for d in reach.destinations(int(cell)) if s != d]
        pairs.append(ends[int(rng.integers(len(ends)))])
    placement = place(circuit(pairs, pairs[:40]), jf16)
    check(placement, jf16)
    assert np.array_equal(placement.cells[0][:40], placement.cells[1])
    assert len(placement.used) == 48


def test_avoided_cells_are_not_used(jf16: BoardSpec) -> None:
    reach = jf16.groups[0].reach
    pairs = [(reach.sources(cell)[0], reach.destinations(cell)[1]) for cell in range(6)]
    pairs = [(s, d) for s, d in pairs if s != d]
    free = place(circuit(pairs), jf16)
    avoid = [int(free.cells[0][0])]
    again = place(circuit(pairs), jf16, avoid)
    check(again, jf16)
    assert avoid[0] not in again.used


def test_an_edge_without_a_cell_is_named(jf16: BoardSpec) -> None:
    reach = jf16.groups[0].reach
    able = [cell for cell in range(48) if reach.allows(cell, 1, 5)]
    with pytest.raises(DesignError, match=r"edge 0 \(n1->n5\) of slice 0 .*no usable cell reaches both ends"):
        place(circuit([(1, 5)]), jf16, avoid=able)
    with pytest.raises(DesignError, match=rf"edge \d+ \(n1->n5\) .* A{able[0] + 1}.* 48 are usable"):
        place(circuit([(1, 5)] * (len(able) + 1)), jf16)


def test_too_many_edges_give_both_numbers(jf16: BoardSpec) -> None:
    with pytest.raises(DesignError, match="a slice needs 49 shifted_relu cells, board jf16 has 47 usable ones"):
        place(circuit([(1, 5)] * 49), jf16, avoid=[3])
