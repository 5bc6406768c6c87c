"""Groups: every wanted cell once, no node twice, few of them, reachable routes only."""

import numpy as np
import pytest

from jackfield.board import BoardSpec
from jackfield_boards import spec_folder
from jackfield_calibration.groups import form_groups


def check(spec: BoardSpec, cells: np.ndarray) -> int:
    groups = form_groups(spec, cells, np.random.default_rng(3))
    assert sorted(np.concatenate([group.cells for group in groups])) == sorted(cells)
    for group in groups:
        nodes = np.concatenate([group.source, group.destination])
        assert len(set(nodes.tolist())) == len(nodes)
        assert nodes.min() >= 1
        for cell, s, d in zip(group.cells, group.source, group.destination, strict=True):
            part = spec.group_of(int(cell))
            assert part.reach.allows(int(cell) - part.first, int(s), int(d))
    return len(groups)


def test_listed_reach(small_spec: BoardSpec) -> None:
    assert check(small_spec, np.arange(small_spec.cell_count)) <= 9


@pytest.mark.parametrize("count", [1, 47, 48, 49, 1000])
def test_a_crossbar_fills_its_nodes(count: int) -> None:
    spec = BoardSpec.from_toml((spec_folder() / "jf96.toml").read_text(encoding="utf-8"))
    cells = np.sort(np.random.default_rng(1).choice(spec.cell_count, count, replace=False))
    assert check(spec, cells) == -(-count // 48)
