"""One `selectors` loop for everything the emulator serves: board, instrument doors, timers."""

import heapq
import itertools
import selectors
import socket
import time
from collections.abc import Callable
from typing import Protocol

__all__ = ["Channel", "Loop", "Stream"]

CHUNK = 65536


class Channel(Protocol):
    """What a stream reads and writes without blocking: a socket, or the master of a pty."""

    def fileno(self) -> int:
        """The descriptor to select on."""

    def recv(self, size: int, /) -> bytes:
        """At most `size` bytes, b"" at the end; BlockingIOError if there is none yet."""

    def send(self, data: memoryview, /) -> int:
        """How many bytes were taken."""

    def close(self) -> None:
        """Give the descriptor back."""


class Loop:
    """Calls what is ready, one after the other, until `stop`; nothing in it may block."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._stopped = False
        self._streams: set[Stream] = set()
        self._listeners: list[socket.socket] = []

    def stop(self) -> None:
        """Leave `run` after the call under way."""
        self._stopped = True

    def call_later(self, delay_s: float, call: Callable[[], None]) -> None:
        """Call once, `delay_s` from now; same delays keep their order."""
        heapq.heappush(self._timers, (time.monotonic() + delay_s, next(self._order), call))

    def watch(self, fileobj: int | socket.socket, ready: Callable[[], None]) -> None:
        """Call `ready` whenever `fileobj` can be read."""
        self._selector.register(fileobj, selectors.EVENT_READ, lambda mask: ready())

    def forget(self, fileobj: int | socket.socket) -> None:
        """Undo `watch`."""
        self._selector.unregister(fileobj)

    def listen(self, connected: Callable[["Stream"], None]) -> int:
        """Accept on a free loopback port, which is returned; `connected` gets each new stream."""
        server = socket.create_server(("127.0.0.1", 0), backlog=16)
        server.setblocking(False)
        self._listeners.append(server)
        self.watch(server, lambda: self._accept(server, connected))
        return int(server.getsockname()[1])

    def stream(self, channel: Channel) -> "Stream":
        """A stream on a non-blocking channel."""
        stream = Stream(self._selector, channel, self._streams.discard)
        self._streams.add(stream)
        return stream

    def run(self) -> None:
        """Serve until `stop`."""
        while not self._stopped:
            for key, mask in self._selector.select(self._fire_due()):
                if key.fileobj in self._selector.get_map():
                    key.data(mask)

    def close(self) -> None:
        """Hang up on everybody."""
        for stream in list(self._streams):
            stream.close()
        for server in self._listeners:
            server.close()
        self._selector.close()

    def _accept(self, server: socket.socket, connected: Callable[["Stream"], None]) -> None:
        try:
            connection, _ = server.accept()
        except (BlockingIOError, ConnectionError):
            return
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connected(self.stream(connection))

    def _fire_due(self) -> float | None:
        while self._timers and not self._stopped:
            wait = self._timers[0][0] - time.monotonic()
            if wait > 0:
                return wait
            heapq.heappop(self._timers)[2]()
        return 0 if self._stopped else None


class Stream:
    """Buffered writes and read callbacks on one channel."""

    def __init__(self, selector: selectors.BaseSelector, channel: Channel, gone: Callable[["Stream"], None]) -> None:
        self._selector = selector
        self._channel = channel
        self._gone = gone
        self._waiting = bytearray()
        self._open = True
        self.received: Callable[[bytes], None] = lambda data: None
        self.closed: Callable[[], None] = lambda: None
        selector.register(channel, selectors.EVENT_READ, self._ready)

    def write(self, data: bytes | memoryview) -> None:
        """Send, or keep until the other side takes it; dropped without a word after the stream's end."""
        if not self._open or not data:
            return
        sent = 0
        if not self._waiting:  # nothing is in front of it: a long record is not copied first
            try:
                sent = self._channel.send(memoryview(data))
            except BlockingIOError:
                pass
            except OSError:
                self.close()
                return
        if sent < len(data):
            self._waiting += memoryview(data)[sent:]
            self._flush()

    def close(self) -> None:
        """Close at once; what still waits is lost."""
        if self._open:
            self._open = False
            self._selector.unregister(self._channel)
            self._channel.close()
            self._gone(self)
            self.closed()

    def _ready(self, mask: int) -> None:
        if mask & selectors.EVENT_WRITE:
            self._flush()
        if self._open and mask & selectors.EVENT_READ:
            self._read()

    def _read(self) -> None:
        try:
            data = self._channel.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self.received(data)
        else:
            self.close()

    def _flush(self) -> None:
        try:
            with memoryview(self._waiting) as view:
                sent = self._channel.send(view)
            del self._waiting[:sent]
        except BlockingIOError:
            pass
        except OSError:
            self.close()
            return
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._waiting else 0)
        if self._selector.get_key(self._channel).events != events:
            self._selector.modify(self._channel, events, self._ready)
