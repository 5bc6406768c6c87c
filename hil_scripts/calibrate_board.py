"""Calibrates the board of a bench: `python hil_scripts/calibrate_board.py BENCH NAME.record [LEVEL]`.

LEVEL is cells (all of them) or nodes. The run folder under ./runs keeps every reading.
"""

import sys
from pathlib import Path

from jackfield.journal import Run, save_record
from jackfield.session import open_bench
from jackfield_calibration import calibrate


def main(bench: str, record: str, level: str = "cells") -> None:
    """Calibrate and save."""
    with open_bench(bench) as opened:
        name = opened.board.hello.board_id
        with Run.create(Path("runs"), "calibrate", name) as run:
            found = calibrate(opened, opened.spec, run, seed=0, level=level, provenance={"board_id": name})
    save_record(found, Path(record))


if __name__ == "__main__":
    main(*sys.argv[1:])
