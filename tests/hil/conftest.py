"""Tests on a bench: `pytest tests/hil --bench bench.toml`, or on an ideal emulated board without the option."""

from collections.abc import Iterator

import pytest

from jackfield.bench import Bench
from jackfield.device import AbstractBoard
from jackfield.session import open_bench

EMULATOR = "emulator://jf16?profile=ideal&seed=1"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--bench", default=EMULATOR, help="bench.toml of a real bench, or an emulator:// URL")


@pytest.fixture(scope="session")
def bench_name(request: pytest.FixtureRequest) -> str:
    """What `--bench` names; the option is unknown where tests/hil is collected as part of tests/."""
    return str(request.config.getoption("--bench", EMULATOR))


@pytest.fixture(scope="session")
def bench(bench_name: str) -> Iterator[Bench[AbstractBoard]]:
    """One bench for all tests; each leaves the board as it likes, the session leaves it safe."""
    with open_bench(bench_name) as opened:
        yield opened


@pytest.fixture(scope="session")
def ideal(bench_name: str) -> bool:
    """Whether the board follows its spec exactly, so that physics alone predicts it."""
    return "profile=ideal" in bench_name
