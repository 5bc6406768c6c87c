"""Checks that a board refuses what it must, with the place, and keeps its configuration."""

import struct
import zlib
from typing import Final

from jackfield.device.conformance import Check, Conversation, NotHereError, expect
from jackfield.device.conformance_staging import active_image, delta_of, other_code, stage, with_bits
from jackfield.link import messages as m
from jackfield.link.numbers import ErrorCode, Feature, StagedKind

__all__ = ["REFUSAL_CHECKS"]

TRIM_FIELD: Final = 255


def staging_refusals(c: Conversation) -> None:
    """Transfers that are too long, of no kind, or on another base are refused, and apply has nothing then."""
    base = active_image(c)
    size = len(base)
    c.refused(m.StageBegin(StagedKind.WHOLE, 0, size + 1, 1, 0, 1), ErrorCode.STAGE_LENGTH)
    c.refused(m.StageBegin(99, 0, size, 1, 0, 1), ErrorCode.BAD_KIND)
    c.refused(m.StageBegin(StagedKind.DELTA, 0, 4, 1, zlib.crc32(base) ^ 1, 1), ErrorCode.WRONG_BASE)
    c.refused(m.Apply(), ErrorCode.NOTHING_STAGED)


def damaged_delta(c: Conversation) -> None:
    """Staged bytes with another CRC, a delta that leaves the image, and one that makes another image are refused."""
    base = active_image(c)
    begin, staged, _ = delta_of(base, other_code(c, base))
    past = struct.pack("<HB", 0xFFFF, 0) * (len(base) // 0xFFFF + 1) + struct.pack("<HB", 0, 1) + b"\1"
    for opening, data, code in (
        (begin._replace(crc=begin.crc ^ 1), staged, ErrorCode.STAGE_CRC),
        (begin._replace(image_crc=begin.image_crc ^ 1), staged, ErrorCode.WRONG_IMAGE),
        (begin._replace(length=len(past), crc=zlib.crc32(past)), past, ErrorCode.BAD_DELTA),
    ):
        stage(c, opening, data)
        c.refused(m.StageEnd(), code)
        c.refused(m.Apply(), ErrorCode.NOTHING_STAGED)
    expect(c.answer(m.StatusAnswer, m.Status()).image_crc == zlib.crc32(base), "the configuration has changed")


def code_range(c: Conversation) -> None:
    """A code that its DAC does not have is refused with its place, in a cell and in a trim, enabled or not."""
    base, group, spec = active_image(c), c.spec.groups[0], c.spec
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
            error = _refused_bits(c, base, with_bits(base, place, scale.bits, 0), ErrorCode.CODE_RANGE)
            expect(
                (error.bank, error.field, error.place, error.value) == (0, field, number, 0), f"the board says {error}"
            )
            tried += 1
    if not tried:
        raise NotHereError("every code of this board is allowed")


def route_range(c: Conversation) -> None:
    """A route that does not exist is refused with its place."""
    base, reach = active_image(c), c.spec.groups[0].reach
    tried = 0
    for field, bits, at, nodes in (
        (0, reach.source_bits, 1, reach.sources(0)),
        (1, reach.destination_bits, 1 + reach.source_bits, reach.destinations(0)),
    ):
        highest = (1 << bits) - 1
        if highest >= len(nodes):
            error = _refused_bits(c, base, with_bits(base, at, bits, highest), ErrorCode.ROUTE_RANGE)
            expect((error.bank, error.field, error.place) == (0, field, 0), f"the board says {error}")
            tried += 1
    if not tried:
        raise NotHereError("every route that can be written exists")


def _refused_bits(c: Conversation, base: bytes, piece: tuple[int, bytes], code: ErrorCode) -> m.ErrorNotice:
    begin, staged, _ = delta_of(base, [piece])
    stage(c, begin, staged)
    error = c.refused(m.StageEnd(), code)
    expect(c.answer(m.StatusAnswer, m.Status()).image_crc == zlib.crc32(base), "the configuration has changed")
    return error


def read_beyond(c: Conversation) -> None:
    """Reading beyond the image is refused, and spans across it are put together."""
    base = active_image(c)
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


REFUSAL_CHECKS: Final[tuple[Check, ...]] = (
    staging_refusals,
    damaged_delta,
    code_range,
    route_range,
    read_beyond,
    input_memory,
    steps,
)
