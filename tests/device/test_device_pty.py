"""The driver over a real pseudo-terminal, the board's state machine behind it in a thread."""

import os
import select
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from jackfield.board import BoardSpec
from jackfield.device import Jackfield1Board
from jackfield.errors import LinkError
from jackfield.link import open_transport
from jackfield.link.pseudo_terminal import PseudoTerminal

pytestmark = pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals are a POSIX thing")

Rig = Any  # tests/device/conftest.py


class Served:
    """A board on a pty until `close`."""

    def __init__(self, board: Any) -> None:
        self.terminal = PseudoTerminal()
        self.url = f"serial://{self.terminal.port}?baud=921600"
        self._board = board
        self._wake, self._end = os.pipe()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        master, waiting = self.terminal.master, b""
        while True:
            readable, writable, _ = select.select([master, self._wake], [master] if waiting else [], [])
            if self._wake in readable:
                return
            if master in readable:
                waiting += self._board.receive(os.read(master, 65536)) + self._board.tick()
            if master in writable:
                waiting = waiting[os.write(master, waiting) :]

    def hang_up(self) -> None:
        if self._thread.is_alive():
            os.write(self._end, b"x")
            self._thread.join(10)
            self.terminal.close()

    def close(self) -> None:
        self.hang_up()
        os.close(self._wake)
        os.close(self._end)


@pytest.fixture
def served(rig96: Rig) -> Iterator[Served]:
    served = Served(rig96.new_board())
    yield served
    served.close()


def test_a_whole_image_a_delta_and_a_run(
    served: Served, rig96: Rig, jf96: BoardSpec, holds: Callable[..., None]
) -> None:
    with Jackfield1Board(open_transport(served.url), jf96) as board:
        assert board.apply(rig96.image(1)).kind == "whole"
        holds(rig96.analog.settings, rig96.image(1))
        changed = rig96.image(1).copy()
        changed.trim[1, 95] = 129 if changed.trim[1, 95] != 129 else 130
        changed.codes["gain"][0, ::100] = 33
        assert board.apply(changed).kind == "delta"
        holds(rig96.analog.settings, changed)
        board.load_inputs(np.full((64, 96), 2048))
        board.start(rig96.program(count=64))
        assert board.finish(5) == 64
    assert rig96.analog.calls[-1] == "safe"


def test_the_next_process_finds_the_board_as_it_was(served: Served, rig96: Rig, jf96: BoardSpec) -> None:
    with Jackfield1Board(open_transport(served.url), jf96) as board:
        board.apply(rig96.image(1))
    with Jackfield1Board(open_transport(served.url), jf96) as board:
        assert board.hello.image_crc != 0
        assert board.read_image().payload(jf96) == rig96.image(1).payload(jf96)
        assert board.apply(rig96.image(1)).kind == "none"


def test_the_port_is_for_one(served: Served, jf96: BoardSpec) -> None:
    with (
        Jackfield1Board(open_transport(served.url), jf96),
        pytest.raises(LinkError, match=f"in use by process {os.getpid()}"),
    ):
        open_transport(served.url)


def test_a_hang_up_in_the_middle(served: Served, rig96: Rig, jf96: BoardSpec) -> None:
    board = Jackfield1Board(open_transport(served.url), jf96)
    served.hang_up()
    with pytest.raises(LinkError, match="plug the cable in again"):
        board.apply(rig96.image(1))
    with pytest.raises(LinkError, match="plug the cable in again"):
        board.close()
    with pytest.raises(LinkError, match="cannot be opened"):
        open_transport(served.url)
