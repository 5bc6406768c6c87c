"""Checks of frames, order, acknowledgement and sessions."""

import random
import secrets
from typing import Final

from jackfield.device.conformance import ERROR, NAK, Check, Conversation, NotHereError, expect
from jackfield.link import DELIMITER, encode_request, pack, unpack
from jackfield.link import messages as m
from jackfield.link.numbers import PROTOCOL_VERSION, ErrorCode, Feature, NakReason, SafeReason, State

__all__ = ["LINK_CHECKS"]

STATUS: Final = m.LAYOUTS[m.Status].number
HELLO: Final = m.LAYOUTS[m.Hello].number
UNKNOWN: Final = 0x7F
NOISE_BYTES: Final = 4000


def hello(c: Conversation) -> None:
    """hello tells limits that a host can work with, and the digest of this board's spec."""
    said = c.greet()
    expect(said.nonce == c.nonce, "the nonce did not come back")
    expect(said.version == PROTOCOL_VERSION, f"version {said.version} is spoken, not {PROTOCOL_VERSION}")
    expect(said.spec_digest.hex() == c.spec.digest, "the spec's digest is another")
    expect(said.frame_bytes >= 128, f"frame_bytes is {said.frame_bytes}; 128 must always be possible")
    expect(1 <= said.window <= 32, f"window is {said.window}, not 1 to 32")
    expect(said.image_bytes == c.spec.payload_bytes, f"an image has {said.image_bytes} bytes")
    expect(bool(said.board_id and said.reply_ms and said.watchdog_ms), "the id or a time is missing")


def repeated_hello(c: Conversation) -> None:
    """The same hello again is answered again and clears nothing."""
    again = c.frame(m.Hello(PROTOCOL_VERSION, c.nonce), ahead=-1)
    c.answer(m.StopAnswer, m.Stop())
    c.send(again)
    expect(c.reply_to(c.sequence - 2 & 0xFFFF, HELLO | 0x80).number == HELLO | 0x80, "it was not answered")
    c.answer(m.StatusAnswer, m.Status())


def empty_frames(c: Conversation) -> None:
    """Nothing between two 0x00 means nothing."""
    before = c.answer(m.StatusAnswer, m.Status()).broken_frames
    c.send(DELIMITER * 5)
    expect(c.answer(m.StatusAnswer, m.Status()).broken_frames == before, "they were counted as broken frames")


def damaged_frame(c: Conversation) -> None:
    """A frame whose CRC is wrong is thrown away: nak broken, counted, not executed."""
    before = c.answer(m.StatusAnswer, m.Status()).broken_frames
    wire = bytearray(c.frame(m.Stop()))
    wire[-2] = wire[-2] % 0xFF + 1  # another byte, whatever it was, and no delimiter
    c.send(bytes(wire))
    c.thrown_away(NakReason.BROKEN)
    expect(c.answer(m.StatusAnswer, m.Status()).broken_frames == before + 1, "it was not counted")


def long_frame(c: Conversation) -> None:
    """What is longer than frame_bytes is thrown away, and the frame behind it is understood."""
    limit = c.greet().frame_bytes
    c.send(encode_request(STATUS, c.sequence, bytes(range(1, 251)) * (limit // 250 + 1)))
    c.thrown_away(NakReason.BROKEN)
    c.answer(m.StatusAnswer, m.Status())


def echo(c: Conversation) -> None:
    """A reply's number is no request: nak broken."""
    c.send(encode_request(STATUS | 0x80, c.sequence))
    c.thrown_away(NakReason.BROKEN)
    c.answer(m.StatusAnswer, m.Status())


def noise(c: Conversation) -> None:
    """After noise the board answers hello as if nothing had been."""
    c.send(random.Random(c.sequence).randbytes(NOISE_BYTES))
    expect(c.greet().nonce == c.nonce, "the nonce did not come back")


def unknown_message(c: Conversation) -> None:
    """A message that does not exist is refused: unsupported."""
    c.send(encode_request(UNKNOWN, c.sequence))
    c.sequence = c.sequence + 1 & 0xFFFF
    error = c.refusal(c.reply_to(c.sequence - 1 & 0xFFFF, UNKNOWN | 0x80), ErrorCode.UNSUPPORTED)
    expect(error.value == UNKNOWN, f"{error.value} is named instead of {UNKNOWN}")


def wrong_length(c: Conversation) -> None:
    """A payload of the wrong length is refused: bad_length."""
    c.send(encode_request(STATUS, c.sequence, b"\1"))
    c.sequence = c.sequence + 1 & 0xFFFF
    c.refusal(c.reply_to(c.sequence - 1 & 0xFFFF, STATUS | 0x80), ErrorCode.BAD_LENGTH)


def acknowledgement(c: Conversation) -> None:
    """Every reply says which frame is expected next, holds nothing back, and gives credit within the window."""
    window = c.greet().window
    reply = c.ask(m.Status())
    expect(reply.ack == c.sequence, f"ack is {reply.ack}, not {c.sequence}")
    expect(reply.sack == 0, f"sack is {reply.sack:#x}, not 0")
    expect(1 <= reply.credit <= window, f"credit is {reply.credit}, the window {window}")


def gap(c: Conversation) -> None:
    """A frame before its turn is thrown away: nak gap with its sequence; so is one that is far away."""
    for ahead in (1, 32, 33, 1000, -33):
        c.send(c.frame(m.Stop(), ahead))
        reply = c.thrown_away(NakReason.GAP)
        expect(reply.sequence == c.sequence + ahead & 0xFFFF, f"the nak names frame {reply.sequence}")
        expect(reply.ack == c.sequence, "the board went on")
    c.answer(m.StatusAnswer, m.Status())


def window_of_frames(c: Conversation) -> None:
    """As many frames as the window allows, sent in one go, are answered in order."""
    window = c.greet().window
    c.send(b"".join(c.frame(m.Status(), ahead) for ahead in range(window)))
    for _ in range(window):
        reply = c.next(lambda r: r.number in (STATUS | 0x80, NAK, ERROR), "an answer of status")
        expect(reply.number == STATUS | 0x80 and reply.sequence == c.sequence, "the answers are not in order")
        c.sequence = c.sequence + 1 & 0xFFFF


def repeated_request(c: Conversation) -> None:
    """A repeated request is answered again without being counted; a question is asked again."""
    repeated = c.frame(m.Stop())
    first = c.ask(m.Stop())
    c.answer(m.StatusAnswer, m.Status())
    c.send(repeated)
    again = c.reply_to(c.sequence - 2 & 0xFFFF, m.LAYOUTS[m.StopAnswer].number)
    expect((again.number, again.payload) == (first.number, first.payload), "the answer is another")
    expect(again.ack == c.sequence, "the repeated frame was counted")
    question = c.frame(m.Status())
    c.answer(m.StatusAnswer, m.Status())
    c.send(question)
    number = m.LAYOUTS[m.StatusAnswer].number
    expect(c.reply_to(c.sequence - 1 & 0xFFFF, number).number == number, "a question was not answered again")


def safe(c: Conversation) -> None:
    """safe is executed whatever its sequence, and status says why the board is safe."""
    c.sequence = c.sequence + 12345 & 0xFFFF
    nonce = secrets.randbits(32)
    expect(c.answer(m.SafeAnswer, m.Safe(nonce)).nonce == nonce, "the nonce did not come back")
    status = c.answer(m.StatusAnswer, m.Status())
    expect(status.state == State.SAFE, f"the state is {status.state}")
    expect(status.safe_reason == SafeReason.REQUEST, f"the reason is {status.safe_reason}")


def stop(c: Conversation) -> None:
    """stop ends in the safe state, and status says so."""
    c.answer(m.StopAnswer, m.Stop())
    status = c.answer(m.StatusAnswer, m.Status())
    expect((status.state, status.safe_reason) == (State.SAFE, SafeReason.STOP), "status says something else")


def baud_rate(c: Conversation) -> None:
    """A line rate that no board has is refused, and the rate stays."""
    able = c.greet().features & Feature.BAUD
    c.refused(m.SetBaud(1), ErrorCode.BAUD if able else ErrorCode.UNSUPPORTED)
    c.answer(m.StatusAnswer, m.Status())


def flash(c: Conversation) -> None:
    """A board without flash refuses commit; with flash, commit is left to a person."""
    if c.greet().features & Feature.FLASH:
        raise NotHereError("this board has flash, which a check does not wear out")
    c.refused(m.Commit(0), ErrorCode.UNSUPPORTED)


def sessions(c: Conversation) -> None:
    """A new session begins at its own sequence; a frame of the one before is out of place."""
    old = c.frame(m.Stop())
    c.sequence = c.sequence + 5000 & 0xFFFF
    request = m.Hello(PROTOCOL_VERSION, secrets.randbits(32))
    reply = c.ask(request)
    expect(reply.ack == c.sequence and pack(request)[1:] == reply.payload[:4], "hello was not answered so")
    c.send(old)
    far = c.next(lambda r: True, "any reply")
    expect(far.number == NAK and unpack(m.NakNotice, far.payload).reason == NakReason.GAP, "it was accepted")


LINK_CHECKS: Final[tuple[Check, ...]] = (
    hello,
    repeated_hello,
    empty_frames,
    damaged_frame,
    long_frame,
    echo,
    noise,
    unknown_message,
    wrong_length,
    acknowledgement,
    gap,
    window_of_frames,
    repeated_request,
    safe,
    stop,
    baud_rate,
    flash,
    sessions,
)
"""In the order in which they build on each other."""
