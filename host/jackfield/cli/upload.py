"""`jackfield upload`: an image onto a board, read back code by code."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jackfield.cli.guard import guarded
from jackfield.cli.known_board import OtherBoard, check_bench
from jackfield.cli.options import BenchPath, Emulator, ImageFile, Json, LogExchange, Port, RunsFolder, Verbose
from jackfield.cli.output import Output

if TYPE_CHECKING:
    from jackfield.bench import Bench
    from jackfield.device import AbstractBoard, CommitReport

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the verb to `app`."""
    app.command()(guarded(upload))


def upload(
    image: ImageFile,
    port: Port = "",
    bench: BenchPath = "bench.toml",
    emulator: Emulator = "",
    keep: Annotated[
        bool, typer.Option("--keep", help="Write it into flash, too: the board starts from it. Flash wears out.")
    ] = False,
    other_board: OtherBoard = False,
    runs: RunsFolder = Path("runs"),
    log_exchange: LogExchange = False,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Upload an image and read it back.

    The board has the image in RAM and is left safe: a safe board keeps its configuration. With --keep it has it
    after the next power-up, too. An image that was corrected by a record goes to the board of that record only; over
    a bench its fingerprint is read first, over a port its id alone is compared.
    """
    from jackfield.cli.benches import load_for

    output = Output(as_json)
    with _connected(port, emulator or bench, runs, log_exchange) as (board, whole):
        compiled = load_for(image, board, other_board).only
        if compiled.record_id and whole is not None:
            check_bench(compiled.record, whole, other_board, output)
        report = board.apply(compiled.image)
        kept = board.commit() if keep else None
        board_id = board.hello.board_id
    digest = compiled.image.digest(compiled.spec)
    output.say(
        f"{image} is on board {board_id}: {report.kind}, {report.bytes} bytes in {report.seconds:.2f} s, "
        f"{'every code read back equal' if report.verified else 'not verified'}; digest {digest[:12]}"
    )
    if kept is not None:
        output.say(f"kept in flash slot {kept.slot}; flash has been erased {kept.erases} times in this board's life")
    output.result({"board_id": board_id, "image": image, "digest": digest} | report.__dict__ | _of(kept))


def _of(kept: "CommitReport | None") -> dict[str, object]:
    return {} if kept is None else {"slot": kept.slot, "erases": kept.erases}


@contextmanager
def _connected(
    port: str, where: str, runs: Path, log_exchange: bool
) -> Iterator[tuple["AbstractBoard", "Bench[AbstractBoard] | None"]]:
    """The board, and its bench unless a port is named: no instrument is needed for an upload alone."""
    if port:
        from jackfield.session import open_board

        with open_board(port) as board:
            yield board, None
        return
    from jackfield.cli.benches import opened_bench

    with opened_bench(where, "upload", runs, log_exchange) as bench:
        yield bench.board, bench
