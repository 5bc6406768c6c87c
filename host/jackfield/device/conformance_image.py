"""Checks of uploads, readback and rollback, with images that have no enabled cell."""

import zlib
from typing import Final

from jackfield.device.conformance import ACK, ERROR, NAK, Check, Conversation, expect
from jackfield.device.conformance_staging import (
    SEED,
    active_image,
    delta_of,
    other_code,
    quiet_image,
    read_image,
    send_data,
    stage,
    whole_begin,
)
from jackfield.device.upload import Upload
from jackfield.link import messages as m
from jackfield.link.numbers import ErrorCode

__all__ = ["IMAGE_CHECKS"]

PIECE: Final = 40


def whole_image(c: Conversation) -> None:
    """A whole image is staged, checked, applied and read back bit by bit."""
    payload = quiet_image(c.spec, SEED + 1)
    stage(c, whole_begin(payload), payload, held=None)
    c.answer(m.StageEndAnswer, m.StageEnd())
    crc = c.answer(m.ApplyAnswer, m.Apply()).image_crc
    expect(crc == zlib.crc32(payload), f"apply names image {crc:#010x}")
    expect(read_image(c) == payload, "other bytes were read back")
    expect(c.answer(m.StatusAnswer, m.Status()).image_crc == crc, "status names another image")


def checked_image(c: Conversation) -> None:
    """What stage_end has checked is read before apply, is not sent again in a new session, and changes nothing yet."""
    base = active_image(c)
    begin, staged, new = delta_of(base, other_code(c, base))
    requests = Upload(None, new, c.spec.link.frame_bytes).reads()
    transfer = stage(c, begin, staged)
    c.refused(m.ReadChecked(*requests[0]), ErrorCode.NOTHING_STAGED)
    c.answer(m.StageEndAnswer, m.StageEnd())
    c.refused(m.StageData(transfer, 0, staged[:1]), ErrorCode.NO_STAGE)
    said = c.greet()
    expect((said.staged_crc, said.staged_offset) == (begin.crc, len(staged)), "hello does not tell of the transfer")
    offset = c.answer(m.StageBeginAnswer, begin).offset
    expect(offset == len(staged), f"the board holds {offset} bytes of {len(staged)} that it has checked")
    c.answer(m.StageEndAnswer, m.StageEnd())
    read = b"".join(c.answer(m.ReadCheckedAnswer, m.ReadChecked(*request)).data for request in requests)
    expect(read == new, "other bytes were read before apply")
    expect(read_image(c) == base, "the configuration has changed before apply")
    c.answer(m.ApplyAnswer, m.Apply())
    expect(read_image(c) == new, "other bytes were read back after apply")
    c.refused(m.ReadChecked(*requests[0]), ErrorCode.NOTHING_STAGED)


def delta_image(c: Conversation) -> None:
    """A delta changes what it names and nothing else."""
    base = active_image(c)
    begin, staged, new = delta_of(base, other_code(c, base))
    stage(c, begin, staged)
    c.answer(m.StageEndAnswer, m.StageEnd())
    c.answer(m.ApplyAnswer, m.Apply())
    expect(read_image(c) == new, "other bytes were read back")


def rollback(c: Conversation) -> None:
    """rollback brings the configuration before the last apply back, once."""
    base = active_image(c)
    begin, staged, _ = delta_of(base, other_code(c, base))
    stage(c, begin, staged)
    c.answer(m.StageEndAnswer, m.StageEnd())
    c.answer(m.ApplyAnswer, m.Apply())
    crc = c.answer(m.RollbackAnswer, m.Rollback()).image_crc
    expect(crc == zlib.crc32(base), f"rollback names image {crc:#010x}")
    expect(read_image(c) == base, "other bytes were read back")
    c.refused(m.Rollback(), ErrorCode.NO_PREVIOUS)


def repeated_apply(c: Conversation) -> None:
    """A repeated apply is answered from memory; a new one has nothing to apply."""
    base = active_image(c)
    begin, staged, _ = delta_of(base, other_code(c, base))
    stage(c, begin, staged)
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
    offset = c.answer(m.StageBeginAnswer, whole_begin(payload)).offset
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
    begin = whole_begin(payload)
    offset = c.answer(m.StageBeginAnswer, begin).offset
    expect(offset == 0, f"the board holds {offset} bytes of an image that it has never seen")
    send_data(c, m.StageData(old, 0, payload[:50]))
    said = c.greet()
    expect((said.staged_crc, said.staged_offset) == (begin.crc, 50), "hello does not tell of the open transfer")
    transfer = c.sequence
    expect(c.answer(m.StageBeginAnswer, begin).offset == 50, "it does not go on at byte 50")
    if transfer != old:
        c.refused(m.StageData(old, 50, payload[50:60]), ErrorCode.NO_STAGE)
    c.refused(m.StageEnd(), ErrorCode.INCOMPLETE)


IMAGE_CHECKS: Final[tuple[Check, ...]] = (
    whole_image,
    checked_image,
    delta_image,
    rollback,
    repeated_apply,
    out_of_order,
    resume,
)
"""In the order in which they build on each other."""
