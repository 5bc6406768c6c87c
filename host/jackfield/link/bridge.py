"""A serial cable as a process: `python -m jackfield.link.bridge`. POSIX.

The host's end is a pseudo-terminal; behind the board's end is another one, a socket on loopback, or a
recording. In between bytes take their time at a baud rate, are written down, and meet faults from a seed.
"""

import argparse
import contextlib
import json
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, TextIO

from jackfield.errors import JackfieldError, LinkError
from jackfield.link.bridge_ends import BoardEnd, Buffered, InProcess, connected
from jackfield.link.cable import Cable, CableOptions
from jackfield.link.line_faults import LineFaults
from jackfield.link.pseudo_terminal import PseudoTerminal
from jackfield.link.replay import Replay

__all__ = ["Bridge", "main"]

TICK_S: Final = 0.02  # how often an in-process board is asked what is due
FLOOD_BYTES: Final = 1 << 20  # a host that sends more than the line has carried waits


class Bridge:
    """One selectors loop between a new pseudo-terminal and `board`.

    `speed` is line time over wall time: below 1 where a line is faster than this machine. `path` becomes a
    symbolic link to the port. A hang-up closes the port and opens another: `opened` gets the path of each.
    """

    def __init__(
        self,
        board: BoardEnd | InProcess,
        options: CableOptions,
        opened: Callable[[str], None],
        speed: float = 1.0,
        record: TextIO | None = None,
        path: Path | None = None,
    ) -> None:
        self._board = board
        self._cable = Cable(options, record)
        self._opened = opened
        self._speed = speed
        self._path = path
        self._start = time.monotonic()
        self._selector = selectors.DefaultSelector()
        self._wake, self._wakes = socket.socketpair()
        self._wakes.setblocking(False)
        self._selector.register(self._wake, selectors.EVENT_READ)
        self._stopped = False
        self._watched: dict[int, int] = {}
        self._plug_in()

    @property
    def port(self) -> str:
        """The path that a host opens."""
        return str(self._path or self._terminal.port)

    def stop(self) -> None:
        """Leave `run`; from any thread or signal handler."""
        self._stopped = True
        with contextlib.suppress(OSError):  # a full pipe wakes the loop as well
            self._wakes.send(b"x")

    def run(self) -> None:
        """Carry bytes until `stop`, or LinkError where the board is gone."""
        while not self._stopped:
            self._watch()
            ready = {key.fileobj: mask for key, mask in self._selector.select(self._wait_s())}
            self._from_host(ready)
            self._from_board(ready)
            self._carry()

    def close(self) -> None:
        """Give everything back."""
        self._selector.close()
        self._terminal.close()
        self._board.close()
        self._wake.close()
        self._wakes.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def _now(self) -> float:
        """The line's own clock."""
        return (time.monotonic() - self._start) * self._speed

    def _plug_in(self) -> None:
        self._terminal = PseudoTerminal()
        self._host = Buffered(self._terminal.master)
        if self._path is not None:
            part = self._path.with_name(self._path.name + ".part")
            part.unlink(missing_ok=True)
            part.symlink_to(self._terminal.port)
            part.replace(self._path)
        self._cable.mend()
        self._opened(self.port)

    def _watch(self) -> None:
        """Ask the selector for what can be used now."""
        wanted: dict[int, int] = {}
        for end, reading in ((self._host, self._cable.waiting < FLOOD_BYTES), (self._board, True)):
            if end.descriptor is not None:
                mask = selectors.EVENT_READ * reading | selectors.EVENT_WRITE * end.full
                wanted |= {end.descriptor: mask} if mask else {}
        for descriptor in self._watched.keys() - wanted.keys():
            self._selector.unregister(descriptor)
        for descriptor, mask in wanted.items():
            if descriptor not in self._watched:
                self._selector.register(descriptor, mask)
            elif self._watched[descriptor] != mask:
                self._selector.modify(descriptor, mask)
        self._watched = wanted

    def _wait_s(self) -> float | None:
        """Until something arrives; a board in this process has to be asked what is due."""
        tick = TICK_S if self._board.descriptor is None else None
        if self._cable.next_at is None:
            return tick
        due = max(self._cable.next_at - self._now(), 0.0) / self._speed
        return due if tick is None else min(due, tick)

    def _from_host(self, ready: dict[Any, int]) -> None:
        mask = ready.get(self._host.descriptor, 0)
        if mask & selectors.EVENT_READ:
            self._cable.from_host(self._host.read(), self._now())
        if mask & selectors.EVENT_WRITE:
            self._host.write(b"")

    def _from_board(self, ready: dict[Any, int]) -> None:
        mask = ready.get(self._board.descriptor, 0) if self._board.descriptor is not None else 0
        try:
            if mask & selectors.EVENT_READ:
                self._cable.from_board(self._board.read(), self._now())
            if mask & selectors.EVENT_WRITE:
                self._board.write(b"")
            self._cable.from_board(self._board.tick(), self._now())
        except OSError as error:
            raise LinkError(f"the board behind the bridge is gone ({error}); start both again") from error

    def _carry(self) -> None:
        now = self._now()
        self._board.write(self._cable.to_board(now))
        self._cable.from_board(self._board.tick(), now)
        self._host.write(self._cable.to_host(now))
        if self._cable.hung_up:
            self._watch_no_host()
            self._terminal.close()
            self._plug_in()

    def _watch_no_host(self) -> None:
        if self._host.descriptor in self._watched:
            self._selector.unregister(self._host.descriptor)
            del self._watched[self._host.descriptor]


def main(arguments: list[str] | None = None) -> int:
    """`python -m jackfield.link.bridge`: prints a JSON line for each port that it opens; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m jackfield.link.bridge", description=__doc__)
    behind = parser.add_mutually_exclusive_group(required=True)
    behind.add_argument("--board", metavar="URL", help="socket://127.0.0.1:PORT or serial:///dev/pts/N")
    behind.add_argument("--replay", type=Path, metavar="FILE", help="play the board from a recording")
    parser.add_argument("--baud", type=int, default=0, help="pace bytes")
    parser.add_argument("--turnaround", type=float, default=0.0, metavar="MS", help="what an answer takes longer")
    parser.add_argument("--speed", type=float, default=1.0, help="line time over wall time")
    parser.add_argument("--record", type=Path, metavar="FILE", help="write everything down (JSONL)")
    parser.add_argument("--path", type=Path, help="a link to the port, which stays the same after a hang-up")
    parser.add_argument("--fault", action="append", default=[], metavar="NAME=SHARE", help=LineFaults.__doc__)
    parser.add_argument("--seed", type=int, default=0, help="of the faults")
    given = parser.parse_args(arguments)
    if given.baud < 0 or given.turnaround < 0 or given.speed <= 0:
        parser.error("--baud and --turnaround are not negative, --speed is positive")
    try:
        _serve(given)
    except (JackfieldError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _serve(given: argparse.Namespace) -> None:
    faults = LineFaults.parse(given.fault)
    options = CableOptions(given.baud, given.turnaround / 1000, faults, given.seed)
    with contextlib.ExitStack() as stack:
        record = stack.enter_context(given.record.open("w", buffering=1)) if given.record else None
        board = InProcess(Replay(given.replay.read_text().splitlines())) if given.replay else connected(given.board)
        bridge = Bridge(board, options, _announce, given.speed, record, given.path)
        stack.callback(bridge.close)
        stack.enter_context(_stopping(bridge))
        bridge.run()


@contextlib.contextmanager
def _stopping(bridge: Bridge) -> Iterator[None]:
    """SIGTERM and SIGINT end the loop."""
    before = {number: signal.signal(number, lambda *_: bridge.stop()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _announce(port: str) -> None:
    sys.stdout.write(json.dumps({"url": f"serial://{port}", "pid": os.getpid()}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
