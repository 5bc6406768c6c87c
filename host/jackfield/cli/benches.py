"""Benches as verbs open them: a run folder where the exchange is logged."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from jackfield.cli.files import existing

if TYPE_CHECKING:
    from jackfield.bench import Bench
    from jackfield.compile import CompiledPasses
    from jackfield.device import AbstractBoard

__all__ = ["board_name", "load_for", "opened_bench"]


BENCH = "a bench file, or --bench 'emulator://jf96?profile=cmos&seed=7'"


def board_name(where: str) -> str:
    """What a run folder is named after before the board has said its id: the bench file's id, else the spec's name."""
    from jackfield.bench import parse_bench
    from jackfield.session import EmulatorUrl

    if where.startswith("emulator://"):
        return Path(EmulatorUrl.parse(where).spec).stem
    entry = parse_bench(existing(Path(where), BENCH).read_text(encoding="utf-8")).board
    return entry.board_id or Path(entry.spec).stem


@contextmanager
def opened_bench(where: str, verb: str, runs: Path, log_exchange: bool) -> Iterator["Bench[AbstractBoard]"]:
    """The bench at `where`, left safe with the block; with `log_exchange` a run folder holds every line."""
    from jackfield.journal import Run
    from jackfield.session import open_bench

    if not where.startswith("emulator://"):
        existing(Path(where), BENCH)
    if not log_exchange:
        with open_bench(where) as bench:
            yield bench
        return
    with Run.create(runs, verb, board_name(where)) as run, open_bench(where, log_folder=run.folder) as bench:
        yield bench


def load_for(image: Path, board: "AbstractBoard", other_board: bool = False) -> "CompiledPasses":
    """What an image file holds, for this very board.

    Raises DesignError where it is for boards of another kind, CalibrationError where its codes were corrected
    by a record that must not be used on this one.
    """
    from jackfield.compile import CompiledPasses

    compiled = CompiledPasses.load(image, board.spec)
    if compiled.record_id:
        from jackfield.cli.known_board import check_provenance

        check_provenance(compiled.record, board, other_board)
    return compiled
