"""The cable is pulled in the middle of an upload, and plugged in again."""

from collections.abc import Callable
from typing import Any

import pytest

from jackfield.board import BoardSpec
from jackfield.device import Jackfield1Board
from jackfield.emulator.settings import Settings
from jackfield.errors import BoardError, LinkError
from jackfield.testing import LoopbackTransport

Rig = Any  # tests/device/conftest.py
Holds = Callable[[Settings | None, Any], None]
PLUGGED_IN = 1 << 60


class Cable(LoopbackTransport):
    """Carries `left` more bytes to the board, then is pulled until `reconnect`; counts what was sent."""

    left = PLUGGED_IN
    sent = 0
    found_again = False

    def write(self, data: bytes) -> None:
        passed, self.left = data[: self.left], max(self.left - len(data), 0)
        self.sent += len(passed)
        super().write(passed)
        if not self.left:
            self._ready.clear()
            raise LinkError("the cable was pulled")

    def read(self, timeout_s: float) -> bytes:
        if not self.left:
            raise LinkError("the cable was pulled")
        return super().read(timeout_s)

    def reconnect(self, patience_s: float) -> None:
        self.left = PLUGGED_IN
        self._ready.clear()


def connected(rig: Rig) -> tuple[Cable, Jackfield1Board]:
    cable = Cable(rig.new_board())
    return cable, Jackfield1Board(cable, rig.spec)


def bytes_of(rig: Rig, kind: str) -> int:
    """What an undisturbed upload sends, in bytes."""
    cable, board = connected(rig)
    if kind == "delta":
        board.apply(rig.image(1, 2))
    cable.sent = 0
    assert board.apply(rig.image(2, None if kind == "whole" else 900)).kind == kind
    return cable.sent


@pytest.mark.parametrize("kind", ["whole", "delta"])
@pytest.mark.parametrize("share", [0.05, 0.3, 0.6])
def test_an_upload_goes_on_at_the_staged_offset(rig96: Rig, holds: Holds, kind: str, share: float) -> None:
    undisturbed = bytes_of(rig96, kind)
    cable, board = connected(rig96)
    if kind == "delta":
        board.apply(rig96.image(1, 2))
    image = rig96.image(2, None if kind == "whole" else 900)
    cable.sent, cable.left = 0, int(share * undisturbed)
    with pytest.raises(LinkError, match="pulled"):
        board.apply(image)
    board.reconnect()
    report = board.apply(image)
    assert (report.kind, report.verified) == (kind, True)
    holds(rig96.analog.settings, image)
    link = rig96.spec.link
    assert cable.sent - undisturbed <= (link.window + 1) * link.frame_bytes


@pytest.mark.parametrize("kind", ["whole", "delta"])
def test_what_has_been_checked_is_not_sent_again(rig96: Rig, holds: Holds, kind: str) -> None:
    """The cable goes while the board reads back, when everything has arrived."""
    undisturbed = bytes_of(rig96, kind)
    cable, board = connected(rig96)
    if kind == "delta":
        board.apply(rig96.image(1, 2))
    image = rig96.image(2, None if kind == "whole" else 900)
    cable.sent, cable.left = 0, undisturbed - 20  # all but the last request to read and the apply
    with pytest.raises(LinkError, match="pulled"):
        board.apply(image)
    board.reconnect()
    cable.sent = 0
    report = board.apply(image)
    assert report.kind == kind
    holds(rig96.analog.settings, image)
    assert cable.sent < report.bytes / 2  # the requests to read alone


def test_a_usb_adapter_is_waited_for(rig96: Rig, holds: Holds) -> None:
    cable, board = connected(rig96)
    cable.found_again = True
    cable.left = 20_000
    assert board.apply(rig96.image(1)).verified
    holds(rig96.analog.settings, rig96.image(1))


def test_another_board_behind_the_cable_is_refused(rig: Rig) -> None:
    _, board = connected(rig)
    rig.digital._board_id = "5A31-0008"
    with pytest.raises(BoardError, match="board 5A31-0007 was connected, board 5A31-0008 is now"):
        board.reconnect()


def test_a_board_that_lost_its_power_with_the_cable_gets_everything(rig96: Rig, holds: Holds, jf96: BoardSpec) -> None:
    cable, board = connected(rig96)
    board.apply(rig96.image(1))
    cable.left = 20_000
    with pytest.raises(LinkError, match="pulled"):
        board.apply(rig96.image(2))
    rig96.digital._power_up()
    board.reconnect()
    assert board.apply(rig96.image(2)).kind == "whole"
    holds(rig96.analog.settings, rig96.image(2))
