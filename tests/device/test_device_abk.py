"""AN231E04 over ABK: golden bytes worked out by hand, flow control, templates, a board on a pseudo-terminal."""

import itertools
import os
import select
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import serial

from jackfield.device import AbkBoard, AbkTemplate
from jackfield.device.abk_frames import body_of, header, volts_of
from jackfield.emulator.abk import AbkEmulator
from jackfield.errors import BoardError, DesignError, LinkError
from jackfield.link import SerialTransport, serial_transport
from jackfield.link.pseudo_terminal import PseudoTerminal
from jackfield.testing import ScriptedLine

TEMPLATE = """
configuration = "stage.ahf"
doc = "one gain stage"
[parameters.gain]
offset = 3
range = [0.0, 5.1]
unit = "1"
[parameters.corner]
offset = 5
bits = 4
range = [0.0, 15.0]
unit = "kHz"
"""
HEX = "D5 B7 20 10\n01 A3 00 7F"


@pytest.fixture
def template() -> AbkTemplate:
    return AbkTemplate.from_toml(TEMPLATE, {"stage.ahf": HEX})


def test_golden_frames(template: AbkTemplate) -> None:
    """Worked out by hand: STX, letter, number of characters in hexadecimal, characters, ETX."""
    said: list[bytes] = []
    board = AbkEmulator(lambda converter, channel: 1.65)

    def answer(data: bytes) -> bytes:
        said.append(data)
        return board.receive(data) + board.drain()

    with AbkBoard(ScriptedLine(answer)) as abk:
        abk.upload(template)
        abk.patch(template, {"gain": 5.1})
        assert abk.read_volts(10) == pytest.approx(1.65, abs=3.3 / 1024)
        assert abk.chips() == "AN231E04"
    assert b"".join(said).hex() == "".join(
        [
            "022303",  # '#'
            "02523030303246 4603".replace(" ", ""),  # R 0002 FF
            "023f03",
            "0230303031 43".replace(" ", ""),  # '0', 14 bytes: 28 = 0x1C characters
            "30303030303030303030" + HEX.replace(" ", "").replace("\n", "").encode().hex() + "3030" + "03",
            "023f03",
            "023130303130" + b"D5B720FF01A3007F".hex() + "03",  # '1', 16 = 0x10 characters
            "023f03",
            "0241304103",  # 'A' 0A
            "025403",
            "025230303032464603",
            "023f03",
        ]
    )


def test_the_board_holds_what_was_exported_but_for_the_places(template: AbkTemplate) -> None:
    board = AbkEmulator(lambda converter, channel: 0.0)
    with AbkBoard(ScriptedLine(lambda data: board.receive(data) + board.drain())) as abk:
        abk.upload(template, {"corner": 9.0})
        assert board.primary == bytes.fromhex("D5B7201001A9007F")
        assert template.values(board.primary) == {"gain": pytest.approx(0.32), "corner": 9.0}
    assert board.primary is None  # left without a configuration


def test_pieces_fit_the_buffer_and_wait_for_room(template: AbkTemplate) -> None:
    big = AbkTemplate(bytes(range(1, 200)), {}, "")
    waited: list[float] = []
    board = AbkEmulator(lambda converter, channel: 0.0)

    def answer(data: bytes) -> bytes:
        assert len(data) <= 40
        waited.append(line.now())
        return board.receive(data) + board.drain()

    line = ScriptedLine(answer)
    with AbkBoard(line) as abk:
        abk.upload(big)
        assert board.primary == big.configuration
    assert board.lost == 0
    start = next(i for i, pair in enumerate(itertools.pairwise(waited)) if pair[1] - pair[0] > 0)
    assert waited[start + 1] - waited[start] >= 0.05  # after the length, nothing for 50 ms


def test_a_board_that_stays_stopped_is_an_error(template: AbkTemplate) -> None:
    board = AbkEmulator(lambda converter, channel: 0.0)
    big = AbkTemplate(bytes(range(1, 200)), {}, "")
    abk = AbkBoard(ScriptedLine(board.receive))
    with pytest.raises(LinkError, match="has not taken more for 2 s"):
        abk.upload(big)


def test_refusals_say_why(template: AbkTemplate) -> None:
    answers = {b"#": b"v\x03"}
    for code, reason in ((b"2", "checksum"), (b"3", "too long"), (b"1", "does not know"), (b"x", "answers 'x'")):
        line = ScriptedLine(
            lambda data, code=code: answers.get(data[1:2], code + b"\x03" if data[1:2] == b"?" else b"")
        )
        with pytest.raises(BoardError, match=reason):
            AbkBoard(line).reset()
    with pytest.raises(LinkError, match="did not answer # within 1 s"):
        AbkBoard(ScriptedLine(lambda data: b""))
    with pytest.raises(DesignError, match="upload the primary one first"):
        AbkBoard(ScriptedLine(lambda data: b"v\x03")).patch(template, {})


def test_bad_templates_and_values_are_named(template: AbkTemplate) -> None:
    with pytest.raises(DesignError, match="'q' is asked, the template has gain, corner"):
        template.patched({"q": 1.0})
    with pytest.raises(DesignError, match="outside"):
        template.patched({"gain": 6.0})
    with pytest.raises(DesignError, match="byte 99"):
        AbkTemplate.from_toml(TEMPLATE.replace("offset = 3", "offset = 99"), {"stage.ahf": HEX})
    with pytest.raises(DesignError, match="no hexadecimal text"):
        AbkTemplate.from_toml(TEMPLATE, {"stage.ahf": "D5 XX"})
    with pytest.raises(DesignError, match="is not there"):
        AbkTemplate.from_toml(TEMPLATE, {})


def test_converter_codes() -> None:
    assert volts_of("03FF") == pytest.approx(3.3 * 1023 / 1024)
    for wrong in ("0400", "3FF", "xyz0"):
        with pytest.raises(LinkError, match="four hexadecimal digits"):
            volts_of(wrong)
    assert header(b"1", body_of(b"\x01", b"1")) == b"\x0210002"
    with pytest.raises(DesignError, match="2 to 65535"):
        body_of(b"", b"1")


@pytest.fixture
def port() -> Iterator[tuple[str, AbkEmulator]]:
    """An emulated board on a real pseudo-terminal."""
    terminal, board = PseudoTerminal(), AbkEmulator(lambda converter, channel: 0.1 * channel)
    stop, stopped = os.pipe()

    def serve() -> None:
        while stop not in select.select([terminal.master, stop], [], [])[0]:
            os.write(terminal.master, board.receive(os.read(terminal.master, 64)) + board.drain())

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield terminal.port, board
    os.write(stopped, b"x")
    thread.join(timeout=5)
    terminal.close()
    os.close(stop)
    os.close(stopped)


def test_on_a_pseudo_terminal(port: tuple[str, AbkEmulator], template: AbkTemplate) -> None:
    name, board = port
    with AbkBoard(SerialTransport(name, 57_600)) as abk:
        assert abk.version == "ABK 3.0"
        abk.upload(template, {"gain": 2.0})
        abk.patch(template, {"gain": 3.0})
        assert template.values(board.changes[0])["gain"] == pytest.approx(3.0)
        assert abk.read_volts(7) == pytest.approx(0.7, abs=3.3 / 1024)


def test_the_port_flows_by_cts_and_dtr_resets_the_controller(
    port: tuple[str, AbkEmulator], monkeypatch: pytest.MonkeyPatch
) -> None:
    name, _ = port
    opened: list[serial.Serial] = []
    levels: list[bool] = []

    class Port(serial.Serial):
        """A port that has the lines a pseudo-terminal lacks."""

        def __init__(self, *words: Any, **settings: Any) -> None:
            super().__init__(*words, **settings)
            opened.append(self)

        def _update_dtr_state(self) -> None:
            levels.append(self._dtr_state)

    monkeypatch.setattr(serial_transport.serial, "Serial", Port)
    with AbkBoard.at(f"serial://{name}") as abk:
        assert abk.version == "ABK 3.0"
        assert opened[0].rtscts
        assert opened[0].baudrate == 57_600
        assert levels[-2:] == [False, True]


def test_a_pseudo_terminal_has_no_dtr_and_works_all_the_same(port: tuple[str, AbkEmulator]) -> None:
    with AbkBoard.at(f"serial://{port[0]}") as abk:
        assert abk.chips() == "AN231E04"
