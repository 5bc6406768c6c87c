"""Frames: header, payload and CRC-32, made free of zeros by COBS and ended by 0x00."""

import struct
import zlib
from typing import NamedTuple, TypeVar, cast

from cobs import cobs  # type: ignore[import-untyped]

from jackfield.link.layout import FrameError
from jackfield.link.messages import LAYOUTS, REPLY_HEADER, REQUEST_HEADER

__all__ = [
    "DELIMITER",
    "FrameReader",
    "ReplyFrame",
    "RequestFrame",
    "encode_frame",
    "encode_reply",
    "encode_request",
    "pack",
    "reply_room",
    "request_room",
    "unpack",
]

DELIMITER = b"\0"
CRC_BYTES = 4
_CRC = struct.Struct("<I")
_REQUEST = struct.Struct(REQUEST_HEADER)
_REPLY = struct.Struct(REPLY_HEADER)

Message = TypeVar("Message", bound=tuple[object, ...])


class RequestFrame(NamedTuple):
    """What the host sends."""

    number: int
    sequence: int
    payload: bytes

    @classmethod
    def parse(cls, body: bytes) -> "RequestFrame":
        """From a frame without CRC; raises FrameError where it is too short or comes from a board."""
        if len(body) < _REQUEST.size or body[0] >= 0x80:
            raise FrameError("not a request")
        return cls._make((*_REQUEST.unpack_from(body), body[_REQUEST.size :]))


class ReplyFrame(NamedTuple):
    """What the board sends."""

    number: int
    sequence: int
    ack: int
    sack: int
    credit: int
    payload: bytes

    @classmethod
    def parse(cls, body: bytes) -> "ReplyFrame":
        """From a frame without CRC; raises FrameError where it is too short or comes from a host."""
        if len(body) < _REPLY.size or body[0] < 0x80:
            raise FrameError("not a reply")
        return cls._make((*_REPLY.unpack_from(body), body[_REPLY.size :]))


def encode_frame(body: bytes) -> bytes:
    """`body` (header and payload) with its CRC, as it goes over the wire, delimiter included."""
    return bytes(cobs.encode(body + _CRC.pack(zlib.crc32(body)))) + DELIMITER


def encode_request(number: int, sequence: int, payload: bytes = b"") -> bytes:
    """A host's frame on the wire."""
    return encode_frame(_REQUEST.pack(number, sequence) + payload)


def encode_reply(number: int, sequence: int, ack: int, sack: int, credit: int, payload: bytes = b"") -> bytes:
    """A board's frame on the wire."""
    return encode_frame(_REPLY.pack(number, sequence, ack, sack, credit) + payload)


def request_room(frame_bytes: int) -> int:
    """Payload bytes that fit into a request of `frame_bytes` (header and CRC included, before COBS)."""
    return frame_bytes - _REQUEST.size - CRC_BYTES


def reply_room(frame_bytes: int) -> int:
    """Payload bytes that fit into a reply of `frame_bytes` (header and CRC included, before COBS)."""
    return frame_bytes - _REPLY.size - CRC_BYTES


def pack(message: tuple[object, ...]) -> bytes:
    """The payload of a message."""
    return LAYOUTS[type(message)].pack(message)


def unpack(kind: type[Message], payload: bytes) -> Message:
    """The message of class `kind` in a payload; raises FrameError where it does not fit."""
    return cast(Message, kind._make(LAYOUTS[kind].unpack(payload)))  # type: ignore[attr-defined]


class FrameReader:
    """Cuts a stream of bytes into frames; survives anything."""

    def __init__(self, frame_bytes: int) -> None:
        self._limit = frame_bytes
        self._wire_limit = frame_bytes + frame_bytes // 254 + 2
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[bytes | None]:
        """The frames that `data` completes, without CRC; None for each one that is broken or too long."""
        self._rest += data
        if DELIMITER not in data:
            self._forget_excess()
            return []
        *pieces, rest = self._rest.split(DELIMITER)
        self._rest = rest
        self._forget_excess()
        return [self._decode(piece) for piece in pieces if piece]

    def _forget_excess(self) -> None:
        """Keep a frame that is too long recognisable as such, without keeping all of it."""
        del self._rest[self._wire_limit + 1 :]

    def _decode(self, piece: bytearray) -> bytes | None:
        if len(piece) > self._wire_limit:
            return None
        try:
            frame = bytes(cobs.decode(bytes(piece)))
        except cobs.DecodeError:
            return None
        if not CRC_BYTES < len(frame) <= self._limit:
            return None
        body, crc = frame[:-CRC_BYTES], frame[-CRC_BYTES:]
        return body if _CRC.pack(zlib.crc32(body)) == crc else None
