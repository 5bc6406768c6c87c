"""A recorded exchange that plays the board's part once more."""

import json
import struct
from collections.abc import Iterable

from jackfield.errors import LinkError
from jackfield.link.framing import FrameReader, encode_frame
from jackfield.link.messages import LAYOUTS, REPLY_HEADER, Hello, Safe

__all__ = ["Replay"]

LARGEST_FRAME = 0xFFFF
OPENING = {LAYOUTS[kind].number for kind in (Hello, Safe)}
HEADER_BYTES = struct.calcsize(REPLY_HEADER)
NONCE_BYTES = 4


class Replay:
    """Answers a host frame by frame as the recording `lines` (of a bridge or of RecordingTransport) says.

    Nonces are new each time: the recorded ones are exchanged for the host's. Raises LinkError where the
    recording is none, and, from `receive`, where the host sends another frame than it once did.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self._reader = FrameReader(LARGEST_FRAME)
        self._events = _events(lines)
        self._at = 0
        self._nonces: dict[bytes, bytes] = {}

    def receive(self, data: bytes) -> bytes:
        """What the board said to these bytes."""
        answer = bytearray()
        for body in self._reader.feed(data):
            if body is not None:
                answer += self._answer(body)
        return bytes(answer)

    def tick(self) -> bytes:
        """Nothing happens by itself."""
        return b""

    def _answer(self, body: bytes) -> bytes:
        way, recorded = self._events[self._at] if self._at < len(self._events) else ("end", b"")
        if way != "sent" or not self._same(recorded, body):
            raise LinkError(
                f"the host sends {body.hex()} as its frame {self._at}, {recorded.hex() or 'nothing more'} is recorded; "
                "repeat what was done when the recording was made"
            )
        self._at += 1
        answer = bytearray()
        while self._at < len(self._events) and self._events[self._at][0] == "received":
            answer += encode_frame(self._renewed(self._events[self._at][1]))
            self._at += 1
        return bytes(answer)

    def _same(self, recorded: bytes, body: bytes) -> bool:
        if body[0] not in OPENING or len(body) != len(recorded):
            return recorded == body
        self._nonces[recorded[-NONCE_BYTES:]] = body[-NONCE_BYTES:]
        return recorded[0] == body[0]

    def _renewed(self, body: bytes) -> bytes:
        end = HEADER_BYTES + NONCE_BYTES
        nonce = body[HEADER_BYTES:end]
        if body[0] & 0x7F not in OPENING or nonce not in self._nonces:
            return body
        return body[:HEADER_BYTES] + self._nonces[nonce] + body[end:]


def _events(lines: Iterable[str]) -> list[tuple[str, bytes]]:
    """Whole frames in the order in which they were finished."""
    readers = {"sent": FrameReader(LARGEST_FRAME), "received": FrameReader(LARGEST_FRAME)}
    events: list[tuple[str, bytes]] = []
    line = ""
    try:
        for line in lines:
            note = json.loads(line)
            for way in readers.keys() & note.keys():
                bodies = readers[way].feed(bytes.fromhex(note[way]))
                events += [(way, body) for body in bodies if body is not None]
    except (ValueError, TypeError, AttributeError) as error:
        raise LinkError(f"{line!r} is no line of a recorded exchange: {error}; record it again") from error
    return events
