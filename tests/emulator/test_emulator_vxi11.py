"""The VXI-11 door, opened by unmodified pyvisa and pyvisa-py, and by hand-packed calls."""

import socket
import struct
from collections.abc import Callable
from typing import Any

import pytest
import pyvisa

from jackfield.emulator.loop import Loop
from jackfield.emulator.vxi11 import Vxi11Server

from .conftest import open_visa

PROGRAM, VERSION = 0x0607AF, 1


class Echo:
    """Answers each message with itself; "later" keeps its answer back."""

    def __init__(self) -> None:
        self.kept: Callable[[bytes | None], None] | None = None

    def __call__(self, message: str, answer: Callable[[bytes | None], None]) -> None:
        if message == "later":
            self.kept = answer
        elif message == "hang up":
            answer(None)
        elif message != "silence":
            answer(message.encode() + b"\n")


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
def resource(loop: Loop, echo: Echo) -> str:
    server = Vxi11Server(loop, echo, lambda: 0x24)
    loop.start()  # type: ignore[attr-defined]
    return f"TCPIP::127.0.0.1,{server.port}::inst0::INSTR"


def test_queries_status_and_clear(visa: pyvisa.ResourceManager, resource: str) -> None:
    first, second = open_visa(visa, resource), open_visa(visa, resource)
    assert first.query("hello") == "hello"
    assert first.read_stb() == 0x24
    first.write("left unread")
    first.clear()
    assert first.query("hello") == "hello"
    assert second.query("x" * 3000) == "x" * 3000
    first.close()
    second.close()


def test_a_message_throws_an_unread_answer_away(visa: pyvisa.ResourceManager, resource: str) -> None:
    """IEEE 488.2: a query that interrupts; the old answer is never the new one's."""
    session = open_visa(visa, resource)
    session.write("one")
    assert session.query("two") == "two"
    session.close()


def test_a_late_answer_is_dropped(visa: pyvisa.ResourceManager, resource: str, echo: Echo) -> None:
    session = open_visa(visa, resource)
    session.timeout = 50
    with pytest.raises(pyvisa.errors.VisaIOError):
        session.query("later")
    session.timeout = 5000
    session.write("now")
    assert echo.kept is not None
    echo.kept(b"late\n")
    assert session.read() == "now"
    session.close()


def rpc(port: int, *calls: bytes) -> bytes:
    """Send records on one connection; all that comes back until the server has no more to say or hangs up."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        for call in calls:
            connection.sendall(struct.pack(">I", 0x80000000 | len(call)) + call)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while piece := connection.recv(4096):
            received += piece
    return received


def call(procedure: int, arguments: bytes = b"", program: int = PROGRAM, kind: int = 0) -> bytes:
    return struct.pack(">10I", 7, kind, 2, program, VERSION, procedure, 0, 0, 0, 0) + arguments


@pytest.mark.parametrize(
    ("sent", "body"),
    [
        (call(0), b""),
        (call(10, program=99), None),
        (call(12, struct.pack(">iIIIii", 77, 10, 0, 0, 0, 0)), struct.pack(">3i", 4, 0, 0)),
    ],
)
def test_replies_by_hand(resource: str, sent: bytes, body: bytes | None) -> None:
    """RFC 5531: xid, REPLY, accepted, empty verifier, accept state (1: no such program), then the result."""
    answer = rpc(int(resource.split(",")[1].split(":")[0]), sent)
    head = struct.pack(">6I", 7, 1, 0, 0, 0, 0 if body is not None else 1)
    record = head + (body or b"")
    assert answer == struct.pack(">I", 0x80000000 | len(record)) + record


@pytest.mark.parametrize("sent", [b"short", call(0, kind=1), call(12)])
def test_nonsense_ends_the_connection(resource: str, sent: bytes) -> None:
    assert rpc(int(resource.split(",")[1].split(":")[0]), sent) == b""


def test_too_long_a_record_ends_the_connection(resource: str) -> None:
    port = int(resource.split(",")[1].split(":")[0])
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(struct.pack(">I", 0x7FFFFFFF))
        assert connection.recv(10) == b""


def test_it_hangs_up_when_told(visa: pyvisa.ResourceManager, resource: str) -> None:
    session: Any = open_visa(visa, resource)
    session.timeout = 50
    session.write("silence")
    with pytest.raises(pyvisa.errors.VisaIOError):
        session.read()
    session.close()
