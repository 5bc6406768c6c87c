"""LUCIDAC against an independent peer: lucipy's emulator computes, scipy says what must come out."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jackfield.device import AbstractBoard
from jackfield.session import open_board
from jackfield.testing.echoing_port import echoing_port

FULL_SCALES = 1e-3


@pytest.fixture(scope="module")
def cases() -> Any:
    folder = str(Path(__file__).parents[2] / "hil_scripts")
    sys.path.insert(0, folder)
    try:
        from benchmarks import _lucidac_peer
    finally:
        sys.path.remove(folder)
    return _lucidac_peer


@pytest.fixture(scope="module")
def port(cases: Any) -> Iterator[int]:
    with cases.peer() as port:
        yield port


@pytest.fixture
def board(port: int) -> Iterator[AbstractBoard]:
    with open_board(f"socket://127.0.0.1:{port}", "lucidac-2024") as board:
        yield board


@pytest.mark.parametrize("name", ["ring", "quadratic", "cubic_chain"])
def test_known_circuits_agree_with_scipy(cases: Any, board: AbstractBoard, name: str) -> None:
    assert cases.worst_error(getattr(cases, name)(), lambda case: cases.on_board(case, board)) < FULL_SCALES


def test_random_circuits_agree_with_scipy(cases: Any, board: AbstractBoard) -> None:
    for seed in range(20):
        case = cases.random_case(seed)
        case = replace(case, start=case.start[:1])
        assert cases.worst_error(case, lambda case: cases.on_board(case, board)) < FULL_SCALES, case


def test_through_a_port_with_echo(cases: Any, port: int) -> None:
    with echoing_port("127.0.0.1", port) as url, open_board(url, "lucidac-2024") as board:
        case = cases.cubic_chain()
        assert cases.worst_error(case, lambda case: cases.on_board(case, board)) < FULL_SCALES
        turned = replace(case, edges=tuple((s, d, g1, g2, -g3) for s, d, g1, g2, g3 in case.edges))
        wrong = cases.worst_error(case, lambda case: cases.on_board(turned, board))
        assert wrong > 10 * FULL_SCALES  # a wrong sign is seen
