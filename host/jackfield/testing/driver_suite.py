"""The suite for instrument drivers: an emulated instrument numbers its readings, a fault port spoils its answers.

A driver may refuse a reading with an InstrumentError as often as it likes; it must never give a wrong one.
"""

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

from jackfield.bench import VisaSession
from jackfield.emulator import FaultPort, Faults, Instrument, Loop, Randomness, serve_instrument
from jackfield.errors import InstrumentError

__all__ = ["DOORS", "DriverCase", "Readings", "check_driver", "numbered_readings", "served"]

DOORS: Final = ("hislip", "vxi11", "socket")
TIMEOUT_S: Final = 0.1
UNHURRIED_S: Final = 5.0  # where there are no faults, so that a busy machine is none either
LONGEST_S: Final = 10.0  # that one reading may take under faults, with all that it sends before
KINDS: Final = FaultPort.KINDS


@dataclass(frozen=True)
class DriverCase:
    """One driver and the instrument that it is held against.

    `make(session)` gives the driver; `read(driver)` takes one reading and gives the number it carries; `issued()`
    is the number of the last reading that the instrument made. `share` is the share of answers that are spoilt in
    the long run; a driver that asks many questions a reading wants it small. `choosy` drivers refuse other makers'
    instruments.
    """

    name: str
    instrument: Instrument
    make: Callable[[VisaSession], Any]
    read: Callable[[Any], int]
    issued: Callable[[], int]
    share: float = 0.03
    choosy: bool = True


@dataclass
class Readings:
    """What came of numbered readings; `met` counts faults by kind."""

    right: int = 0
    wrong: int = 0
    refused: int = 0
    longest_s: float = 0.0
    met: Mapping[str, int] = field(default_factory=dict)


@contextmanager
def served(instrument: Instrument, faults: Faults, seed: int) -> Iterator[tuple[Mapping[str, str], FaultPort]]:
    """The instrument behind its doors in a thread of its own: VISA resources by door, and the fault port."""
    ours, theirs = socket.socketpair()
    loop = Loop()
    loop.watch(theirs, loop.stop)
    randomness = Randomness("driver suite", "ideal", seed)
    resources, port = serve_instrument(loop, instrument, faults, randomness, "suite")
    thread = threading.Thread(target=loop.run)
    thread.start()
    try:
        yield resources, port
    finally:
        ours.send(b"x")
        thread.join()
        loop.close()
        ours.close()
        theirs.close()


def numbered_readings(
    case: DriverCase, count: int, faults: Faults, door: str, seed: int = 1, timeout_s: float = TIMEOUT_S
) -> Readings:
    """`count` right readings of `case` through `door`, faults or not; a wrong one is counted and gone past.

    A reading is wrong where its number is not that of the last one made, or that was made before it was asked for.
    """
    found = Readings()
    with served(case.instrument, faults, seed) as (resources, port):
        found.met = port.met
        driver = _made(case, resources[door], timeout_s, found)
        try:
            while found.right + found.wrong < count:
                _read_one(case, driver, found)
        finally:
            driver.close()
    return found


def _made(case: DriverCase, resource: str, timeout_s: float, found: Readings) -> Any:
    """The driver; it is opened again where a fault meets its first question."""
    while True:
        session = None
        try:
            session = VisaSession(resource, timeout_s=timeout_s)
            return case.make(session)
        except InstrumentError:
            found.refused += 1
            if session is not None:
                session.close()


def _read_one(case: DriverCase, driver: Any, found: Readings) -> None:
    before, begin = case.issued(), time.monotonic()
    try:
        number = case.read(driver)
    except InstrumentError:
        found.refused += 1
    else:
        fresh = number == case.issued() and number != before
        found.right, found.wrong = found.right + fresh, found.wrong + (not fresh)
    found.longest_s = max(found.longest_s, time.monotonic() - begin)


def check_driver(case: DriverCase, readings: int = 4) -> list[str]:
    """What is wrong with a driver, a line each; an empty list is a pass.

    Whatever leaves the driver that is not an InstrumentError goes through to the caller.
    """
    problems = []
    for door in DOORS:
        found = numbered_readings(case, readings, Faults(), door, timeout_s=UNHURRIED_S)
        if found.wrong or found.refused:
            problems.append(f"{door}, no fault: {found.wrong} wrong and {found.refused} refused of {readings}")
    for number, kind in enumerate(KINDS):
        door = DOORS[number % len(DOORS)]
        faults = replace(Faults(late_s=1.5 * TIMEOUT_S), **{kind: min(5 * case.share, 0.2)})  # type: ignore[arg-type]
        found = numbered_readings(case, readings, faults, door)
        if found.wrong:
            problems.append(f"{door}, {kind}: {found.wrong} wrong readings of {readings}")
        if found.longest_s > LONGEST_S:
            problems.append(f"{door}, {kind}: one reading took {found.longest_s:.1f} s")
    return problems + (_refuses_others(case) if case.choosy else [])


def _refuses_others(case: DriverCase) -> list[str]:
    """A driver must not take another maker's instrument for its own; what it refuses it leaves closed."""
    with served(_Stranger(), Faults(), 1) as (resources, _):
        session = VisaSession(resources["hislip"], timeout_s=TIMEOUT_S)
        try:
            case.make(session)
        except InstrumentError:
            return []
        finally:
            session.close()
    return ["it takes an instrument that says 'NOBODY,NOTHING,0,0' for its own"]


class _Stranger:
    """Says who it is, and nothing else."""

    overload_next = False
    status_byte = 0

    @property
    def core(self) -> "_Stranger":
        return self

    def execute(self, message: str) -> bytes | None:
        """Answer *IDN? alone."""
        return b"NOBODY,NOTHING,0,0" if message == "*IDN?" else None
