"""The conformance suite on the firmware, run three ways."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from jackfield.board import BoardSpec
from jackfield.device import conformance
from jackfield.link import AbstractTransport

Way = Callable[[], AbstractContextManager[AbstractTransport]]


def test_the_suite_passes(way: Way, jf16: BoardSpec) -> None:
    with way() as line:
        results = conformance(line, jf16)
    assert len(results) > 10
    assert [f"{result.name}: {result.reason}" for result in results if result.failed] == []
    missing = {result.name for result in results if result.outcome == "not here"}
    assert missing <= {"flash", "route_range"}  # of a board without flash; every route of jf16 exists
