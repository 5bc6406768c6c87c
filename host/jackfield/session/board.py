"""A board by its URL."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

from jackfield.board import BoardSpec
from jackfield.device import AbstractBoard, board_class, connect
from jackfield.errors import DesignError
from jackfield.link import AbstractTransport, RecordingTransport, open_transport
from jackfield.session.emulator import running_emulator
from jackfield.session.ending import finally_do
from jackfield.session.specs import load_spec

__all__ = ["connected_board", "make_safe", "open_board"]

ASKING_DIALECT = "jackfield-1"  # whose HELLO asks an unknown board who it is


@contextmanager
def open_board(url: str, spec: BoardSpec | str | Path | None = None) -> Iterator[AbstractBoard]:
    """The board at `serial://`, `socket://` or `emulator://`; left safe and closed with the block.

    Without `spec` a board is asked who it is. Raises BoardError where the board is not made after `spec`,
    LinkError where nothing answers, DesignError where spec or URL do not exist.
    """
    wanted = spec if isinstance(spec, BoardSpec) or spec is None else load_spec(spec)
    with ExitStack() as stack:
        if url.startswith("emulator://"):
            url = stack.enter_context(running_emulator(url)).board_url
        yield stack.enter_context(connected_board(url, wanted))


@contextmanager
def connected_board(url: str, spec: BoardSpec | None, log: TextIO | None = None) -> Iterator[AbstractBoard]:
    """As `open_board`, for URLs of links only; every frame goes to `log`."""
    transport: AbstractTransport = open_transport(url)
    if log is not None:
        transport = RecordingTransport(transport, log)
    if spec is None:
        spec = _asked(transport)
    board = connect(transport, spec)
    with finally_do(board.close):
        yield board


def _asked(transport: AbstractTransport) -> BoardSpec:
    try:
        hello = board_class(ASKING_DIALECT).identify(transport)
        return load_spec(hello.spec_name)
    except BaseException:
        transport.close()
        raise


def make_safe(url: str, spec: str = "") -> None:
    """Bring the board at `url` into its safe state at once, without asking what it is.

    `spec` names its type, where that is known: boards of another make speak another dialect.
    """
    if url.startswith("emulator://"):
        raise DesignError(f"{url} starts a board of its own, which is safe already; name the port of a running one")
    dialect = load_spec(spec).dialect if spec else ASKING_DIALECT
    with open_transport(url) as transport:
        board_class(dialect).make_safe(transport)
