"""The board's flash: two slots, each with an image or without, and what is left when the power goes meanwhile.

Written apart from the firmware core; PROTOCOL.md, "Flash", says what both must do.
"""

import struct
import zlib
from typing import Final

from jackfield.board import BoardSpec
from jackfield.emulator.refusal import Refusal
from jackfield.link.numbers import ErrorCode

__all__ = ["Flash", "PowerLossError", "Slots"]

SECTOR: Final = 4096  # bytes that one erase clears
PAGE: Final = 256  # bytes that one operation programs at most
HEADER_AT: Final = 0
ERASE_RECORD_AT: Final = PAGE
PAYLOAD_AT: Final = 2 * PAGE
_HEADER = struct.Struct("<4sIII32s")  # magic, generation, image bytes, image CRC, spec digest; its own CRC follows
_ERASES = struct.Struct("<4sI")  # magic, erases; its own CRC follows
_CRC = struct.Struct("<I")


class PowerLossError(Exception):
    """The supply fails in the middle of a flash operation; never leaves the room."""


class Flash:
    """NOR flash: an operation erases one sector to 0xFF or programs up to one page, which only clears bits.

    With `cut_at` n above 0 the n-th operation is left half done and raises PowerLossError, once.
    """

    def __init__(self, slot_bytes: int, cut_at: int = 0) -> None:
        self._slots = [bytearray(b"\xff" * (-(-slot_bytes // SECTOR) * SECTOR)) for _ in range(2)]
        self._cut_at = cut_at
        self.operations = 0

    def read(self, slot: int, offset: int, length: int) -> bytes:
        """Bytes of slot 0 or 1."""
        return bytes(self._slots[slot][offset : offset + length])

    def erase(self, slot: int) -> None:
        """All sectors of a slot, the one with the header first."""
        for start in range(0, len(self._slots[slot]), SECTOR):
            size = self._power(SECTOR)
            self._slots[slot][start : start + size] = b"\xff" * size
            self._cut(size < SECTOR)

    def program(self, slot: int, offset: int, data: bytes) -> None:
        """Page by page."""
        for start in range(0, len(data), PAGE):
            page = data[start : start + PAGE]
            size, at = self._power(len(page)), offset + start
            old = self._slots[slot][at : at + size]
            self._slots[slot][at : at + size] = bytes(a & b for a, b in zip(old, page, strict=False))
            self._cut(size < len(page))

    def _power(self, size: int) -> int:
        """How many bytes of the operation that begins the supply lasts for."""
        self.operations += 1
        return size // 2 if self.operations == self._cut_at else size

    def _cut(self, cut: bool) -> None:
        if cut:
            raise PowerLossError


class Slots:
    """The images of slots A and B; finding them changes nothing."""

    def __init__(self, spec: BoardSpec, image_bytes: int, cut_at: int = 0) -> None:
        self.flash = Flash(PAYLOAD_AT + image_bytes, cut_at)
        self._image_bytes = image_bytes
        self._digest = bytes.fromhex(spec.digest)

    @property
    def erases(self) -> int:
        """How many times a slot has been erased, both together."""
        return max(self._erases(slot) for slot in (0, 1))

    def images(self) -> list[tuple[int, bytes]]:
        """Slots (1 A, 2 B) that hold a whole image of this kind of board, and the payloads; the newest first."""
        found = [(generation, slot) for slot in (0, 1) if (generation := self._generation(slot))]
        return [(slot + 1, self._payload(slot)) for _, slot in sorted(found, reverse=True)]

    def keep(self, payload: bytes) -> int:
        """Write an image into the older slot, its header last; which slot (1 A, 2 B). Raises Refusal."""
        generations = [self._generation(slot) for slot in (0, 1)]
        slot, erases = int(generations[0] > generations[1]), self.erases + 1
        if generations[1 - slot] and self._payload(1 - slot) == payload:
            return 2 - slot  # the newest slot has it already
        self.flash.erase(slot)
        self.flash.program(slot, ERASE_RECORD_AT, _sealed(_ERASES.pack(b"JFE1", erases)))
        self.flash.program(slot, PAYLOAD_AT, payload)
        kept = self._payload(slot)
        if kept != payload:
            wrong = next(place for place, (a, b) in enumerate(zip(kept, payload, strict=True)) if a != b)
            raise Refusal(ErrorCode.FLASH, place=slot + 1, value=wrong)
        header = _HEADER.pack(b"JFS1", max(generations) + 1, len(payload), zlib.crc32(payload), self._digest)
        self.flash.program(slot, HEADER_AT, _sealed(header))
        return slot + 1

    def _payload(self, slot: int) -> bytes:
        return self.flash.read(slot, PAYLOAD_AT, self._image_bytes)

    def _generation(self, slot: int) -> int:
        """Counts commits from 1; 0 where the slot holds no image."""
        header = self._opened(slot, HEADER_AT, _HEADER)
        if header is None:
            return 0
        magic, generation, length, crc, digest = header
        good = (magic, length, digest) == (b"JFS1", self._image_bytes, self._digest)
        return int(generation) if good and zlib.crc32(self._payload(slot)) == crc else 0

    def _erases(self, slot: int) -> int:
        record = self._opened(slot, ERASE_RECORD_AT, _ERASES)
        return int(record[1]) if record is not None and record[0] == b"JFE1" else 0

    def _opened(self, slot: int, offset: int, layout: struct.Struct) -> "tuple[bytes | int, ...] | None":
        """What `_sealed` wrote; None where its CRC is wrong."""
        body = self.flash.read(slot, offset, layout.size)
        crc = self.flash.read(slot, offset + layout.size, _CRC.size)
        return layout.unpack(body) if crc == _CRC.pack(zlib.crc32(body)) else None


def _sealed(body: bytes) -> bytes:
    return body + _CRC.pack(zlib.crc32(body))
