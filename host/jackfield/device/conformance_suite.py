"""All checks, on a board behind a transport."""

from collections.abc import Callable

from jackfield.board import BoardSpec
from jackfield.device.conformance import CheckResult, run_checks
from jackfield.device.conformance_image import IMAGE_CHECKS
from jackfield.device.conformance_link import LINK_CHECKS
from jackfield.device.conformance_refusals import REFUSAL_CHECKS
from jackfield.device.driver_conformance import driver_conformance
from jackfield.link import AbstractTransport

__all__ = ["conformance"]


def conformance(
    transport: AbstractTransport, spec: BoardSpec, told: Callable[[CheckResult], None] = lambda result: None
) -> list[CheckResult]:
    """Whether the board of type `spec` behind `transport` keeps to PROTOCOL.md, check by check.

    A board of another dialect is asked through its driver instead, whether that keeps to AbstractBoard.

    No output is driven. The board is left safe, with an image that has no enabled cell; what it held is lost,
    unless it is in its flash. Raises LinkError where nothing answers or the line goes.
    """
    if spec.dialect != "jackfield-1":
        return driver_conformance(transport, spec, told)
    return run_checks(transport, spec, (*LINK_CHECKS, *IMAGE_CHECKS, *REFUSAL_CHECKS), told)
