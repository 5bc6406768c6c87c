"""The table of host/GRADIENTS.md is what the benchmark measures."""

import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def networks() -> Any:
    folder = str(ROOT / "hil_scripts")
    sys.path.insert(0, folder)
    try:
        from benchmarks import _gradients_networks
    finally:
        sys.path.remove(folder)
    return _gradients_networks


def test_the_table_is_what_is_measured(networks: Any) -> None:
    rows = networks.rows()
    assert all(row["holds"] for row in rows)
    page = (ROOT / "host" / "GRADIENTS.md").read_text().splitlines()
    assert [line for line in networks.table(rows) if line not in page] == []
