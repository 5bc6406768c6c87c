"""Checks of uploads, readback, rollback and the input memory, with images that have no enabled cell."""

import struct
import zlib
from typing import Final

import numpy as np

from jackfield.board import BoardSpec, ConfigImage
from jackfield.device.conformance import ACK, ERROR, NAK, Check, Conversation, NotHereError, expect
from jackfield.device.upload import Upload
from jackfield.link import delta_stream, request_room
from jackfield.link import messages as m
from jackfield.link.numbers import ErrorCode, Feature, StagedKind

__all__ = ["IMAGE_CHECKS"]

SEED: Final = 4
PIECE: Final = 40
TRIM_FIELD: Final = 255


def quiet_image(spec: BoardSpec, seed: int) -> bytes:
    """A payload whose cells are all disabled, with codes of their own; trims stay at zero."""
    image, rng = ConfigImage.safe(spec).copy(), np.random.default_rng(seed)
    for group in spec.groups:
        for name, scale in group.parameters.items():
            shape = (spec.run.banks, group.count)
            image.codes[name][:, group.members] = rng.integers(*scale.code_range, endpoint=True, size=shape)
    return image.payload(spec)


def _stage(c: Conversation, begin: m.StageBegin, data: bytes, held: int | None = 0) -> int:
    """Open a transfer and send `data` from where the board wants it; the transfer's number."""
    transfer = c.sequence
    offset = c.answer(m.StageBeginAnswer, begin).offset
    expect(held is None or offset == held, f"the board holds {offset} bytes, {held} are possible")
    for start, piece in _pieces(c, data, offset):
        _data(c, m.StageData(transfer, start, piece))
    return transfer


def _pieces(c: Conversation, data: bytes, start: int = 0) -> list[tuple[int, bytes]]:
    room = request_room(128 if len(data) < 1000 else c.spec.link.frame_bytes) - m.LAYOUTS[m.StageData].fixed.size
    return [(at, data[at : at + room]) for at in range(start, len(data), room)]


def _data(c: Conversation, message: m.StageData) -> None:
    c.send(c.frame(message))
    c.sequence = c.sequence + 1 & 0xFFFF
    reply = c.next(lambda r: r.number == ERROR or (r.number == ACK and r.ack == c.sequence), "the ack of stage_data")
    expect(reply.number == ACK, f"stage_data was refused with error {reply.payload[0] if reply.payload else '?'}")


def _whole(payload: bytes) -> m.StageBegin:
    return Upload(None, payload, 1024).begin


def _delta(base: bytes, pieces: list[tuple[int, bytes]]) -> tuple[m.StageBegin, bytes, bytes]:
    """The opening, the staged bytes and the image that results."""
    new = bytearray(base)
    for offset, data in pieces:
        new[offset : offset + len(data)] = data
    staged, image_crc = delta_stream(pieces), zlib.crc32(bytes(new))
    begin = m.StageBegin(StagedKind.DELTA, 0, len(staged), zlib.crc32(staged), zlib.crc32(base), image_crc)
    return begin, staged, bytes(new)


def _active(c: Conversation) -> bytes:
    """The image of these checks, uploaded if the board has another one."""
    payload = quiet_image(c.spec, SEED)
    if c.greet().image_crc != zlib.crc32(payload):
        _stage(c, _whole(payload), payload, held=None)
        c.answer(m.StageEndAnswer, m.StageEnd())
        c.answer(m.ApplyAnswer, m.Apply())
    return payload


def _read(c: Conversation) -> bytes:
    requests = Upload(None, bytes(c.spec.payload_bytes), c.spec.link.frame_bytes).reads()
    return b"".join(c.answer(m.ReadImageAnswer, request).data for request in requests)


def _with_bits(payload: bytes, at: int, width: int, value: int) -> tuple[int, bytes]:
    """The bytes around bit `at` with `value` written there."""
    first, last = at // 8, (at + width - 1) // 8 + 1
    field = int.from_bytes(payload[first:last], "little")
    mask = (1 << width) - 1 << at % 8
    return first, (field & ~mask | value << at % 8).to_bytes(last - first, "little")


def _other(c: Conversation, base: bytes) -> list[tuple[int, bytes]]:
    """A delta's pieces: the first cell's first parameter gets another allowed code."""
    group = c.spec.groups[0]
    at = 1 + group.reach.source_bits + group.reach.destination_bits
    scale = next(iter(group.parameters.values()))
    low, high = scale.code_range
    first = _with_bits(base, at, scale.bits, low)
    return [first if base[first[0] : first[0] + len(first[1])] != first[1] else _with_bits(base, at, scale.bits, high)]


def whole_image(c: Conversation) -> None:
    """A whole image is staged, checked, applied and read back bit by bit."""
    payload = quiet_image(c.spec, SEED + 1)
    _stage(c, _whole(payload), payload, held=None)
    c.answer(m.StageEndAnswer, m.StageEnd())
    crc = c.answer(m.ApplyAnswer, m.Apply()).image_crc
    expect(crc == zlib.crc32(payload), f"apply names image {crc:#010x}")
    expect(_read(c) == payload, "other bytes were read back")
    expect(c.answer(m.StatusAnswer, m.Status()).image_crc == crc, "status names another image")


def delta_image(c: Conversation) -> None:
    """A delta changes what it names and nothing else."""
    base = _active(c)
    begin, staged, new = _delta(base, _other(c, base))
    _stage(c, begin, staged)
    c.answer(m.StageEndAnswer, m.StageEnd())
    c.answer(m.ApplyAnswer, m.Apply())
    expect(_read(c) == new, "other bytes were read back")


def rollback(c: Conversation) -> None:
    """rollback brings the configuration before the last apply back, once."""
    base = _active(c)
    begin, staged, _ = _delta(base, _other(c, base))
    _stage(c, begin, staged)
    c.answer(m.StageEndAnswer, m.StageEnd())
    c.answer(m.ApplyAnswer, m.Apply())
    crc = c.answer(m.RollbackAnswer, m.Rollback()).image_crc
    expect(crc == zlib.crc32(base), f"rollback names image {crc:#010x}")
    expect(_read(c) == base, "other bytes were read back")
    c.refused(m.Rollback(), ErrorCode.NO_PREVIOUS)


def repeated_apply(c: Conversation) -> None:
    """A repeated apply is answered from memory; a new one has nothing to apply."""
    base = _active(c)
    begin, staged, _ = _delta(base, _other(c, base))
    _stage(c, begin, staged)
    c.answer(m.StageEndAnswer, m.StageEnd())
    repeated, first = c.frame(m.Apply()), c.answer(m.ApplyAnswer, m.Apply())
    c.send(repeated)
    again = c.reply_to(c.sequence - 1 & 0xFFFF, m.LAYOUTS[m.ApplyAnswer].number)
    expect(again.payload == first.image_crc.to_bytes(4, "little"), "the answer is another")
    c.refused(m.Apply(), ErrorCode.NOTHING_STAGED)


def out_of_order(c: Conversation) -> None:
    """stage_data before its turn is taken, mapped in sack, and not asked for again."""
    payload = quiet_image(c.spec, SEED + 2)
    transfer = c.sequence
    offset = c.answer(m.StageBeginAnswer, _whole(payload)).offset
    pieces = [(at, payload[at : at + PIECE]) for at in range(offset, min(offset + 3 * PIECE, len(payload)), PIECE)]
    expect(len(pieces) == 3, "the image is too short for this check")
    for ahead in (2, 1):
        c.send(c.frame(m.StageData(transfer, *pieces[ahead]), ahead))
        reply = c.next(lambda r: r.number in (ACK, NAK, ERROR), "an ack")
        expect(
            reply.number == ACK and reply.sack >> (ahead - 1) & 1 == 1, f"sack is {reply.sack:#x} behind frame {ahead}"
        )
    c.send(c.frame(m.StageData(transfer, *pieces[0])))
    done = c.sequence + 3 & 0xFFFF
    expect(c.next(lambda r: r.number in (ACK, ERROR), "an ack").ack == done, "the held frames were not counted")
    c.sequence = done


def resume(c: Conversation) -> None:
    """A transfer goes on in a new session where the old one ended; bytes of the old one cannot get in."""
    payload = quiet_image(c.spec, SEED + 3)
    old = c.sequence
    begin = _whole(payload)
    offset = c.answer(m.StageBeginAnswer, begin).offset
    expect(offset == 0, f"the board holds {offset} bytes of an image that it has never seen")
    _data(c, m.StageData(old, 0, payload[:50]))
    said = c.greet()
    expect((said.staged_crc, said.staged_offset) == (begin.crc, 50), "hello does not tell of the open transfer")
    transfer = c.sequence
    expect(c.answer(m.StageBeginAnswer, begin).offset == 50, "it does not go on at byte 50")
    if transfer != old:
        c.refused(m.StageData(old, 50, payload[50:60]), ErrorCode.NO_STAGE)
    c.refused(m.StageEnd(), ErrorCode.INCOMPLETE)


def staging_refusals(c: Conversation) -> None:
    """Transfers that are too long, of no kind, or on another base are refused, and apply has nothing then."""
    base = _active(c)
    size = len(base)
    c.refused(m.StageBegin(StagedKind.WHOLE, 0, size + 1, 1, 0, 1), ErrorCode.STAGE_LENGTH)
    c.refused(m.StageBegin(99, 0, size, 1, 0, 1), ErrorCode.BAD_KIND)
    c.refused(m.StageBegin(StagedKind.DELTA, 0, 4, 1, zlib.crc32(base) ^ 1, 1), ErrorCode.WRONG_BASE)
    c.refused(m.Apply(), ErrorCode.NOTHING_STAGED)


def damaged_delta(c: Conversation) -> None:
    """Staged bytes with another CRC, a delta that leaves the image, and one that makes another image are refused."""
    base = _active(c)
    begin, staged, _ = _delta(base, _other(c, base))
    past = struct.pack("<HB", 0xFFFF, 0) * (len(base) // 0xFFFF + 1) + struct.pack("<HB", 0, 1) + b"\1"
    for opening, data, code in (
        (begin._replace(crc=begin.crc ^ 1), staged, ErrorCode.STAGE_CRC),
        (begin._replace(image_crc=begin.image_crc ^ 1), staged, ErrorCode.WRONG_IMAGE),
        (begin._replace(length=len(past), crc=zlib.crc32(past)), past, ErrorCode.BAD_DELTA),
    ):
        _stage(c, opening, data)
        c.refused(m.StageEnd(), code)
        c.refused(m.Apply(), ErrorCode.NOTHING_STAGED)
    expect(c.answer(m.StatusAnswer, m.Status()).image_crc == zlib.crc32(base), "the configuration has changed")


def code_range(c: Conversation) -> None:
    """A code that its DAC does not have is refused with its place, in a cell and in a trim, enabled or not."""
    base, group, spec = _active(c), c.spec.groups[0], c.spec
    at = 1 + group.reach.source_bits + group.reach.destination_bits
    cases = []
    for number, scale in enumerate(group.parameters.values()):
        cases.append((at, scale, 2 + number, group.first))
        at += scale.bits
    cells = sum(part.count * part.cell_bits for part in spec.groups)
    cases.append((cells, spec.nodes.trim, TRIM_FIELD, 1))
    tried = 0
    for place, scale, field, number in cases:
        if scale.code_range[0] > 0:
            error = _refused_bits(c, base, _with_bits(base, place, scale.bits, 0), ErrorCode.CODE_RANGE)
            expect(
                (error.bank, error.field, error.place, error.value) == (0, field, number, 0), f"the board says {error}"
            )
            tried += 1
    if not tried:
        raise NotHereError("every code of this board is allowed")


def route_range(c: Conversation) -> None:
    """A route that does not exist is refused with its place."""
    base, reach = _active(c), c.spec.groups[0].reach
    tried = 0
    for field, bits, at, nodes in (
        (0, reach.source_bits, 1, reach.sources(0)),
        (1, reach.destination_bits, 1 + reach.source_bits, reach.destinations(0)),
    ):
        highest = (1 << bits) - 1
        if highest >= len(nodes):
            error = _refused_bits(c, base, _with_bits(base, at, bits, highest), ErrorCode.ROUTE_RANGE)
            expect((error.bank, error.field, error.place) == (0, field, 0), f"the board says {error}")
            tried += 1
    if not tried:
        raise NotHereError("every route that can be written exists")


def _refused_bits(c: Conversation, base: bytes, piece: tuple[int, bytes], code: ErrorCode) -> m.ErrorNotice:
    begin, staged, _ = _delta(base, [piece])
    _stage(c, begin, staged)
    error = c.refused(m.StageEnd(), code)
    expect(c.answer(m.StatusAnswer, m.Status()).image_crc == zlib.crc32(base), "the configuration has changed")
    return error


def read_beyond(c: Conversation) -> None:
    """Reading beyond the image is refused, and spans across it are put together."""
    base = _active(c)
    size = len(base)
    c.refused(m.ReadImage(size, struct.pack("<HB", 0, 1)), ErrorCode.OUT_OF_BOUNDS)
    spans = struct.pack("<HBHB", 1, 2, 3, 4)
    expect(c.answer(m.ReadImageAnswer, m.ReadImage(2, spans)).data == base[3:5] + base[8:12], "other bytes came")


def input_memory(c: Conversation) -> None:
    """Input codes outside the memory or their range are refused with their place; good ones are stored."""
    said, spec = c.greet(), c.spec
    low, high = spec.nodes.preset.code_range
    total = said.inputs * spec.nodes.count
    c.answer(m.WriteInputsAnswer, m.WriteInputs(0, struct.pack("<2H", low, high)))
    c.refused(m.WriteInputs(total - 1, struct.pack("<2H", low, low)), ErrorCode.INPUT_RANGE)
    error = c.refused(m.WriteInputs(4, struct.pack("<2H", low, high + 1)), ErrorCode.INPUT_CODE)
    expect((error.place, error.value) == (5, high + 1), f"the board says {error}")


def steps(c: Conversation) -> None:
    """A step that is not held cannot be selected."""
    if not c.greet().features & Feature.SEQUENCE:
        c.refused(m.SelectStep(0), ErrorCode.UNSUPPORTED)
        return
    c.refused(m.SelectStep(0xFFFF), ErrorCode.NO_STEP)


IMAGE_CHECKS: Final[tuple[Check, ...]] = (
    whole_image,
    delta_image,
    rollback,
    repeated_apply,
    out_of_order,
    resume,
    staging_refusals,
    damaged_delta,
    code_range,
    route_range,
    read_beyond,
    input_memory,
    steps,
)
"""In the order in which they build on each other."""
