"""The bridge between a host and a board, in this process and as a process."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from jackfield.errors import LinkError
from jackfield.link import AbstractTransport, CableOptions, LineFaults, open_transport

if os.name != "posix":
    pytest.skip("pseudo-terminals are a POSIX thing", allow_module_level=True)

from jackfield.link.bridge import Bridge, main
from jackfield.link.bridge_ends import InProcess, connected

PATIENCE_S = 20.0


class Echo:
    """A board that sends everything back."""

    def receive(self, data: bytes) -> bytes:
        return data

    def tick(self) -> bytes:
        return b""


@contextmanager
def bridged(board: Any, options: CableOptions, **more: Any) -> Iterator[tuple[Bridge, list[str]]]:
    ports: list[str] = []
    bridge = Bridge(board, options, ports.append, **more)
    thread = threading.Thread(target=bridge.run)
    thread.start()
    try:
        yield bridge, ports
    finally:
        bridge.stop()
        thread.join(PATIENCE_S)
        bridge.close()


def echoed(port: str, data: bytes) -> bytes:
    with open_transport(f"serial://{port}") as line:
        line.write(data)
        return received(line, len(data))


def received(line: Any, count: int) -> bytes:
    data, deadline = b"", time.monotonic() + PATIENCE_S
    while len(data) < count and time.monotonic() < deadline:
        data += line.read(0.2)
    return data


def test_bytes_pass_both_ways_and_are_written_down(tmp_path: Path) -> None:
    data = bytes(range(256)) * 40
    with (
        (tmp_path / "line.jsonl").open("w") as record,
        bridged(InProcess(Echo()), CableOptions(), record=record) as (bridge, _),
    ):
        assert echoed(bridge.port, data) == data
    notes = [json.loads(line) for line in (tmp_path / "line.jsonl").read_text().splitlines()]
    for way in ("sent", "received"):
        assert bytes.fromhex("".join(note.get(way, "") for note in notes)) == data


def test_line_time_is_the_bridges_own(tmp_path: Path) -> None:
    """A second on the line, ten times as fast as the wall's."""
    options = CableOptions(baud=10000, turnaround_s=0.25)
    with (
        (tmp_path / "line.jsonl").open("w") as record,
        bridged(InProcess(Echo()), options, speed=10.0, record=record) as (bridge, _),
    ):
        begin = time.monotonic()
        assert echoed(bridge.port, bytes(500)) == bytes(500)
        assert time.monotonic() - begin >= 0.074
    notes = [json.loads(line) for line in (tmp_path / "line.jsonl").read_text().splitlines()]
    sent, back = ([note["t"] for note in notes if way in note] for way in ("sent", "received"))
    assert sent[-1] - sent[0] >= 0.4
    assert back[-1] - sent[0] >= 0.7


def test_a_seed_always_makes_the_same_faults() -> None:
    faults = CableOptions(faults=LineFaults(flip=5e-3), seed=5)
    answers = []
    for _ in range(2):
        with bridged(InProcess(Echo()), faults) as (bridge, _):
            answers.append(echoed(bridge.port, bytes(2000)))
    assert answers[0] == answers[1] != bytes(2000)


def _echo(line: AbstractTransport, data: bytes) -> None:
    """Write and read back; the cable may go during either."""
    line.write(data)
    received(line, len(data))


def test_a_hang_up_closes_the_port_and_opens_another_under_the_same_path(tmp_path: Path) -> None:
    options = CableOptions(faults=LineFaults(hang_up=1e-3), seed=1)
    with bridged(InProcess(Echo()), options, path=tmp_path / "port") as (bridge, ports):
        gone = pytest.raises(LinkError, match="plug the cable in again")
        with open_transport(f"serial://{bridge.port}") as line, gone:
            _echo(line, bytes(5000))
        deadline = time.monotonic() + PATIENCE_S
        while len(ports) < 2 and time.monotonic() < deadline:
            threading.Event().wait(0.01)  # the bridge runs in a thread of its own
        assert len(ports) > 1
        assert set(ports) == {str(tmp_path / "port")}
    assert not (tmp_path / "port").is_symlink()


def test_a_board_behind_a_socket() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        board = connected(f"socket://127.0.0.1:{server.getsockname()[1]}")
        peer, _ = server.accept()
        with peer, bridged(board, CableOptions()) as (bridge, _), open_transport(f"serial://{bridge.port}") as line:
            line.write(b"hello")
            assert peer.recv(100) == b"hello"
            peer.sendall(b"board")
            assert received(line, 5) == b"board"


@pytest.mark.parametrize("url", ["socket://192.0.2.1:80", "socket://127.0.0.1", "tcp://127.0.0.1:80", "nonsense"])
def test_only_boards_of_this_machine(url: str) -> None:
    with pytest.raises(LinkError, match="write socket://127"):
        connected(url)


def test_nobody_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    for url in (f"socket://127.0.0.1:{port}", "serial:///dev/no-such-port"):
        with pytest.raises(LinkError, match="nothing answers at"):
            connected(url)


def test_a_board_is_for_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"socket://127.0.0.1:{server.getsockname()[1]}"
        board = connected(url)
        with pytest.raises(LinkError, match=f"in use by process {os.getpid()}"):
            connected(url)
        board.close()


@pytest.fixture
def process(terminal: Any) -> Iterator[Callable[..., dict[str, Any]]]:
    children: list[subprocess.Popen[str]] = []

    def start(*words: str) -> dict[str, Any]:
        command = [sys.executable, "-m", "jackfield.link.bridge", "--board", f"serial://{terminal.port}", *words]
        children.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        assert children[-1].stdout is not None
        said: dict[str, Any] = json.loads(children[-1].stdout.readline())
        return said

    yield start
    for child in children:
        child.terminate()
        assert child.wait(PATIENCE_S) == 0
        assert child.stdout is not None
        child.stdout.close()


def test_as_a_process(process: Callable[..., dict[str, Any]], terminal: Any, tmp_path: Path) -> None:
    said = process("--baud", "921600", "--record", str(tmp_path / "line.jsonl"))
    with open_transport(said["url"]) as line:
        line.write(b"to the board")
        os.set_blocking(terminal.master, True)
        assert os.read(terminal.master, 100)[:2] == b"to"
        os.write(terminal.master, b"to the host")
        assert received(line, 11) == b"to the host"
    assert {"sent", "received"} <= set((tmp_path / "line.jsonl").read_text().replace('"', " ").split())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--board", "nonsense"], "write socket://127.0.0.1"),
        (["--board", "socket://127.0.0.1:1", "--fault", "flap=1"], "write NAME=SHARE"),
        (["--replay", "/no/such/file"], "No such file"),
    ],
)
def test_what_the_user_can_mend_is_said(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 1
    assert told in capsys.readouterr().err
