"""A session against an instrument that is late, silent, terse or gone."""

import gc
import logging
import os
import threading
import time
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from jackfield.bench import VisaSession, visa_library
from jackfield.errors import InstrumentError


@pytest.fixture
def session(instrument: Any) -> Iterator[VisaSession]:
    session = VisaSession(instrument.resource, timeout_s=0.4)
    yield session
    session.close()


def test_identity_must_match_the_driver(session: VisaSession) -> None:
    assert session.identify("acme,fake") == "ACME,FAKE 1,0,1.0"
    assert session.identity == "ACME,FAKE 1,0,1.0"
    with pytest.raises(InstrumentError, match=r"its driver expects 'keysight'; correct driver or resource"):
        session.identify("keysight")


def test_blocks_over_a_raw_socket(instrument: Any, session: VisaSession) -> None:
    payload = bytes(range(256)) * 40
    instrument.answer = lambda line: b"#510240" + payload + b"\n"
    seconds = []
    for _ in range(4):
        start = time.perf_counter()
        assert session.query_block(":WAVeform:DATA?") == payload
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.2  # less than any patience
    instrument.answer = instrument.obey
    assert session.query("A?") == "42"


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
def test_blocks_over_a_serial_line() -> None:
    """Newlines within the payload end pyvisa-py's serial reads, but not the block."""
    pty, tty = pytest.importorskip("pty"), pytest.importorskip("tty")
    master, slave = pty.openpty()
    tty.setraw(slave)
    payload = b"\n\x00" + bytes(range(256))

    def serve() -> None:
        received = b""
        while not received.endswith(b"D?\n"):
            received += os.read(master, 64)
        os.write(master, b"#3258" + payload + b"\n")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    session = VisaSession(f"ASRL{os.ttyname(slave)}::INSTR", timeout_s=2.0)
    assert session.query_block("D?") == payload
    session.close()
    thread.join()
    for descriptor in (master, slave):
        os.close(descriptor)


def test_a_missing_newline_costs_little_and_a_late_one_does_no_harm(instrument: Any, session: VisaSession) -> None:
    instrument.answer = lambda line: b"#15hello"
    assert session.query_block("D?") == b"hello"
    instrument.answer = lambda line: b"\n42\n"
    assert session.query("A?") == "42"
    assert session.generation == 1


def test_a_short_block_poisons_the_session(instrument: Any, session: VisaSession) -> None:
    instrument.answer = lambda line: b"#19hello\n"
    with pytest.raises(InstrumentError, match=r"did not answer D\? within 0.4 s"):
        session.query_block("D?")
    instrument.answer = instrument.obey
    assert session.query("A?") == "42"
    assert session.generation == 2


def test_a_late_answer_never_reaches_the_next_query(instrument: Any, session: VisaSession) -> None:
    """The instrument answers the first query after its client gave up, on whatever connection is then open."""
    late = threading.Event()

    def answer(line: str) -> bytes | None:
        if line == "SLOW?":
            late.set()
            return None
        prefix = b"999\n" if late.is_set() and line.endswith(";*ESE?") else b""
        return prefix + (instrument.obey(line) or b"") or None

    instrument.answer = answer
    with pytest.raises(InstrumentError, match=r"did not answer SLOW"):
        session.query("SLOW?")
    assert session.query("A?") == "42"
    nonces = [line for line in instrument.received if line.endswith(";*ESE?")]
    assert len(nonces) == 2


def test_an_instrument_that_cannot_be_synchronised_is_not_believed(instrument: Any, session: VisaSession) -> None:
    instrument.answer = lambda line: None
    with pytest.raises(InstrumentError, match=r"did not answer"):
        session.query("A?")
    instrument.answer = lambda line: b"7.25\n" * 100_000
    with pytest.raises(InstrumentError, match=r"still sends old answers"):
        session.query("A?")
    instrument.answer = instrument.obey
    assert session.query("A?") == "42"


def test_a_dropped_connection_is_an_instrument_error_and_heals(instrument: Any, session: VisaSession) -> None:
    assert session.query("A?") == "42"
    instrument.hang_up.set()
    with pytest.raises(InstrumentError, match=r"check"):
        session.query("A?")
    instrument.hang_up.clear()
    assert session.query("A?") == "42"


def test_refused_settings_are_quoted(instrument: Any, session: VisaSession) -> None:
    queue = [b'-222,"Data out of range"\n']
    instrument.answer = lambda line: queue.pop() if line == ":SYSTem:ERRor?" and queue else instrument.obey(line)
    with pytest.raises(InstrumentError, match=r"refused :CHAN1:SCAL 99: -222,\"Data out of range\""):
        session.configure(":CHAN1:SCAL 99")
    session.configure(":CHAN1:SCAL 1")


def test_an_error_queue_that_answers_something_else_is_out_of_step(instrument: Any, session: VisaSession) -> None:
    instrument.answer = lambda line: b"DC\n"
    with pytest.raises(InstrumentError, match=r"answered 'DC' to :SYSTem:ERRor\?; it is out of step"):
        session.configure(":CHAN1:SCAL 1")
    instrument.answer = instrument.obey
    session.configure(":CHAN1:SCAL 1")
    assert session.generation == 2


def test_numbers_that_are_none(instrument: Any, session: VisaSession) -> None:
    instrument.answer = lambda line: b"+1.25E-3\n"
    assert session.query_number("A?") == 1.25e-3
    instrument.answer = lambda line: b"ready\n"
    with pytest.raises(InstrumentError, match=r"'ready' and not with a number"):
        session.query_number("A?")


def test_one_process_an_instrument(instrument: Any, session: VisaSession) -> None:
    with pytest.raises(InstrumentError, match=r"in use by process \d+ \(.*\)"):
        VisaSession(instrument.resource)
    session.close()
    VisaSession(instrument.resource).close()


@pytest.mark.parametrize(
    ("resource", "backend"),
    [("TCPIP::127.0.0.1::hislip0,1::INSTR", "@py"), ("NOWHERE", "@py"), ("TCPIP::127.0.0.1::9::SOCKET", "@none")],
)
def test_what_cannot_be_opened_says_so_and_leaves_no_lock(resource: str, backend: str) -> None:
    logging.disable()  # a captured log record would keep pyvisa-py's unclosed socket alive
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        for _ in range(2):
            with pytest.raises(InstrumentError, match=r"cannot be opened through VISA library"):
                VisaSession(resource, backend=backend)
        gc.collect()
    logging.disable(logging.NOTSET)


def test_the_visa_library_is_found_or_named() -> None:
    assert visa_library() == "py"
    with pytest.raises(InstrumentError, match=r"VISA library '@none' cannot be loaded: .*; install pyvisa-py"):
        visa_library("@none")


def test_every_line_goes_to_the_log_with_its_time(instrument: Any) -> None:
    lines: list[dict[str, object]] = []
    session = VisaSession(instrument.resource, log=lines.append)
    session.write("*CLS")
    session.query("A?")
    session.close()
    assert [(line.get("write"), line.get("read")) for line in lines] == [("*CLS", None), ("A?", None), (None, "42")]
    assert all(isinstance(line["time_s"], float) and line["resource"] == instrument.resource for line in lines)


def test_a_closed_session_says_so(instrument: Any, session: VisaSession) -> None:
    session.close()
    with pytest.raises(InstrumentError, match=r"is closed"):
        session.query("A?")
