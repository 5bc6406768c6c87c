"""Transports, frames, messages, locks and the port list: how bytes get to a board and back."""

from jackfield.link.cable import Cable, CableOptions
from jackfield.link.exchange import Exchange
from jackfield.link.framing import (
    DELIMITER,
    FrameReader,
    ReplyFrame,
    RequestFrame,
    encode_frame,
    encode_reply,
    encode_request,
    pack,
    reply_room,
    request_room,
    unpack,
)
from jackfield.link.layout import FrameError, Layout
from jackfield.link.line_faults import LineFaults
from jackfield.link.lock import ResourceLock
from jackfield.link.ports import PortInfo, list_ports
from jackfield.link.recording import RecordingTransport
from jackfield.link.replay import Replay
from jackfield.link.serial_transport import SerialTransport
from jackfield.link.socket_transport import SocketTransport
from jackfield.link.spans import SPAN_BYTES, delta_stream, read_requests
from jackfield.link.transport import AbstractTransport
from jackfield.link.url import open_transport

__all__ = [
    "DELIMITER",
    "SPAN_BYTES",
    "AbstractTransport",
    "Cable",
    "CableOptions",
    "Exchange",
    "FrameError",
    "FrameReader",
    "Layout",
    "LineFaults",
    "PortInfo",
    "RecordingTransport",
    "Replay",
    "ReplyFrame",
    "RequestFrame",
    "ResourceLock",
    "SerialTransport",
    "SocketTransport",
    "delta_stream",
    "encode_frame",
    "encode_reply",
    "encode_request",
    "list_ports",
    "open_transport",
    "pack",
    "read_requests",
    "reply_room",
    "request_room",
    "unpack",
]
