"""The board's memory of configurations: a transfer under way, the checked, active and previous image, held steps."""

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
        self.open = True
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
    """Staging, checking, applying, stepping and rolling back; `active` is None until the first apply.

    The base is the image that was applied, or started from, last; steps change it one after the other.
    """

    def __init__(self, spec: BoardSpec) -> None:
        self._reader = ImageReader(spec)
        self._depth = spec.run.sequence_depth
        self._transfer: _Transfer | None = None
        self._checked: Configuration | None = None
        self._checked_step = False
        self._base: Configuration | None = None
        self._previous: Configuration | None = None
        self._can_roll_back = False
        self._steps: list[Configuration] = []
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
        """CRC announced for the transfer that can be resumed and bytes of it held without a gap, or zeros."""
        return (self._transfer.begin.crc, self._transfer.held) if self._transfer else (0, 0)

    def begin(self, message: StageBegin, number: int) -> int:
        """Open or resume a transfer; bytes held already."""
        if message.kind not in list(StagedKind):
            raise Refusal(ErrorCode.BAD_KIND, value=message.kind)
        if message.length > self.image_bytes or (
            message.kind == StagedKind.WHOLE and message.length < self.image_bytes
        ):
            raise Refusal(ErrorCode.STAGE_LENGTH, place=message.length, value=self.image_bytes)
        if message.kind != StagedKind.WHOLE:
            self._changed_by(message)
        if self._transfer is None or self._transfer.begin != message:
            self._transfer = _Transfer(message)
        self._transfer.open = True
        self._checked = None
        self._transfer.number = number
        return self._transfer.held

    def data(self, message: StageData) -> None:
        """Take a piece."""
        transfer = self._transfer
        if transfer is None or not transfer.open or message.transfer != transfer.number:
            raise Refusal(ErrorCode.NO_STAGE, value=message.transfer)
        end = message.offset + len(message.data)
        if end > transfer.begin.length:
            raise Refusal(ErrorCode.STAGE_LENGTH, place=end, value=transfer.begin.length)
        transfer.put(message.offset, message.data)

    def end(self) -> None:
        """Check the transfer and what it makes of the image; one that is right can be resumed until the apply."""
        transfer = self._transfer
        if transfer is None or not transfer.open:
            raise Refusal(ErrorCode.NO_STAGE)
        if transfer.held < transfer.begin.length:
            raise Refusal(ErrorCode.INCOMPLETE, place=transfer.held, value=transfer.begin.length)
        self._transfer = None
        self._checked = self._made(transfer.begin, bytes(transfer.data))
        self._checked_step = transfer.begin.kind == StagedKind.STEP
        if self._checked_step:
            self._steps[transfer.begin.step :] = [self._checked]
        self._transfer, transfer.open = transfer, False

    def _made(self, begin: StageBegin, staged: bytes) -> Configuration:
        """The image that a transfer makes; raises Refusal where something is wrong with it."""
        if zlib.crc32(staged) != begin.crc:
            raise Refusal(ErrorCode.STAGE_CRC, value=zlib.crc32(staged))
        if begin.kind == StagedKind.WHOLE:
            return self._whole(begin, staged)
        return self._patched(begin, staged, self._changed_by(begin))

    @property
    def staging_step(self) -> bool:
        """Whether the open transfer is a step."""
        return self._transfer is not None and self._transfer.open and self._transfer.begin.kind == StagedKind.STEP

    def apply(self) -> Configuration | None:
        """The checked image becomes the active one, and the base."""
        if self._checked is None or self._checked_step:
            raise Refusal(ErrorCode.NOTHING_STAGED)
        self._previous = self.active
        self.start(self._checked)
        self._can_roll_back = True
        self._forget_checked()
        return self.active

    def _forget_checked(self) -> None:
        """Nothing is checked; a transfer that is still open goes on."""
        self._checked = None
        if self._transfer is not None and not self._transfer.open:
            self._transfer = None

    def start(self, configuration: Configuration | None) -> None:
        """Begin with this image, without any held step."""
        self.active = self._base = configuration
        self._steps.clear()

    def stored(self, payload: bytes) -> Configuration:
        """The configuration of a payload that the board has kept; raises Refusal like `end`."""
        return Configuration(payload, zlib.crc32(payload), self._reader.whole(payload))

    def steps(self, first: int, count: int) -> list[Configuration]:
        """Held steps first .. first + count - 1; raises Refusal where one is not held."""
        if first + count > len(self._steps):
            raise Refusal(ErrorCode.NO_STEP, place=first + count - 1, value=len(self._steps))
        return self._steps[first : first + count]

    def select(self, step: int) -> Configuration:
        """A held step becomes the active image; raises Refusal where it is not held."""
        (self.active,) = self.steps(step, 1)
        return self.active

    def roll_back(self) -> Configuration | None:
        """From a step to its base, else to the configuration before the last apply; None: there was none."""
        if self.active is not self._base:
            self.active = self._base
        elif self._can_roll_back:
            self.start(self._previous)
            self._previous, self._can_roll_back = None, False
        else:
            raise Refusal(ErrorCode.NO_PREVIOUS)
        self._forget_checked()
        return self.active

    def read(self, origin: int, spans: bytes) -> bytes:
        """The bytes of the active image in `spans`."""
        if self.active is None:
            raise Refusal(ErrorCode.NOT_CONFIGURED)
        return self._spans(self.active.payload, origin, spans)

    def read_checked(self, origin: int, spans: bytes) -> bytes:
        """The bytes of the image that was checked last in `spans`."""
        if self._checked is None:
            raise Refusal(ErrorCode.NOTHING_STAGED)
        return self._spans(self._checked.payload, origin, spans)

    def _spans(self, payload: bytes, origin: int, spans: bytes) -> bytes:
        if len(spans) % SPAN_BYTES:
            raise Refusal(ErrorCode.BAD_LENGTH, value=len(spans))
        place, data = origin, bytearray()
        for start in range(0, len(spans), SPAN_BYTES):
            place += int.from_bytes(spans[start : start + 2], "little")
            end = place + spans[start + 2]
            if end > self.image_bytes:
                raise Refusal(ErrorCode.OUT_OF_BOUNDS, place=end, value=self.image_bytes)
            data += payload[place:end]
            place = end
        return bytes(data)

    def _changed_by(self, message: StageBegin) -> Configuration:
        """The image that a delta or a step changes; raises Refusal where the host means another."""
        base = self.active
        if message.kind == StagedKind.STEP:
            held = len(self._steps)
            if message.step > held or message.step >= self._depth:
                raise Refusal(ErrorCode.NO_STEP, place=message.step, value=held)
            base = self._steps[message.step - 1] if message.step else self._base
        if base is None or message.base_crc != base.crc:  # a rollback may have come in between
            raise Refusal(ErrorCode.WRONG_BASE, value=base.crc if base else 0)
        return base

    def _whole(self, begin: StageBegin, payload: bytes) -> Configuration:
        _check_crc(begin, payload)
        return self.stored(payload)

    def _patched(self, begin: StageBegin, stream: bytes, base: Configuration) -> Configuration:
        """`base` with a delta's changes."""
        payload, touched = bytearray(base.payload), []
        place = cursor = 0
        while cursor < len(stream):
            head = stream[cursor : cursor + SPAN_BYTES]
            place += int.from_bytes(head[:2], "little")
            piece = stream[cursor + SPAN_BYTES : cursor + SPAN_BYTES + head[-1]] if len(head) == SPAN_BYTES else b""
            if len(head) < SPAN_BYTES or len(piece) < head[2] or place + len(piece) > len(payload):
                raise Refusal(ErrorCode.BAD_DELTA, place=cursor)
            payload[place : place + len(piece)] = piece
            touched.append(np.arange(place, place + len(piece)))
            place += len(piece)
            cursor += SPAN_BYTES + len(piece)
        result = bytes(payload)
        crc = _check_crc(begin, result)
        places = np.concatenate(touched) if touched else np.zeros(0, dtype=np.int64)
        return Configuration(result, crc, self._reader.changed(base.settings, result, places))


def _check_crc(begin: StageBegin, payload: bytes) -> int:
    crc = zlib.crc32(payload)
    if crc != begin.image_crc:
        raise Refusal(ErrorCode.WRONG_IMAGE, value=crc)
    return crc
