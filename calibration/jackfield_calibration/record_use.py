"""Whether a record may be used on the board at hand: whose it is, how old, at what temperature it was made."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from jackfield.board import BoardSpec
from jackfield.errors import CalibrationError
from jackfield_calibration.fingerprint import MATCH, Fingerprint, read_fingerprint
from jackfield_calibration.routine import Bench

__all__ = ["VALID_DAYS", "VALID_K", "BoardNow", "check_fingerprint", "check_record"]

VALID_DAYS, VALID_K = 30.0, 10.0
"""How old a record may be, and how far from its temperature it may be used, unless it says otherwise itself
(`valid_days`, `valid_K` in its record.toml)."""


@dataclass(frozen=True)
class BoardNow:
    """The board at hand: its id, spec digest and temperature (None where it cannot tell), and the time (UTC)."""

    board_id: str
    spec_digest: str
    temperature_C: float | None
    time: datetime


def check_record(provenance: Mapping[str, Any], board: BoardNow, *, other_board: bool = False) -> None:
    """Raise CalibrationError where the record of `provenance` must not be used on `board`.

    That is: made for another spec; of another board (unless `other_board`); too old; at another temperature.
    """
    if provenance["spec_digest"] != board.spec_digest:
        raise CalibrationError(
            f"the record was made for spec {provenance['spec_digest'][:12]}, the board follows spec "
            f"{board.spec_digest[:12]}; what a code means has changed: calibrate the board again"
        )
    if provenance["board_id"] != board.board_id and not other_board:
        raise CalibrationError(
            f"the record is that of board {provenance['board_id']}, board {board.board_id} is connected; "
            f"calibrate {board.board_id} and compile with its record, or use --other-board"
        )
    _check_age(provenance, board.time)
    _check_temperature(provenance, board.temperature_C)


def _check_age(provenance: Mapping[str, Any], now: datetime) -> None:
    made = provenance.get("started_utc")
    if made is None:
        return  # made by a program that gave no time
    try:
        then = datetime.fromisoformat(made)
    except (TypeError, ValueError) as error:
        raise CalibrationError(f"the record says {made!r} of when it was made, which is no time") from error
    limit = float(provenance.get("valid_days", VALID_DAYS))
    days = (now - then.astimezone(UTC)).total_seconds() / 86400
    if days > limit:
        raise CalibrationError(
            f"the record is {days:.1f} days old and holds for {limit:g}; bring it up to date with "
            "`jackfield calibrate --update RECORD`, which measures again only what has moved"
        )


def _check_temperature(provenance: Mapping[str, Any], now_C: float | None) -> None:
    then_C = provenance.get("temperature_C")
    if now_C is None or not isinstance(then_C, int | float):
        return  # one of them is not known
    limit = float(provenance.get("valid_K", VALID_K))
    if abs(now_C - then_C) > limit:
        raise CalibrationError(
            f"the record was made at {then_C:.1f} C and holds within {limit:g} K, the board is at {now_C:.1f} C; wait "
            "until it is back, or bring the record up to date with `jackfield calibrate --update RECORD`"
        )


def check_fingerprint(provenance: Mapping[str, Any], bench: Bench, spec: BoardSpec) -> tuple[float, int]:
    """Read the fingerprint of the board on `bench` and compare: likeness and reads taken, at most 64.

    Raises CalibrationError where it is not the board of the record, or the record has none.
    """
    kept = Fingerprint.from_provenance(provenance)
    found = read_fingerprint(bench, spec)
    alike = kept.likeness(found)
    if not alike > MATCH:
        raise CalibrationError(
            f"the record's fingerprint and the board's correlate by {alike:.2f}, boards are the same above {MATCH:g}: "
            "another board answers under the id of the record's, or its cells were changed; calibrate it again, or "
            "use --other-board"
        )
    return alike, len(found.cells)
