"""Puts a bench together in the order of power: sources off, then the board, then the instruments."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TextIO

from jackfield.bench import (
    AbstractDigitizer,
    AbstractScanner,
    AbstractSource,
    AbstractVoltmeter,
    Bench,
    BenchFile,
    ExchangeLog,
    InstrumentEntry,
    VisaSession,
    Wiring,
    instrument_driver,
    parse_bench,
)
from jackfield.device import AbstractBoard
from jackfield.errors import BoardError, DesignError
from jackfield.session.board import connected_board
from jackfield.session.ending import finally_do
from jackfield.session.specs import load_spec

__all__ = ["assembled_bench"]


@contextmanager
def assembled_bench(text: str, folder: Path, log_folder: Path | None) -> Iterator[Bench[AbstractBoard]]:
    """The bench that `text` describes; paths in it are relative to `folder`."""
    file = parse_bench(text)
    name = file.board.spec
    spec = load_spec(folder / name if name.endswith(".toml") else name)
    with ExitStack() as stack:
        link_log = _log_file(stack, log_folder, "link.jsonl")
        visa_log = _visa_log(_log_file(stack, log_folder, "visa.jsonl"))
        sources: list[AbstractSource] = [_opened(stack, smu, AbstractSource, visa_log) for smu in _given(file.smu)]
        for source in sources:
            source.off()
        board = stack.enter_context(connected_board(file.board.url, spec, link_log))
        _check_id(file, board)
        scopes: list[AbstractDigitizer] = [
            _opened(stack, scope, AbstractDigitizer, visa_log) for scope in _given(file.scope)
        ]
        meters: list[AbstractVoltmeter] = [_opened(stack, dmm, AbstractVoltmeter, visa_log) for dmm in _given(file.dmm)]
        scanners: list[AbstractScanner] = [
            _opened(stack, scanner, AbstractScanner, visa_log) for scanner in _given(file.scanner)
        ]
        wiring = Wiring(scopes[0].channels if scopes else {})
        scope, meter, scanner = next(iter(scopes), None), next(iter(meters), None), next(iter(scanners), None)
        bench = Bench(board, scope, meter, wiring, spec, sources, scanner, file.board.patience_s)
        with finally_do(bench.safe, at_once=board.safe):
            yield bench


def _given(entry: InstrumentEntry | None) -> list[InstrumentEntry]:
    return [] if entry is None else [entry]


def _opened(stack: ExitStack, entry: InstrumentEntry, kind: type[Any], log: ExchangeLog | None) -> Any:
    """The instrument of `entry`, which is a `kind`; closed with the stack."""
    driver = instrument_driver(entry.driver)
    wrong = DesignError(f"driver {entry.driver!r} is no {kind.__name__}; correct the driver in the bench file")
    if isinstance(driver, type) and not issubclass(driver, kind):
        raise wrong
    session = VisaSession(entry.resource, backend=entry.backend, timeout_s=entry.timeout_s, log=log)
    stack.callback(session.close)
    instrument = driver(session, entry)
    if not isinstance(instrument, kind):
        raise wrong
    stack.callback(instrument.close)
    return instrument


def _check_id(file: BenchFile, board: AbstractBoard) -> None:
    found = board.hello.board_id
    if file.board.board_id not in ("", found):
        raise BoardError(
            f"the bench file names board {file.board.board_id}, board {found} is connected; "
            "connect the other board or correct id in the bench file"
        )


def _log_file(stack: ExitStack, folder: Path | None, name: str) -> TextIO | None:
    if folder is None:
        return None
    try:
        return stack.enter_context((folder / name).open("a", encoding="utf-8"))
    except OSError as error:
        raise DesignError(f"{folder / name} cannot be written: {error}; choose another folder for the log") from error


def _visa_log(sink: TextIO | None) -> ExchangeLog | None:
    if sink is None:
        return None

    def write(entry: dict[str, object]) -> None:
        sink.write(json.dumps(entry) + "\n")

    return write
