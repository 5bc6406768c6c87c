"""`jackfield conformance`, on a good board and on one that is wrong."""

import os
import threading
from collections.abc import Iterator

import pytest

from jackfield.board import BoardSpec
from jackfield.emulator import DigitalBoard
from jackfield.link import CableOptions

from .conftest import Jackfield

if os.name != "posix":
    pytest.skip("pseudo-terminals are a POSIX thing", allow_module_level=True)

from jackfield.link.bridge import Bridge
from jackfield.link.bridge_ends import InProcess


class NoOutput:
    """An analog half that must not be run."""

    def configure(self, settings: object) -> None:
        pass

    def run(self, *_: object) -> None:
        raise AssertionError("a check has asked for a run")

    def safe(self) -> None:
        pass


class Forgetful(DigitalBoard):
    """Throws everything away that holds the message stop."""

    def receive(self, data: bytes) -> bytes:
        return b"" if len(data) < 12 and data[1:2] == b"\4" else super().receive(data)


@pytest.fixture(params=[DigitalBoard, Forgetful])
def port(request: pytest.FixtureRequest, jf16: BoardSpec) -> Iterator[str]:
    board = request.param(jf16, NoOutput(), lambda: 0.0, "5A31-0007")
    bridge = Bridge(InProcess(board), CableOptions(), lambda port: None)
    thread = threading.Thread(target=bridge.run)
    thread.start()
    yield bridge.port
    bridge.stop()
    thread.join(20)
    bridge.close()


@pytest.mark.parametrize("port", [DigitalBoard], indirect=True)
def test_a_good_board(jackfield: Jackfield, port: str) -> None:
    ran = jackfield("conformance", "--port", port)
    assert ran.status == 0
    assert "passed    rollback: rollback brings the configuration before the last apply back, once." in ran.out
    assert ran.out.splitlines()[-1] == "30 of 32 checks passed, 0 failed"
    values = jackfield("conformance", "--port", port, "--board", "jf16", "--json").values
    assert values["passed"]
    assert all(check["exchange"] == [] for check in values["checks"])


@pytest.mark.parametrize("port", [Forgetful], indirect=True)
def test_a_failure_shows_its_exchange(jackfield: Jackfield, port: str) -> None:
    ran = jackfield("conformance", "--port", port, "--json")
    assert ran.status == 1
    assert not ran.values["passed"]
    failed = {check["name"]: check for check in ran.values["checks"] if check["outcome"] == "failed"}
    assert "stop" in failed
    assert "0x84 did not come within" in failed["stop"]["reason"]
    assert [key for line in failed["stop"]["exchange"] for key in line][-1] == "sent"


def test_a_board_has_to_be_named(jackfield: Jackfield) -> None:
    ran = jackfield("conformance")
    assert ran.status == 1
    assert "--port /dev/ttyUSB0" in ran.err
