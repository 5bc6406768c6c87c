"""A record is used on its own board, while it holds, and nowhere else."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from jackfield.board import BoardSpec
from jackfield.errors import CalibrationError
from jackfield_calibration import VALID_DAYS, VALID_K, BoardNow, check_fingerprint, check_record, read_fingerprint

MADE = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
BOARD = BoardNow("5A31-0007", "ab" * 32, 25.0, MADE + timedelta(days=1))
PROVENANCE = {
    "board_id": "5A31-0007",
    "spec_digest": "ab" * 32,
    "started_utc": "2026-03-04T05:06:07Z",
    "temperature_C": 24.0,
}


def test_the_own_board_may_use_it() -> None:
    check_record(PROVENANCE, BOARD)
    check_record(PROVENANCE, replace(BOARD, temperature_C=None))
    check_record(PROVENANCE | {"temperature_C": "unknown"}, replace(BOARD, temperature_C=90.0))


@pytest.mark.parametrize(
    ("board", "said"),
    [
        (replace(BOARD, board_id="0000-0001"), "--other-board"),
        (replace(BOARD, spec_digest="cd" * 32), "calibrate the board again"),
        (replace(BOARD, time=MADE + timedelta(days=VALID_DAYS + 0.1)), "days old"),
        (replace(BOARD, temperature_C=24.0 + VALID_K + 0.1), "at 34.1 C"),
        (replace(BOARD, temperature_C=24.0 - VALID_K - 0.1), "at 13.9 C"),
    ],
)
def test_what_no_longer_holds_is_refused(board: BoardNow, said: str) -> None:
    with pytest.raises(CalibrationError, match=said):
        check_record(PROVENANCE, board)


def test_only_the_board_can_be_overridden() -> None:
    other = replace(BOARD, board_id="0000-0001")
    check_record(PROVENANCE, other, other_board=True)
    with pytest.raises(CalibrationError, match="days old"):
        check_record(PROVENANCE, replace(other, time=MADE + timedelta(days=400)), other_board=True)
    with pytest.raises(CalibrationError, match="spec"):
        check_record(PROVENANCE, replace(other, spec_digest="cd" * 32), other_board=True)


def test_a_record_can_say_how_long_it_holds() -> None:
    with pytest.raises(CalibrationError, match="holds for"):
        check_record(PROVENANCE | {"valid_days": 0.5}, BOARD)
    check_record(PROVENANCE | {"valid_K": 30.0}, replace(BOARD, temperature_C=50.0))


@pytest.mark.parametrize("profile", ["modules", "rough"])
def test_the_fingerprint_knows_the_right_board_in_64_reads(
    make_bench: Callable[..., Any], small_spec: BoardSpec, profile: str
) -> None:
    boards = [make_bench(small_spec, profile, seed) for seed in range(4)]
    kept = [{"fingerprint": read_fingerprint(board, small_spec).to_provenance()} for board in boards]
    for board, own in zip(boards, kept, strict=True):
        alike, reads = check_fingerprint(own, board, small_spec)
        assert alike > 0.9
        assert reads <= 64
        for other in kept:
            if other is not own:
                with pytest.raises(CalibrationError, match="fingerprint"):
                    check_fingerprint(other, board, small_spec)


def test_boards_without_errors_cannot_be_told_apart(make_bench: Callable[..., Any], small_spec: BoardSpec) -> None:
    bench = make_bench(small_spec, "ideal", 1)
    own = {"fingerprint": read_fingerprint(bench, small_spec).to_provenance()}
    assert np.std(own["fingerprint"]["volts"]) < 1e-3
    assert check_fingerprint(own, bench, small_spec)[0] == 1.0


def test_a_record_without_a_fingerprint_is_refused(make_bench: Callable[..., Any], small_spec: BoardSpec) -> None:
    bench = make_bench(small_spec, "cmos", 1)
    with pytest.raises(CalibrationError, match="no fingerprint"):
        check_fingerprint(PROVENANCE, bench, small_spec)
