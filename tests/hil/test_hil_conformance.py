"""The board of the bench keeps to the protocol; drives no output."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from jackfield.bench import BoardEntry, parse_bench
from jackfield.device import conformance
from jackfield.link import open_transport
from jackfield.session import load_spec, running_emulator


@pytest.fixture
def board(bench_name: str) -> Iterator[BoardEntry]:
    """The bench file's board; these tests come before those that open the whole bench."""
    if bench_name.startswith("emulator://"):
        with running_emulator(bench_name) as emulator:
            yield parse_bench(emulator.bench_toml).board
    else:
        yield parse_bench(Path(bench_name).read_text()).board


def test_every_check_of_the_suite(board: BoardEntry) -> None:
    with open_transport(board.url) as line:
        failed = [result for result in conformance(line, load_spec(board.spec)) if result.failed]
    assert not failed, "\n".join(f"{result.name}: {result.reason} {result.exchange}" for result in failed)
