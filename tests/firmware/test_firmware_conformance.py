"""The conformance suite on the firmware, run three ways, by the driver's line and by the verb."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from jackfield.board import BoardSpec, ConfigImage
from jackfield.cli import main
from jackfield.device import Jackfield1Board, conformance
from jackfield.errors import LinkError
from jackfield.link import AbstractTransport
from jackfield.testing import LoopbackTransport
from jackfield.testing.firmware import FirmwareLibrary

Way = Callable[[], AbstractContextManager[AbstractTransport]]
Served = Callable[[], AbstractContextManager[str]]
NOT_ON_JF16 = {"flash", "route_range"}  # of a board without flash; every route of jf16 exists


class Restarting(LoopbackTransport):
    """The power comes back where it failed; waiting takes only its own time."""

    def __init__(self, library: FirmwareLibrary) -> None:
        super().__init__(library)
        self._library, self._now = library, 0.0

    def now(self) -> float:
        return self._now

    def write(self, data: bytes) -> None:
        self._ready += self._library.receive(data)
        if not self._library.powered:
            self._library.power_on()

    def read(self, timeout_s: float) -> bytes:
        data = super().read(timeout_s)
        self._now += 0.0 if data else timeout_s
        return data


def failures(line: AbstractTransport, spec: BoardSpec) -> list[str]:
    results = conformance(line, spec)
    assert len(results) > 10
    assert {result.name for result in results if result.outcome == "not here"} <= NOT_ON_JF16
    return [f"{result.name}: {result.reason}" for result in results if result.failed]


def test_the_suite_passes(way: Way, jf16: BoardSpec) -> None:
    with way() as line:
        assert failures(line, jf16) == []


def test_the_verb_on_its_port(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    with served() as url:
        status = main(["conformance", "--port", f"{url}?baud=115200", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert (status, found["passed"], found["board"]) == (0, True, "jf16")
    assert {check["name"] for check in found["checks"] if check["outcome"] != "passed"} <= NOT_ON_JF16


def test_the_suite_passes_after_a_power_cut_at_every_flash_operation(
    library16: FirmwareLibrary, jf16: BoardSpec
) -> None:
    image, erased = ConfigImage.safe(jf16), b"\xff" * len(library16.flash)

    def commit(cut_at: int) -> AbstractTransport:
        library16.flash = erased
        library16.power_on()
        line = Restarting(library16)
        board = Jackfield1Board(line, jf16)
        board.apply(image)
        library16.cut(cut_at, 7)
        board.commit()
        return line

    commit(0)
    operations = library16.operations
    assert operations >= 10
    for operation in range(1, operations + 1):
        with pytest.raises(LinkError, match="started anew"):
            commit(operation)
        library16.cut(0, 0)
        assert failures(Restarting(library16), jf16) == []
