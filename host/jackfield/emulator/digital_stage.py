"""The board's memory of configurations: a transfer under way, the checked, the active and the previous image."""

import zlib
from dataclasses import dataclass

import numpy as np

from jackfield.board import BoardSpec
from jackfield.emulator.digital_image import ImageReader
from jackfield.emulator.refusal import Refusal
from jackfield.emulator.settings import Settings
from jackfield.link.messages import StageBegin, StageData
from jackfield.link.numbers import ErrorCode, StagedKind

__all__ = ["Configuration", "Memory"]

SPAN_BYTES = 3


@dataclass(frozen=True)
class Configuration:
    """An image with what it means."""

    payload: bytes
    crc: int
    settings: Settings


class _Transfer:
    """Bytes that arrive in pieces, in any order; `held` counts those without a gap."""

    def __init__(self, begin: StageBegin) -> None:
        self.begin = begin
        self.number = 0
        self.data = bytearray(begin.length)
        self._pieces: dict[int, int] = {}
        self.held = 0

    def put(self, offset: int, piece: bytes) -> None:
        self.data[offset : offset + len(piece)] = piece
        self._pieces[offset] = max(self._pieces.get(offset, 0), offset + len(piece))
        for start in sorted(self._pieces):
            if start > self.held:
                return
            self.held = max(self.held, self._pieces.pop(start))


class Memory:
    """Staging, checking, applying and rolling back; `active` is None until the first apply."""

    def __init__(self, spec: BoardSpec) -> None:
        self._reader = ImageReader(spec)
        self._transfer: _Transfer | None = None
        self._checked: Configuration | None = None
        self._previous: Configuration | None = None
        self._can_roll_back = False
        self.active: Configuration | None = None

    @property
    def image_bytes(self) -> int:
        """Length of a payload."""
        return self._reader.length

    @property
    def image_crc(self) -> int:
        """CRC-32 of the active image, 0 if there is none."""
        return self.active.crc if self.active else 0

    @property
    def staged(self) -> tuple[int, int]:
        """CRC announced for the open transfer and bytes of it held without a gap; zeros if none is open."""
        return (self._transfer.begin.crc, self._transfer.held) if self._transfer else (0, 0)

    def begin(self, message: StageBegin, number: int) -> int:
        """Open or resume a transfer; bytes held already."""
        if message.kind not in (StagedKind.WHOLE, StagedKind.DELTA):
            code = ErrorCode.UNSUPPORTED if message.kind == StagedKind.STEP else ErrorCode.BAD_KIND
            raise Refusal(code, value=message.kind)
        if message.length > self.image_bytes or (
            message.kind == StagedKind.WHOLE and message.length < self.image_bytes
        ):
            raise Refusal(ErrorCode.STAGE_LENGTH, place=message.length, value=self.image_bytes)
        if message.kind == StagedKind.DELTA and (self.active is None or message.base_crc != self.active.crc):
            raise Refusal(ErrorCode.WRONG_BASE, value=self.image_crc)
        if self._transfer is None or self._transfer.begin != message:
            self._transfer = _Transfer(message)
        self._checked = None
        self._transfer.number = number
        return self._transfer.held

    def data(self, message: StageData) -> None:
        """Take a piece."""
        transfer = self._transfer
        if transfer is None or message.transfer != transfer.number:
            raise Refusal(ErrorCode.NO_STAGE, value=message.transfer)
        end = message.offset + len(message.data)
        if end > transfer.begin.length:
            raise Refusal(ErrorCode.STAGE_LENGTH, place=end, value=transfer.begin.length)
        transfer.put(message.offset, message.data)

    def end(self) -> None:
        """Check the transfer and what it makes of the image."""
        transfer = self._transfer
        if transfer is None:
            raise Refusal(ErrorCode.NO_STAGE)
        begin, staged = transfer.begin, bytes(transfer.data)
        if transfer.held < begin.length:
            raise Refusal(ErrorCode.INCOMPLETE, place=transfer.held, value=begin.length)
        self._transfer = None  # checked once: right or wrong, there is nothing to resume
        if zlib.crc32(staged) != begin.crc:
            raise Refusal(ErrorCode.STAGE_CRC, value=zlib.crc32(staged))
        if begin.kind == StagedKind.WHOLE:
            self._checked = self._configuration(begin, staged, None)
        else:
            payload, places = self._patched(staged, begin.base_crc)
            self._checked = self._configuration(begin, payload, places)

    def apply(self) -> Configuration:
        """The checked image becomes the active one."""
        if self._checked is None:
            raise Refusal(ErrorCode.NOTHING_STAGED)
        self._previous, self.active, self._checked = self.active, self._checked, None
        self._can_roll_back = True
        return self.active

    def roll_back(self) -> Configuration | None:
        """The configuration before the last apply becomes the active one; None: there was none."""
        if not self._can_roll_back:
            raise Refusal(ErrorCode.NO_PREVIOUS)
        self.active, self._previous, self._checked = self._previous, None, None
        self._can_roll_back = False
        return self.active

    def read(self, origin: int, spans: bytes) -> bytes:
        """The bytes of the active image in `spans`."""
        if self.active is None:
            raise Refusal(ErrorCode.NOT_CONFIGURED)
        if len(spans) % SPAN_BYTES:
            raise Refusal(ErrorCode.BAD_LENGTH, value=len(spans))
        place, data = origin, bytearray()
        for start in range(0, len(spans), SPAN_BYTES):
            place += int.from_bytes(spans[start : start + 2], "little")
            end = place + spans[start + 2]
            if end > self.image_bytes:
                raise Refusal(ErrorCode.OUT_OF_BOUNDS, place=end, value=self.image_bytes)
            data += self.active.payload[place:end]
            place = end
        return bytes(data)

    def _configuration(self, begin: StageBegin, payload: bytes, places: list[range] | None) -> Configuration:
        crc = zlib.crc32(payload)
        if crc != begin.image_crc:
            raise Refusal(ErrorCode.WRONG_IMAGE, value=crc)
        if places is None or self.active is None:
            return Configuration(payload, crc, self._reader.whole(payload))
        touched = np.array([place for piece in places for place in piece], dtype=np.int64)
        return Configuration(payload, crc, self._reader.changed(self.active.settings, payload, touched))

    def _patched(self, stream: bytes, base_crc: int) -> tuple[bytes, list[range]]:
        """The active image with a delta's changes, and where they are."""
        if self.active is None or self.active.crc != base_crc:  # a rollback may have come in between
            raise Refusal(ErrorCode.WRONG_BASE, value=self.image_crc)
        payload, touched = bytearray(self.active.payload), []
        place = cursor = 0
        while cursor < len(stream):
            head = stream[cursor : cursor + SPAN_BYTES]
            place += int.from_bytes(head[:2], "little")
            piece = stream[cursor + SPAN_BYTES : cursor + SPAN_BYTES + head[-1]] if len(head) == SPAN_BYTES else b""
            if len(head) < SPAN_BYTES or len(piece) < head[2] or place + len(piece) > len(payload):
                raise Refusal(ErrorCode.BAD_DELTA, place=cursor)
            payload[place : place + len(piece)] = piece
            touched.append(range(place, place + len(piece)))
            place += len(piece)
            cursor += SPAN_BYTES + len(piece)
        return bytes(payload), touched
