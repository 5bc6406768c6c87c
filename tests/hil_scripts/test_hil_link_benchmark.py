"""The rows of the link, on small workloads."""

import sys
from pathlib import Path
from typing import Any

import pytest

from jackfield.testing.firmware import missing_tools


@pytest.fixture(scope="module")
def link() -> Any:
    folder = str(Path(__file__).parents[2] / "hil_scripts")
    sys.path.insert(0, folder)
    try:
        from benchmarks import link
    finally:
        sys.path.remove(folder)
    return link


def test_faults_never_leave_half_an_image(link: Any) -> None:
    for row in (link.cable_uploads(900), link.pty_uploads(100)):
        assert row["holds"], row
        assert "verified" in row["workload"]


def test_the_line_is_kept_full(link: Any) -> None:
    for baud in link.BAUDS:
        row = link._efficiency(baud)
        assert row["holds"], row
        assert row["ratio"] > 1
    assert [row for row in link._jf96_rows() if not row["holds"]] == []


def test_little_travels_twice(link: Any) -> None:
    assert link._sent_twice(5)["holds"]


@pytest.mark.skipif(bool(missing_tools("gcc")), reason="gcc is not installed")
def test_the_firmware_survives(link: Any) -> None:
    cuts, garbage = link._firmware_rows(20, 1)
    assert cuts["holds"], cuts
    assert garbage["holds"], garbage
