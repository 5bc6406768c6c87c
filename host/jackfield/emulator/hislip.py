"""HiSLIP 1.0 server (IVI-6.1): a synchronous and an asynchronous channel for each session.

Synchronised mode without overlap; locks are granted to whoever asks, since one process owns a bench.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from jackfield.emulator.loop import Loop, Stream
from jackfield.emulator.socket_door import Answerer

__all__ = ["HislipServer"]

_HEADER = struct.Struct("!2sBBIQ")
_VERSION = 0x0100
_VENDOR = int.from_bytes(b"JF")
_LARGEST_MESSAGE = 1 << 24  # what we take
_LONG = 1 << 16  # bytes that are not copied behind their header
_FIRST_LIMIT = 1 << 20  # what a client takes until it says otherwise

INITIALIZE, INITIALIZE_RESPONSE, FATAL_ERROR, ERROR = 0, 1, 2, 3
ASYNC_LOCK, ASYNC_LOCK_RESPONSE, DATA, DATA_END = 4, 5, 6, 7
CLEAR_COMPLETE, CLEAR_ACKNOWLEDGE, ASYNC_REMOTE_LOCAL, ASYNC_REMOTE_LOCAL_RESPONSE = 8, 9, 10, 11
TRIGGER, ASYNC_MAX_SIZE, ASYNC_MAX_SIZE_RESPONSE = 12, 15, 16
ASYNC_INITIALIZE, ASYNC_INITIALIZE_RESPONSE, ASYNC_CLEAR = 17, 18, 19
ASYNC_STATUS, ASYNC_STATUS_RESPONSE, ASYNC_CLEAR_ACKNOWLEDGE = 21, 22, 23
ASYNC_LOCK_INFO, ASYNC_LOCK_INFO_RESPONSE = 24, 25


@dataclass
class _Session:
    """What both channels of one client share."""

    sync: Stream
    limit: int = _FIRST_LIMIT
    message: bytearray = field(default_factory=bytearray)
    epoch: int = 0  # answers from before a device clear are dropped


class HislipServer:
    """Serves one instrument on a free loopback port, `port`.

    `answerer` gets each program message; `status_byte` is what a status query reads.
    """

    def __init__(self, loop: Loop, answerer: Answerer, status_byte: Callable[[], int]) -> None:
        self._answerer = answerer
        self._status_byte = status_byte
        self._sessions: dict[int, _Session] = {}
        self._next_id = 1
        self.port = loop.listen(self._connect)

    def _connect(self, stream: Stream) -> None:
        unread = bytearray()
        state: list[int] = []  # the session id, once one of the two initialisations named it

        def received(data: bytes) -> None:
            unread.extend(data)
            while len(unread) >= _HEADER.size:
                prologue, kind, control, parameter, length = _HEADER.unpack_from(unread)
                if prologue != b"HS" or length > _LARGEST_MESSAGE:
                    _send(stream, FATAL_ERROR, 1, 0, b"poorly formed message header")
                    stream.close()
                    return
                if len(unread) < _HEADER.size + length:
                    return
                payload = bytes(unread[_HEADER.size : _HEADER.size + length])
                del unread[: _HEADER.size + length]
                self._message(stream, state, kind, control, parameter, payload)

        stream.received = received

    def _message(
        self, stream: Stream, state: list[int], kind: int, control: int, parameter: int, payload: bytes
    ) -> None:
        if kind == INITIALIZE:
            state[:] = [self._open(stream)]
        elif kind == ASYNC_INITIALIZE and parameter in self._sessions:
            state[:] = [parameter]
            _send(stream, ASYNC_INITIALIZE_RESPONSE, 0, _VENDOR)
        elif not state or state[0] not in self._sessions:
            _send(stream, FATAL_ERROR, 3, 0, b"invalid initialization sequence")
            stream.close()
        elif stream is self._sessions[state[0]].sync:
            self._synchronous(self._sessions[state[0]], kind, control, parameter, payload)
        else:
            self._asynchronous(stream, self._sessions[state[0]], kind, payload)

    def _open(self, stream: Stream) -> int:
        identifier = self._next_id
        self._next_id = self._next_id % 0xFFFF + 1
        self._sessions[identifier] = _Session(stream)
        stream.closed = partial(self._sessions.__delitem__, identifier)
        _send(stream, INITIALIZE_RESPONSE, 0, _VERSION << 16 | identifier)
        return identifier

    def _synchronous(self, session: _Session, kind: int, control: int, parameter: int, payload: bytes) -> None:
        if kind in (DATA, DATA_END):
            session.message += payload
            if kind == DATA_END:
                text = session.message.decode("latin-1").strip()
                session.message.clear()
                self._ask(session, text, parameter)
        elif kind == TRIGGER:
            self._ask(session, "*TRG", parameter)
        elif kind == CLEAR_COMPLETE:
            _send(session.sync, CLEAR_ACKNOWLEDGE, control, 0)
        else:
            _send(session.sync, ERROR, 1, 0, b"unrecognized message type")

    def _asynchronous(self, stream: Stream, session: _Session, kind: int, payload: bytes) -> None:
        if kind == ASYNC_MAX_SIZE and len(payload) == 8:
            session.limit = max(int.from_bytes(payload), 1024)
            _send(stream, ASYNC_MAX_SIZE_RESPONSE, 0, 0, _LARGEST_MESSAGE.to_bytes(8))
        elif kind == ASYNC_STATUS:
            _send(stream, ASYNC_STATUS_RESPONSE, self._status_byte(), 0)
        elif kind == ASYNC_CLEAR:
            session.epoch += 1
            session.message.clear()
            _send(stream, ASYNC_CLEAR_ACKNOWLEDGE, 0, 0)
        elif kind == ASYNC_LOCK:
            _send(stream, ASYNC_LOCK_RESPONSE, 1, 0)
        elif kind == ASYNC_LOCK_INFO:
            _send(stream, ASYNC_LOCK_INFO_RESPONSE, 0, 0)
        elif kind == ASYNC_REMOTE_LOCAL:
            _send(stream, ASYNC_REMOTE_LOCAL_RESPONSE, 0, 0)
        else:
            _send(stream, ERROR, 1, 0, b"unrecognized message type")

    def _ask(self, session: _Session, text: str, message_id: int) -> None:
        epoch = session.epoch

        def answer(data: bytes | None) -> None:
            if data is None:
                session.sync.close()
            if not data or session.epoch != epoch:
                return
            step = session.limit - _HEADER.size
            view = memoryview(data)
            pieces = [view[at : at + step] for at in range(0, len(data), step)]
            for piece in pieces[:-1]:
                _send(session.sync, DATA, 0, message_id, piece)
            _send(session.sync, DATA_END, 0, message_id, pieces[-1])

        self._answerer(text, answer)


def _send(stream: Stream, kind: int, control: int, parameter: int, payload: bytes | memoryview = b"") -> None:
    header = _HEADER.pack(b"HS", kind, control, parameter, len(payload))
    if len(payload) < _LONG:
        stream.write(header + payload)
    else:
        stream.write(header)
        stream.write(payload)
