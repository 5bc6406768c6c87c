"""Which bytes of an image: spans `(skip u16, length u8)`, each counted from the end of the one before.

In read_image the spans stand alone; in a delta the `length` bytes follow each span. Longer skips and
lengths are split into several spans.
"""

import struct
from collections.abc import Iterator, Sequence
from typing import Final

__all__ = ["SPAN_BYTES", "delta_stream", "read_requests"]

LONGEST_SKIP: Final = 0xFFFF
LONGEST_PIECE: Final = 0xFF
_SPAN = struct.Struct("<HB")
SPAN_BYTES: Final = _SPAN.size


def delta_stream(pieces: Sequence[tuple[int, bytes]]) -> bytes:
    """The staged bytes of a delta that writes each `(offset, bytes)`; offsets ascend."""
    parts: list[bytes] = []
    place = 0
    for offset, data in pieces:
        while offset - place > LONGEST_SKIP:
            parts.append(_SPAN.pack(LONGEST_SKIP, 0))
            place += LONGEST_SKIP
        for start in range(0, len(data), LONGEST_PIECE):
            piece = data[start : start + LONGEST_PIECE]
            parts += [_SPAN.pack(offset + start - place, len(piece)), piece]
            place = offset + start + len(piece)
    return b"".join(parts)


def read_requests(
    ranges: Sequence[tuple[int, int]], request_bytes: int, reply_bytes: int
) -> Iterator[tuple[int, bytes, int]]:
    """The read_image requests `(origin, spans, bytes that come back)` for `(offset, length)` ranges, ascending.

    Each fits `request_bytes` of spans and `reply_bytes` of answer.
    """
    origin, place, total, spans = 0, 0, 0, bytearray()
    for offset, length in _cut(ranges, min(LONGEST_PIECE, reply_bytes)):
        full = len(spans) + SPAN_BYTES > request_bytes or total + length > reply_bytes
        if spans and (full or offset - place > LONGEST_SKIP):
            yield origin, bytes(spans), total
            spans, total = bytearray(), 0
        if not spans:
            origin = place = offset
        spans += _SPAN.pack(offset - place, length)
        place, total = offset + length, total + length
    if spans:
        yield origin, bytes(spans), total


def _cut(ranges: Sequence[tuple[int, int]], longest: int) -> Iterator[tuple[int, int]]:
    for offset, length in ranges:
        for start in range(0, length, longest):
            yield offset + start, min(longest, length - start)
