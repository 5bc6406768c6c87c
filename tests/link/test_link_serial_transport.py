import os
import select
from pathlib import Path

import pytest

from jackfield.errors import LinkError
from jackfield.link import PortInfo, SerialTransport, open_transport
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


def test_a_pulled_adapter_is_found_by_its_usb_serial_number(
    terminal: PseudoTerminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes back under another name, as /dev/ttyUSB1 where it was /dev/ttyUSB0."""
    plugged = [PortInfo(terminal.port, "FT232R", "A50285BI")]
    monkeypatch.setattr("jackfield.link.ports.list_ports", lambda: tuple(plugged))
    port = SerialTransport(terminal.port)
    assert not port.found_again
    terminal.close()
    with pytest.raises(LinkError, match="is gone"):
        port.read(5)
    assert port.found_again
    plugged.clear()
    with pytest.raises(LinkError, match="cannot be opened"):
        port.reconnect(0.0)
    again = PseudoTerminal()
    plugged.append(PortInfo(again.port, "FT232R", "A50285BI"))
    port.reconnect(5.0)
    assert not port.found_again
    port.write(b"back")
    assert received(again, 4) == b"back"
    port.close()
    again.close()
    terminal.__init__()  # type: ignore[misc]  # the fixture closes it once more


def test_a_port_whose_name_follows_it_is_found_again(tmp_path: Path) -> None:
    """As a link in /dev/serial/by-id, or one that the bridge keeps."""
    first, second, name = PseudoTerminal(), PseudoTerminal(), tmp_path / "by-id"
    name.symlink_to(first.port)
    with SerialTransport(str(name)) as port:
        assert not port.found_again
        first.close()
        with pytest.raises(LinkError, match="is gone"):
            port.read(5)
        assert port.found_again
        name.unlink()
        name.symlink_to(second.port)
        port.reconnect(5.0)
        port.write(b"back")
        assert received(second, 4) == b"back"
    second.close()


def test_a_port_without_a_serial_number_is_opened_again_by_its_name(terminal: PseudoTerminal) -> None:
    port = SerialTransport(terminal.port)
    port.reconnect(1.0)
    port.write(b"a")
    assert received(terminal, 1) == b"a"
    assert not port.found_again
    port.close()


def test_the_rate_can_change_unless_the_url_fixes_it(terminal: PseudoTerminal) -> None:
    with open_transport(f"serial://{terminal.port}") as port:
        assert port.can_change_baud
        port.set_baud(921_600)
        assert port.byte_s == pytest.approx(10 / 921_600)
        with pytest.raises(LinkError, match="cannot run at -1 baud"):
            port.set_baud(-1)
    with open_transport(f"serial://{terminal.port}?baud=921600") as port:
        assert not port.can_change_baud
