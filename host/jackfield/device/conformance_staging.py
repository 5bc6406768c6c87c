"""What the checks of images do again and again: stage, read, change a little. No image has an enabled cell."""

import zlib
from typing import Final

import numpy as np

from jackfield.board import BoardSpec, ConfigImage
from jackfield.device.conformance import ACK, ERROR, Conversation, expect
from jackfield.device.upload import Upload
from jackfield.link import delta_stream, request_room
from jackfield.link import messages as m
from jackfield.link.numbers import StagedKind

__all__ = [
    "SEED",
    "active_image",
    "delta_of",
    "other_code",
    "quiet_image",
    "read_image",
    "send_data",
    "stage",
    "whole_begin",
    "with_bits",
]

SEED: Final = 4


def quiet_image(spec: BoardSpec, seed: int) -> bytes:
    """A payload whose cells are all disabled, with codes of their own; trims stay at zero."""
    image, rng = ConfigImage.safe(spec).copy(), np.random.default_rng(seed)
    for group in spec.groups:
        for name, scale in group.parameters.items():
            shape = (spec.run.banks, group.count)
            image.codes[name][:, group.members] = rng.integers(*scale.code_range, endpoint=True, size=shape)
    return image.payload(spec)


def stage(c: Conversation, begin: m.StageBegin, data: bytes, held: int | None = 0) -> int:
    """Open a transfer and send `data` from where the board wants it; the transfer's number."""
    transfer = c.sequence
    offset = c.answer(m.StageBeginAnswer, begin).offset
    expect(held is None or offset == held, f"the board holds {offset} bytes, {held} are possible")
    for start, piece in _pieces(c, data, offset):
        send_data(c, m.StageData(transfer, start, piece))
    return transfer


def _pieces(c: Conversation, data: bytes, start: int = 0) -> list[tuple[int, bytes]]:
    room = request_room(128 if len(data) < 1000 else c.spec.link.frame_bytes) - m.LAYOUTS[m.StageData].fixed.size
    return [(at, data[at : at + room]) for at in range(start, len(data), room)]


def send_data(c: Conversation, message: m.StageData) -> None:
    c.send(c.frame(message))
    c.sequence = c.sequence + 1 & 0xFFFF
    reply = c.next(lambda r: r.number == ERROR or (r.number == ACK and r.ack == c.sequence), "the ack of stage_data")
    expect(reply.number == ACK, f"stage_data was refused with error {reply.payload[0] if reply.payload else '?'}")


def whole_begin(payload: bytes) -> m.StageBegin:
    return Upload(None, payload, 1024).begin


def delta_of(base: bytes, pieces: list[tuple[int, bytes]]) -> tuple[m.StageBegin, bytes, bytes]:
    """The opening, the staged bytes and the image that results."""
    new = bytearray(base)
    for offset, data in pieces:
        new[offset : offset + len(data)] = data
    staged, image_crc = delta_stream(pieces), zlib.crc32(bytes(new))
    begin = m.StageBegin(StagedKind.DELTA, 0, len(staged), zlib.crc32(staged), zlib.crc32(base), image_crc)
    return begin, staged, bytes(new)


def active_image(c: Conversation) -> bytes:
    """The image of these checks, uploaded if the board has another one."""
    payload = quiet_image(c.spec, SEED)
    if c.greet().image_crc != zlib.crc32(payload):
        stage(c, whole_begin(payload), payload, held=None)
        c.answer(m.StageEndAnswer, m.StageEnd())
        c.answer(m.ApplyAnswer, m.Apply())
    return payload


def read_image(c: Conversation) -> bytes:
    requests = Upload(None, bytes(c.spec.payload_bytes), c.spec.link.frame_bytes).reads()
    return b"".join(c.answer(m.ReadImageAnswer, m.ReadImage(*request)).data for request in requests)


def with_bits(payload: bytes, at: int, width: int, value: int) -> tuple[int, bytes]:
    """The bytes around bit `at` with `value` written there."""
    first, last = at // 8, (at + width - 1) // 8 + 1
    field = int.from_bytes(payload[first:last], "little")
    mask = (1 << width) - 1 << at % 8
    return first, (field & ~mask | value << at % 8).to_bytes(last - first, "little")


def other_code(c: Conversation, base: bytes) -> list[tuple[int, bytes]]:
    """A delta's pieces: the first cell's first parameter gets another allowed code."""
    group = c.spec.groups[0]
    at = 1 + group.reach.source_bits + group.reach.destination_bits
    scale = next(iter(group.parameters.values()))
    low, high = scale.code_range
    first = with_bits(base, at, scale.bits, low)
    return [first if base[first[0] : first[0] + len(first[1])] != first[1] else with_bits(base, at, scale.bits, high)]
