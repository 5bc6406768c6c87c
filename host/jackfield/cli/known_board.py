"""Before a record is used on a board: is it this board's, is it still true."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from jackfield.bench import Bench
    from jackfield.cli.output import Output
    from jackfield.device import AbstractBoard

__all__ = ["OtherBoard", "check_bench", "check_provenance"]

OtherBoard = Annotated[bool, typer.Option("--other-board", help="Use the record although it is that of another board.")]


def check_provenance(provenance: Mapping[str, Any], board: "AbstractBoard", other_board: bool) -> None:
    """Raise CalibrationError where a record of this provenance must not be used on `board`, by what both say."""
    from jackfield_calibration import BoardNow, check_record

    now = BoardNow(board.hello.board_id, board.spec.digest, board.status().temperature_C, datetime.now(UTC))
    check_record(provenance, now, other_board=other_board)


def check_bench(
    provenance: Mapping[str, Any], bench: "Bench[AbstractBoard]", other_board: bool, output: "Output"
) -> None:
    """As `check_provenance`, then by the board's fingerprint: at most 64 reads, none with `other_board`."""
    from jackfield_calibration import check_fingerprint

    check_provenance(provenance, bench.board, other_board)
    if other_board:
        return
    alike, reads = check_fingerprint(provenance, bench, bench.spec)
    output.say(f"board {provenance['board_id']} recognised by {reads} reads: likeness {alike:.3f}")
