"""A whole bench by its file or as an emulator."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from jackfield.device import AbstractBoard
from jackfield.errors import DesignError
from jackfield.session.emulator import running_emulator

if TYPE_CHECKING:
    from jackfield.bench import Bench

__all__ = ["open_bench"]


@contextmanager
def open_bench(where: str | Path, *, log_folder: Path | None = None) -> Iterator["Bench[AbstractBoard]"]:
    """The bench that a bench.toml describes, or `emulator://jf96?profile=cmos&seed=7`.

    Sources are switched off before the board is touched. However the block ends, sources go off and the
    board is left safe; a second Ctrl-C makes the board safe at once. With `log_folder` every frame goes to
    link.jsonl and every SCPI line to visa.jsonl in it. Raises DesignError for a bad file, LinkError,
    BoardError and InstrumentError for what is not there or not what the file says.
    """
    from jackfield.session.assembly import assembled_bench  # brings pyvisa: 0.3 s that `jackfield safe` must not wait

    with ExitStack() as stack:
        if str(where).startswith("emulator://"):
            text, folder = stack.enter_context(running_emulator(str(where))).bench_toml, Path.cwd()
        else:
            text, folder = _text(Path(where)), Path(where).parent
        yield stack.enter_context(assembled_bench(text, folder, log_folder))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DesignError(
            f"bench file {path} cannot be read: {error}; write one after firmware_config/BRINGUP.md, "
            "or use emulator://jf96?profile=cmos&seed=7"
        ) from error
