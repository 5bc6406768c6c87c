"""Protobuf messages over a byte stream: each behind its length as a varint (seven bits a byte, lowest first)."""

import importlib
from typing import Any, Final

from jackfield.errors import DesignError, LinkError
from jackfield.link import AbstractTransport

__all__ = ["ProtoFrames", "messages", "varint"]

MODULE: Final = "pybrid.base.proto.main_pb2"
LARGEST: Final = 1 << 24


def messages() -> Any:
    """The message classes; DesignError where the package that brings them is not installed."""
    try:
        return importlib.import_module(MODULE)
    except ImportError as error:
        raise DesignError(
            f"the LUCIDAC's messages are not installed ({error}); install them with pip install 'jackfield[lucidac]'"
        ) from error


def varint(number: int) -> bytes:
    """`number` in groups of seven bits, all but the last with the top bit set."""
    groups = bytearray()
    while number > 0x7F:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*groups, number])


class ProtoFrames:
    """Sends and receives MessageV1 in envelopes."""

    def __init__(self, transport: AbstractTransport) -> None:
        self._pb = messages()
        self._transport = transport
        self._unread = bytearray()
        self.unreadable = 0

    def send(self, message: Any) -> None:
        """Send one message."""
        data = self._pb.Envelope(message_v1=message).SerializeToString()
        self._transport.write(varint(len(data)) + data)

    def receive(self, deadline: float) -> Any:
        """The next message; None after `deadline`. LinkError where the stream has lost its place."""
        while True:
            body = self._taken()
            if body is not None:
                envelope = self._pb.Envelope()
                try:
                    envelope.ParseFromString(body)
                except Exception as error:  # protobuf's DecodeError, whose module is not imported here
                    raise LinkError(f"{self._transport.name}: {len(body)} bytes are no message; reconnect") from error
                if envelope.HasField("message_v1"):
                    return envelope.message_v1
                self.unreadable += 1
                continue
            left = deadline - self._transport.now()
            if left <= 0:
                return None
            self._unread += self._transport.read(left)

    def _taken(self) -> bytes | None:
        """The next whole body that has arrived."""
        size, shift = 0, 0
        for at, byte in enumerate(self._unread[:5]):
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte & 0x80:
                continue
            if size > LARGEST:
                raise LinkError(f"{self._transport.name} announces {size} bytes at once: out of step; reconnect")
            if len(self._unread) < at + 1 + size:
                return None
            body = bytes(self._unread[at + 1 : at + 1 + size])
            del self._unread[: at + 1 + size]
            return body
        return None
