"""VXI-11 (TCP/IP Instrument Protocol, core channel) over ONC RPC (RFC 5531) and XDR (RFC 4506).

There is no port mapper: port 111 needs rights that an emulator has not. A client names the port itself. Each
link has an output queue as IEEE 488.2 asks: a message that comes while an answer waits throws the answer away.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from jackfield.emulator.loop import Loop, Stream
from jackfield.emulator.socket_door import Answerer

__all__ = ["Vxi11Server"]

CORE_PROGRAM, CORE_VERSION = 0x0607AF, 1
CREATE_LINK, WRITE, READ, READ_STATUS, TRIGGER, CLEAR = 10, 11, 12, 13, 14, 15
REMOTE, LOCAL, LOCK, UNLOCK, DESTROY_LINK = 16, 17, 18, 19, 23
NO_ERROR, INVALID_LINK, LOCKED, NOT_LOCKED, TIMEOUT, IO_ERROR = 0, 4, 11, 12, 15, 17
END, TERMINATOR_SET, REASON_COUNT, REASON_TERMINATOR, REASON_END = 8, 128, 1, 2, 4
LARGEST_WRITE = 1 << 20
LARGEST_RECORD = LARGEST_WRITE + 1024


@dataclass
class _Link:
    """One client's link; `waiting` sends the answer to a read that found nothing yet."""

    stream: Stream
    message: bytearray = field(default_factory=bytearray)
    output: bytes = b""
    epoch: int = 0
    waiting: Callable[[], None] | None = None


class Vxi11Server:
    """Serves one instrument on a free loopback port, `port`."""

    def __init__(self, loop: Loop, answerer: Answerer, status_byte: Callable[[], int]) -> None:
        self._loop = loop
        self._answerer = answerer
        self._status_byte = status_byte
        self._links: dict[int, _Link] = {}
        self._next_id = 1
        self._locked_by = 0
        self.port = loop.listen(self._connect)

    def _connect(self, stream: Stream) -> None:
        unread, record = bytearray(), bytearray()

        def received(data: bytes) -> None:
            unread.extend(data)
            while len(unread) >= 4:
                mark = int.from_bytes(unread[:4])
                length = mark & 0x7FFFFFFF
                if length + len(record) > LARGEST_RECORD:
                    stream.close()
                    return
                if len(unread) < 4 + length:
                    return
                record.extend(unread[4 : 4 + length])
                del unread[: 4 + length]
                if mark >> 31:
                    whole = bytes(record)
                    record.clear()
                    self._call(stream, whole)

        stream.received = received
        stream.closed = partial(self._gone, stream)

    def _gone(self, stream: Stream) -> None:
        for number in [number for number, link in self._links.items() if link.stream is stream]:
            self._destroy(number)

    def _call(self, stream: Stream, record: bytes) -> None:
        try:
            xid, kind, version, program, program_version, procedure = struct.unpack_from(">6I", record)
            at = 24
            for _ in range(2):  # credentials and verifier: any
                _, length = struct.unpack_from(">2I", record, at)
                at += 8 + (length + 3) // 4 * 4
            arguments = record[at:]
            if kind != 0 or version != 2:
                raise struct.error
            self._dispatch(stream, xid, (program, program_version), procedure, arguments)
        except struct.error:
            stream.close()

    def _dispatch(self, stream: Stream, xid: int, program: tuple[int, int], procedure: int, arguments: bytes) -> None:
        if program != (CORE_PROGRAM, CORE_VERSION):
            _reply(stream, xid, b"", accept=1)
            return
        if procedure == 0:
            _reply(stream, xid, b"")
            return
        if procedure == CREATE_LINK:
            _reply(stream, xid, self._create(stream, arguments))
            return
        (number,) = struct.unpack_from(">i", arguments)
        link = self._links.get(number)
        if link is None:
            _reply(stream, xid, struct.pack(">3i", INVALID_LINK, 0, 0))
            return
        if self._locked_by not in (0, number) and procedure not in (DESTROY_LINK, UNLOCK, READ_STATUS):
            _reply(stream, xid, struct.pack(">3i", LOCKED, 0, 0))
            return
        simple = {TRIGGER: self._trigger, CLEAR: self._clear, LOCK: self._lock, UNLOCK: self._unlock}
        if procedure == WRITE:
            _reply(stream, xid, self._write(link, arguments))
        elif procedure == READ:
            self._read(link, xid, arguments)
        elif procedure == READ_STATUS:
            _reply(stream, xid, struct.pack(">iI", NO_ERROR, self._status_byte()))
        elif procedure in simple:
            _reply(stream, xid, struct.pack(">i", simple[procedure](number)))
        elif procedure in (REMOTE, LOCAL, DESTROY_LINK):
            if procedure == DESTROY_LINK:
                self._destroy(number)
            _reply(stream, xid, struct.pack(">i", NO_ERROR))
        else:
            _reply(stream, xid, b"", accept=3)

    def _create(self, stream: Stream, arguments: bytes) -> bytes:
        _, lock = struct.unpack_from(">iI", arguments)
        if lock and self._locked_by:
            return struct.pack(">iiII", LOCKED, 0, 0, 0)
        number, self._next_id = self._next_id, self._next_id + 1
        self._links[number] = _Link(stream)
        self._locked_by = number if lock else self._locked_by
        return struct.pack(">iiII", NO_ERROR, number, 0, LARGEST_WRITE)

    def _destroy(self, number: int) -> None:
        self._links.pop(number, None)
        self._locked_by = 0 if self._locked_by == number else self._locked_by

    def _write(self, link: _Link, arguments: bytes) -> bytes:
        _, _, _, flags, length = struct.unpack_from(">iIIiI", arguments)
        link.message += arguments[20 : 20 + length]
        if flags & END:
            text = link.message.decode("latin-1").strip()
            link.message.clear()
            link.output, link.epoch = b"", link.epoch + 1
            for line in text.split("\n"):
                self._ask(link, line.strip())
        return struct.pack(">iI", NO_ERROR, length)

    def _ask(self, link: _Link, text: str) -> None:
        epoch = link.epoch

        def answer(data: bytes | None) -> None:
            if data is None:
                link.stream.close()
            elif link.epoch == epoch:
                link.output += data
                if link.waiting is not None:
                    link.waiting()

        self._answerer(text, answer)

    def _read(self, link: _Link, xid: int, arguments: bytes) -> None:
        _, size, io_timeout, _, flags, terminator = struct.unpack_from(">iIIIii", arguments)

        def send() -> None:
            link.waiting = None
            stop, reason = min(size, len(link.output)), 0
            if flags & TERMINATOR_SET:
                found = link.output.find(bytes([terminator & 0xFF]), 0, stop)
                stop, reason = (found + 1, REASON_TERMINATOR) if found >= 0 else (stop, reason)
            data, link.output = link.output[:stop], link.output[stop:]
            reason |= REASON_END if not link.output else REASON_COUNT if len(data) == size else 0
            _reply(link.stream, xid, struct.pack(">iiI", NO_ERROR, reason, len(data)) + _padded(data))

        def give_up() -> None:
            if link.waiting is send:
                link.waiting = None
                _reply(link.stream, xid, struct.pack(">iiI", TIMEOUT, 0, 0))

        if link.output:
            send()
        else:
            link.waiting = send
            self._loop.call_later(io_timeout / 1e3, give_up)

    def _trigger(self, number: int) -> int:
        self._ask(self._links[number], "*TRG")
        return NO_ERROR

    def _clear(self, number: int) -> int:
        link = self._links[number]
        link.output, link.epoch = b"", link.epoch + 1
        link.message.clear()
        return NO_ERROR

    def _lock(self, number: int) -> int:
        self._locked_by = number
        return NO_ERROR

    def _unlock(self, number: int) -> int:
        if self._locked_by != number:
            return NOT_LOCKED
        self._locked_by = 0
        return NO_ERROR


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _reply(stream: Stream, xid: int, body: bytes, accept: int = 0) -> None:
    """An accepted reply with an empty verifier, as one record of one fragment."""
    record = struct.pack(">6I", xid, 1, 0, 0, 0, accept) + body
    stream.write(struct.pack(">I", 0x80000000 | len(record)) + record)
