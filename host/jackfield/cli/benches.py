"""Benches as verbs open them: an emulator where one is named, a run folder where the exchange is logged."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from jackfield.bench import Bench
    from jackfield.board import Measurement, RunProgram
    from jackfield.cli.output import Advance
    from jackfield.device import AbstractBoard

__all__ = ["bench_file", "board_name", "measure", "opened_bench"]


@contextmanager
def bench_file(where: str) -> Iterator[Path]:
    """The bench file at `where`; `emulator://...` starts a bench that lives as long as the block."""
    from jackfield.session import running_emulator

    if not where.startswith("emulator://"):
        yield Path(where)
        return
    with running_emulator(where) as announced:
        yield Path(str(announced["bench"]))


def board_name(path: Path) -> str:
    """The id of the board on a bench, or the name of its spec where the file leaves the board open."""
    from jackfield.bench import parse_bench
    from jackfield.errors import DesignError

    try:
        entry = parse_bench(path.read_text(encoding="utf-8")).board
    except FileNotFoundError as error:
        raise DesignError(
            f"{path} does not exist; name a bench file with --bench, or --bench 'emulator://jf96?profile=cmos&seed=7'"
        ) from error
    return entry.board_id or Path(entry.spec).stem


@contextmanager
def opened_bench(where: str, verb: str, runs: Path, log_exchange: bool) -> Iterator["Bench[AbstractBoard]"]:
    """The bench at `where`, left safe with the block; with `log_exchange` a run folder holds every line."""
    from jackfield.journal import Run
    from jackfield.session import open_bench

    with bench_file(where) as path:
        if not log_exchange:
            with open_bench(path) as bench:
                yield bench
            return
        with Run.create(runs, verb, board_name(path)) as run, open_bench(path, log_folder=run.folder) as bench:
            yield bench


def measure(
    bench: "Bench[AbstractBoard]", codes: "NDArray[np.int64]", program: "RunProgram", advance: "Advance"
) -> "Measurement":
    """`bench.measure`, one memory full of inputs after the other, so that `advance` hears of each."""
    import numpy as np

    from jackfield.board import Measurement

    parts = []
    for start in range(0, len(codes), bench.spec.run.inputs):
        parts.append(bench.measure(codes[start : start + bench.spec.run.inputs], program))
        advance(min(start + bench.spec.run.inputs, len(codes)), len(codes))
    names = ("values_V", "se_V", "clipped", "railed", "ground_V", "reference_V")
    arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    return Measurement(nodes=parts[0].nodes, clock_ratio=parts[0].clock_ratio, **arrays)
