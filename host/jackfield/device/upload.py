"""One image on its way to the board: whole, or only what differs from what the board has."""

import zlib

import numpy as np

from jackfield.board import BoardSpec, ConfigImage, delta
from jackfield.errors import DesignError
from jackfield.link import delta_stream, read_requests, reply_room, request_room
from jackfield.link.messages import LAYOUTS, ReadChecked, StageBegin, StageData
from jackfield.link.numbers import StagedKind

__all__ = ["Upload", "differing_code"]

JOIN_GAP = 3  # bytes between changes below which one piece is shorter than two


class Upload:
    """From payload `old` (None: unknown) to `new`: what is staged, and what must come back; as step `step` if given."""

    def __init__(self, old: bytes | None, new: bytes, frame_bytes: int, step: int | None = None) -> None:
        self._frame_bytes = frame_bytes
        self._new = new
        pieces = [(0, new)] if old is None else delta(old, new, gap=JOIN_GAP)
        self.kind, self.staged = "whole", new
        stream = b"" if old is None else delta_stream(pieces)
        if step is not None:
            self.kind, self.staged = "step", stream
        elif old is not None and len(stream) < len(new) // 2:
            self.kind, self.staged = "delta", stream
        else:
            pieces = [(0, new)]
        self.nothing = not self.staged
        self.ranges = [(offset, len(data)) for offset, data in pieces]
        self.expected = b"".join(data for _, data in pieces)
        self.image_crc = zlib.crc32(new)
        self.begin = StageBegin(
            kind=StagedKind[self.kind.upper()],
            step=step or 0,
            length=len(self.staged),
            crc=zlib.crc32(self.staged),
            base_crc=zlib.crc32(old) if old is not None and self.kind != "whole" else 0,
            image_crc=self.image_crc,
        )

    def data(self, transfer: int, held: int) -> list[StageData]:
        """The staged bytes from `held` on, in frames."""
        room = request_room(self._frame_bytes) - LAYOUTS[StageData].fixed.size
        starts = range(held, len(self.staged), room)
        return [StageData(transfer, start, self.staged[start : start + room]) for start in starts]

    def reads(self) -> list[tuple[int, bytes]]:
        """Origin and spans of requests that read back every byte that was sent."""
        room = request_room(self._frame_bytes) - LAYOUTS[ReadChecked].fixed.size
        requests = read_requests(self.ranges, room, reply_room(self._frame_bytes))
        return [(origin, spans) for origin, spans, _ in requests]

    def with_readback(self, read: bytes) -> bytes:
        """The new payload with what the board returned in the places that were read."""
        payload, cursor = bytearray(self._new), 0
        for offset, length in self.ranges:
            payload[offset : offset + length] = read[cursor : cursor + length]
            cursor += length
        return bytes(payload[: len(self._new)])

    @property
    def payload(self) -> bytes:
        """The new payload."""
        return self._new


def differing_code(spec: BoardSpec, upload: Upload, read: bytes) -> str:
    """The first code that came back wrong, for a message."""
    if len(read) != len(upload.expected):
        return f"{len(read)} bytes instead of {len(upload.expected)}"
    wanted = ConfigImage.from_payload(spec, upload.payload)
    try:
        got = ConfigImage.from_payload(spec, upload.with_readback(read))
    except DesignError as error:
        return f"a route that does not exist ({error})"
    pairs = {"enable": (wanted.enable, got.enable), "source": (wanted.source, got.source)}
    pairs |= {"destination": (wanted.destination, got.destination)}
    pairs |= {name: (wanted.codes[name], got.codes[name]) for name in wanted.codes}
    for name, (asked, found) in pairs.items():
        if (asked != found).any():
            bank, cell = (int(i) for i in np.argwhere(asked != found)[0])
            return f"{name} {found[bank, cell]} instead of {asked[bank, cell]} for cell {spec.cells[cell]}, bank {bank}"
    bank, node = (int(i) for i in np.argwhere(wanted.trim != got.trim)[0])
    return f"trim {got.trim[bank, node]} instead of {wanted.trim[bank, node]} for node {node + 1}, bank {bank}"
