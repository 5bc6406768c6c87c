"""The serial port of the emulated board: a pseudo-terminal, or a loopback socket on Windows."""

import os
import sys
import time
from collections.abc import Callable
from functools import partial

from jackfield.emulator.digital import DigitalBoard
from jackfield.emulator.faults import ByteFaults, Faults
from jackfield.emulator.loop import Loop, Stream
from jackfield.emulator.randomness import Randomness

__all__ = ["BoardPort", "TerminalChannel"]

TICK_S = 0.05
BITS_A_BYTE = 10  # 8N1
PIECE_S = 0.005  # paced bytes move in pieces of this length


class BoardPort:
    """Moves bytes between the host's port, `url`, and the board; calls `tick` of the board.

    As on a real line nobody is understood who runs at another rate than the board.
    """

    def __init__(self, loop: Loop, board: DigitalBoard, faults: Faults, randomness: Randomness, baud: int) -> None:
        self._loop = loop
        self._board = board
        self._stream: Stream | None = None
        self._hangup = faults.hangup
        self._received = 0
        self._agreed = board.baud
        self._host_baud: Callable[[], int] = lambda: 0
        spoil_in, spoil_out = (ByteFaults(faults, randomness, way) for way in ("to the board", "to the host"))
        self._inward = _Pace(loop, baud, lambda data: self._to_board(spoil_in(data)))
        self._outward = _Pace(loop, baud, lambda data: self._to_host(spoil_out(data)))
        self.url = self._listen() if sys.platform == "win32" else self._open_terminal()
        self._tick()

    def _open_terminal(self) -> str:
        from jackfield.link.pseudo_terminal import PseudoTerminal  # no such module's imports on Windows

        terminal = PseudoTerminal()
        self._host_baud = lambda: terminal.baud
        self._connect(self._loop.stream(TerminalChannel(terminal.master, terminal.close)))
        return f"serial://{terminal.port}"

    def _listen(self) -> str:
        return f"socket://127.0.0.1:{self._loop.listen(self._connect)}"

    def _connect(self, stream: Stream) -> None:
        self._stream = stream
        stream.received = self._inward.push

    def _to_board(self, data: bytes) -> None:
        self._received += len(data)
        if self._hangup and self._received >= self._hangup and self._stream is not None:
            self._stream.close()
            return
        self._send(self._board.receive(self._at_one_rate(data)))
        self._send(self._board.tick())  # the answer has left: now what it announced
        self._follow_rate()

    def _send(self, data: bytes) -> None:
        if data:
            self._outward.push(self._at_one_rate(data))

    def _at_one_rate(self, data: bytes) -> bytes:
        """What the other side makes of `data`: at another rate as many bytes, all of them wrong but the breaks."""
        if self._host_baud() in (0, self._board.baud):
            return data
        return bytes(byte and byte % 255 + 1 for byte in data)

    def _follow_rate(self) -> None:
        """A paced line runs at the rate that the two sides agreed on."""
        if self._board.baud != self._agreed:
            self._agreed = self._board.baud
            self._inward.change(self._agreed)
            self._outward.change(self._agreed)

    def _to_host(self, data: bytes) -> None:
        if self._stream is not None:
            self._stream.write(data)

    def _tick(self) -> None:
        self._send(self._board.tick())
        self._follow_rate()
        self._loop.call_later(TICK_S, self._tick)


class _Pace:
    """One direction of a line that carries `baud` bits a second; 0 is as fast as it goes."""

    def __init__(self, loop: Loop, baud: int, deliver: Callable[[bytes], None]) -> None:
        self._loop = loop
        self._baud = baud
        self._deliver = deliver
        self._free_at = 0.0

    def change(self, baud: int) -> None:
        """From the next byte on, if there is a pace at all."""
        self._baud = baud if self._baud else 0

    def push(self, data: bytes) -> None:
        if not data:
            return
        if not self._baud:
            self._deliver(data)
            return
        now = time.monotonic()
        size = max(1, int(self._baud / BITS_A_BYTE * PIECE_S))
        for at in range(0, len(data), size):
            piece = data[at : at + size]
            self._free_at = max(now, self._free_at) + len(piece) * BITS_A_BYTE / self._baud
            self._loop.call_later(self._free_at - now, partial(self._deliver, piece))


class TerminalChannel:
    """The master of a pty, as a Channel."""

    def __init__(self, master: int, close: Callable[[], None]) -> None:
        self._master = master
        self.close = close

    def fileno(self) -> int:
        return self._master

    def recv(self, size: int, /) -> bytes:
        return os.read(self._master, size)

    def send(self, data: memoryview, /) -> int:
        return os.write(self._master, data)
