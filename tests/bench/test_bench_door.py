"""What pyvisa-py does on each door that would be silently wrong or slow: each is met, none gets through."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import pyvisa

from jackfield.bench import VisaSession, visa_resources
from jackfield.emulator import Faults, Meter, Randomness
from jackfield.errors import InstrumentError
from jackfield.testing.driver_suite import DOORS, served
from jackfield.testing.numbered import NumberedVolts

PAYLOAD = bytes(range(256)) * 8


class Waveform:
    """Answers a block with all byte values to D?, a number to A?; keeps what the suite's nonce asks for."""

    overload_next = False
    status_byte = 0

    def __init__(self) -> None:
        self.register = b"0"

    @property
    def core(self) -> "Waveform":
        return self

    def execute(self, message: str) -> bytes | None:
        head, _, tail = message.partition(";")
        if head.startswith("*ESE "):
            self.register = head[5:].encode()
        if tail == "*ESE?":
            return self.register
        return {"D?": b"#42048" + PAYLOAD, "A?": b"42", "NOTHING?": b""}.get(message)


@contextmanager
def session(door: str, faults: Faults | None = None, timeout_s: float = 0.3) -> Iterator[VisaSession]:
    with served(Waveform(), faults or Faults(), 1) as (resources, _):
        opened = VisaSession(resources[door], timeout_s=timeout_s)
        yield opened
        opened.close()


@pytest.mark.parametrize("door", DOORS)
def test_a_block_with_newlines_in_it_comes_whole_and_quickly(door: str) -> None:
    """Pitfall 1: query_binary_values on a raw socket waits for its timeout."""
    with session(door, timeout_s=5.0) as opened:
        begin = time.monotonic()
        assert opened.query_block("D?") == PAYLOAD
        assert opened.query("A?") == "42"
        assert time.monotonic() - begin < 4.5


@pytest.mark.parametrize("door", DOORS)
def test_a_late_answer_is_never_the_next_ones(door: str) -> None:
    """Pitfall 2: raw sockets and serial lines hand it to the next query."""
    jack = NumberedVolts()
    meter = Meter(Randomness("pitfalls", "ideal", 1), jack)
    with served(meter, Faults(late=0.15, late_s=0.12), 3) as (resources, port):
        opened = VisaSession(resources[door], timeout_s=0.1)
        believed = 0
        for _ in range(40):
            try:
                number = jack.number_of(opened.query_number("READ?"))
            except InstrumentError:
                continue
            assert number == jack.number
            believed += 1
        opened.close()
    assert port.met["late"] >= 3
    assert believed >= 5


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("query", ["query", "query_block"])
def test_a_hang_up_is_one_instrument_error_in_time(door: str, query: str) -> None:
    """Pitfall 3: a spin, a bare RuntimeError or VI_ERROR_IO, by door."""
    with session(door, Faults(dropped=1.0)) as opened:
        ask: Callable[[str], Any] = getattr(opened, query)
        begin = time.monotonic()
        with pytest.raises(InstrumentError):
            ask("A?" if query == "query" else "D?")
        assert time.monotonic() - begin < 10.0  # a patience of 0.3 s, on a busy machine
        begin = time.monotonic()
        opened.close()
        assert time.monotonic() - begin < 4.0  # VXI-11 would wait 5 s for the answer to its goodbye


@pytest.mark.parametrize("door", DOORS)
def test_half_an_answer_is_none(door: str) -> None:
    """A raw socket gives out the part that came, as a success."""
    with session(door, Faults(truncated=1.0)) as opened:
        with pytest.raises(InstrumentError, match=r"no end of line|did not answer"):
            opened.query("A?")
        with pytest.raises(InstrumentError):
            opened.query_block("D?")


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
def test_a_meter_on_a_serial_line_is_fast_enough() -> None:
    """Pitfall 4: pyvisa-py reads serial lines a byte at a time; a meter's line still takes a few milliseconds."""
    pty, tty = pytest.importorskip("pty"), pytest.importorskip("tty")
    master, slave = pty.openpty()
    tty.setraw(slave)

    def serve() -> None:
        for _ in range(5):
            received = b""
            while not received.endswith(b"\n"):
                received += os.read(master, 64)
            os.write(master, b"+8.00012345E-01\n")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    opened = VisaSession(f"ASRL{os.ttyname(slave)}::INSTR", timeout_s=2.0)
    begin = time.monotonic()
    assert [opened.query_number("READ?") for _ in range(5)] == [0.800012345] * 5
    assert time.monotonic() - begin < 5.0
    opened.close()
    thread.join()
    for descriptor in (master, slave):
        os.close(descriptor)


@pytest.mark.parametrize("door", DOORS)
def test_an_instrument_is_locked_whatever_the_door(door: str) -> None:
    """Pitfall 5: exclusive locks of VISA work on VXI-11 only."""
    with session(door) as opened:
        with pytest.raises(InstrumentError, match=r"in use by process \d+"):
            VisaSession(opened.resource)
        assert opened.query("A?") == "42"


def test_an_exclusive_lock_on_vxi11_keeps_others_out() -> None:
    with served(Waveform(), Faults(), 1) as (resources, _):
        manager = pyvisa.ResourceManager("@py")
        holder = manager.open_resource(resources["vxi11"])
        other = manager.open_resource(resources["vxi11"], read_termination="\n", write_termination="\n")
        holder.lock_excl()
        with pytest.raises(pyvisa.errors.VisaIOError):
            other.query("A?")
        holder.unlock()
        assert other.query("A?") == "42"
        for resource in (holder, other):
            resource.close()
        manager.close()


def test_the_search_leaves_serial_ports_out(monkeypatch: pytest.MonkeyPatch) -> None:
    found = ("ASRL/dev/ttyUSB0::INSTR", "TCPIP::192.168.1.20::INSTR")
    monkeypatch.setattr(pyvisa.ResourceManager, "list_resources", lambda self, query: found)
    assert visa_resources() == ("TCPIP::192.168.1.20::INSTR",)
    with pytest.raises(InstrumentError, match="cannot be loaded"):
        visa_resources("@none")
