"""What stands at the two ends of a bridge: buffered descriptors, and the boards behind it. POSIX."""

import os
import socket
import tty
from collections.abc import Callable
from typing import Final, Protocol
from urllib.parse import urlsplit

from jackfield.errors import LinkError
from jackfield.link.lock import ResourceLock

__all__ = ["BoardEnd", "Buffered", "InProcess", "connected"]

CHUNK: Final = 65536
LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
CONNECT_TIMEOUT_S: Final = 5.0


class _Board(Protocol):
    def receive(self, data: bytes) -> bytes:
        """Bytes from the host; bytes for the host."""

    def tick(self) -> bytes:
        """Do what is due; bytes for the host."""


class Buffered:
    """A non-blocking descriptor; what it does not take at once waits."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor: int | None = descriptor
        self._waiting = bytearray()

    @property
    def full(self) -> bool:
        """Whether something waits to be written."""
        return bool(self._waiting)

    def write(self, data: bytes) -> None:
        """Write, or keep for later; raises OSError where the other side is gone."""
        self._waiting += data
        try:
            while self._waiting and self.descriptor is not None:
                del self._waiting[: os.write(self.descriptor, self._waiting[:CHUNK])]
        except BlockingIOError:
            return

    def read(self) -> bytes:
        """What is there; raises OSError where the other side is gone."""
        assert self.descriptor is not None
        try:
            data = os.read(self.descriptor, CHUNK)
        except BlockingIOError:
            return b""
        if not data:
            raise ConnectionResetError("the other side closed it")
        return data


class BoardEnd(Buffered):
    """A board behind a descriptor, to be given back with `close`."""

    def __init__(self, descriptor: int, lock: ResourceLock) -> None:
        super().__init__(descriptor)
        self._lock = lock

    def tick(self) -> bytes:
        """A board of its own process needs no time from us."""
        return b""

    def close(self) -> None:
        """Hang up."""
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None
            self._lock.release()


class InProcess:
    """A board's state machine in the bridge's own process, in the place of a BoardEnd."""

    descriptor = None
    full = False

    def __init__(self, board: _Board) -> None:
        self._board = board
        self._answers = bytearray()

    def write(self, data: bytes) -> None:
        """Let the board answer."""
        self._answers += self._board.receive(data)

    def read(self) -> bytes:
        """Answers so far."""
        answers, self._answers = bytes(self._answers), bytearray()
        return answers

    def tick(self) -> bytes:
        """Let the board do what is due."""
        return self.read() + self._board.tick()

    def close(self) -> None:
        """Nothing to give back."""


def connected(url: str) -> BoardEnd:
    """The board at `socket://127.0.0.1:PORT` or `serial:///dev/...` (a pty), locked against other processes.

    Raises LinkError where it is neither, or lies beyond this machine, or does not answer or is in use.
    """
    parts = urlsplit(url)
    open_it: Callable[[], int]
    if parts.scheme == "socket" and parts.hostname in LOOPBACK and parts.port:
        key, open_it = url, lambda: _socket(str(parts.hostname), int(parts.port or 0))
    elif parts.scheme == "serial" and parts.path:
        key, open_it = os.path.realpath(parts.path), lambda: _terminal(parts.path)
    else:
        raise LinkError(f"a bridge to {url!r} is asked; write socket://127.0.0.1:PORT or serial:///dev/pts/N")
    lock = ResourceLock(f"board at {url}", key)
    lock.acquire()
    try:
        return BoardEnd(open_it(), lock)
    except OSError as error:
        lock.release()
        raise LinkError(f"nothing answers at {url}: {error}; start the board or correct the URL") from error


def _socket(host: str, port: int) -> int:
    with socket.create_connection((host, port), timeout=CONNECT_TIMEOUT_S) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setblocking(False)
        return connection.detach()


def _terminal(path: str) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    tty.setraw(descriptor)
    return descriptor
