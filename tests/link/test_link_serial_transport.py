import os
import select
from pathlib import Path

import pytest

from jackfield.errors import LinkError
from jackfield.link import SerialTransport, open_transport
from jackfield.link.pseudo_terminal import PseudoTerminal


def received(terminal: PseudoTerminal, count: int) -> bytes:
    data = b""
    while len(data) < count and select.select([terminal.master], [], [], 5)[0]:
        data += os.read(terminal.master, 65536)
    return data


def test_every_byte_passes_both_ways(terminal: PseudoTerminal) -> None:
    every = bytes(range(256)) * 3
    with SerialTransport(terminal.port) as port:
        port.write(every)
        assert received(terminal, len(every)) == every
        os.write(terminal.master, every)
        data = b""
        while len(data) < len(every):
            data += port.read(5)
        assert data == every


def test_a_silent_line_reads_nothing(terminal: PseudoTerminal) -> None:
    with open_transport(f"serial://{terminal.port}?baud=921600") as port:
        assert port.read(0.001) == b""
        assert port.byte_s == pytest.approx(10 / 921600)
        assert port.name == f"serial://{terminal.port}"


def test_closing_and_opening_again_needs_no_new_terminal(terminal: PseudoTerminal) -> None:
    for byte in (b"a", b"b"):
        with SerialTransport(terminal.port) as port:
            port.write(byte)
            assert received(terminal, 1) == byte


def test_a_hang_up_is_a_link_error_with_a_way_out() -> None:
    terminal = PseudoTerminal()
    port = SerialTransport(terminal.port)
    terminal.close()
    with pytest.raises(LinkError, match=r"is gone .* plug the cable in again"):
        port.read(1)
    with pytest.raises(LinkError, match="is gone"):
        port.write(b"x")
    port.close()
    port.close()


def test_a_second_opener_is_told_who_holds_the_port(terminal: PseudoTerminal) -> None:
    with SerialTransport(terminal.port), pytest.raises(LinkError, match=rf"in use by process {os.getpid()} \(.+\)"):
        SerialTransport(terminal.port)
    SerialTransport(terminal.port).close()


def test_another_name_of_the_port_is_the_same_port(terminal: PseudoTerminal, tmp_path: Path) -> None:
    link = tmp_path / "by-id"
    link.symlink_to(terminal.port)
    with SerialTransport(terminal.port), pytest.raises(LinkError, match="in use"):
        SerialTransport(str(link))


def test_a_port_that_is_not_there(tmp_path: Path) -> None:
    missing = str(tmp_path / "ttyUSB9")
    for _ in range(2):  # the lock has been given back
        with pytest.raises(LinkError, match="cannot be opened at 115200 baud"):
            SerialTransport(missing)
