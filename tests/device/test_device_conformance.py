"""The conformance suite on good boards, and on boards that are wrong in one way each."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from jackfield.board import BoardSpec, RunProgram
from jackfield.device import CheckResult, conformance
from jackfield.device.conformance import Conversation
from jackfield.device.conformance_image import IMAGE_CHECKS
from jackfield.device.conformance_link import LINK_CHECKS
from jackfield.device.conformance_refusals import REFUSAL_CHECKS
from jackfield.emulator import DigitalBoard
from jackfield.errors import LinkError
from jackfield.link import CableOptions, FrameReader, ReplyFrame, encode_frame, encode_reply, encode_request
from jackfield.link import messages as m
from jackfield.link.numbers import ErrorCode
from jackfield.testing import CableTransport

ACK, NAK, ERROR = (m.LAYOUTS[kind].number for kind in (m.AckNotice, m.NakNotice, m.ErrorNotice))
CHECKS = [check.__name__ for check in (*LINK_CHECKS, *IMAGE_CHECKS, *REFUSAL_CHECKS)]
NOT_ON_JF16 = {"route_range"}  # all of its routes exist

Spoil = Callable[[ReplyFrame], "ReplyFrame | None"]


class NoOutput:
    """An analog half that only lets itself be configured, with nothing enabled."""

    def configure(self, settings: Any) -> None:
        assert not settings.enable.any()

    def run(self, program: RunProgram, *rest: Any) -> None:
        raise AssertionError("a check has asked for a run")

    def safe(self) -> None:
        pass


class SpoiltBoard:
    """A good board whose replies pass `spoil`, which may change or swallow them."""

    def __init__(self, board: DigitalBoard, spoil: Spoil) -> None:
        self._board = board
        self._spoil = spoil
        self._reader = FrameReader(0xFFFF)

    def receive(self, data: bytes) -> bytes:
        return self._spoilt(self._board.receive(data))

    def tick(self) -> bytes:
        return self._spoilt(self._board.tick())

    def _spoilt(self, data: bytes) -> bytes:
        replies = [ReplyFrame.parse(body) for body in self._reader.feed(data) if body is not None]
        spoilt = [self._spoil(reply) for reply in replies]
        return b"".join(encode_reply(*reply[:5], reply.payload) for reply in spoilt if reply is not None)


def number(kind: type[tuple[object, ...]]) -> int:
    return m.LAYOUTS[kind].number


def edited(kind: type[Any], **changes: Any) -> Spoil:
    """Replies of one kind with other fields; a callable makes the new value from the old one."""

    def spoil(reply: ReplyFrame) -> ReplyFrame:
        if reply.number != number(kind):
            return reply
        message = kind._make(m.LAYOUTS[kind].unpack(reply.payload))
        new = {name: value(getattr(message, name)) if callable(value) else value for name, value in changes.items()}
        return reply._replace(payload=m.LAYOUTS[kind].pack(message._replace(**new)))

    return spoil


def dropped(*numbers: int) -> Spoil:
    return lambda reply: None if reply.number in numbers else reply


def header(**changes: Any) -> Spoil:
    def spoil(reply: ReplyFrame) -> ReplyFrame:
        return reply._replace(**{name: value(getattr(reply, name)) & 0xFF for name, value in changes.items()})

    return spoil


def other_error(code: ErrorCode) -> Spoil:
    """One of the board's errors has another code."""

    def spoil(reply: ReplyFrame) -> ReplyFrame:
        wrong = reply.number == ERROR and reply.payload[0] == code
        return reply._replace(payload=b"\3" + reply.payload[1:]) if wrong else reply

    return spoil


def error_as_answer(code: ErrorCode, answer: int) -> Spoil:
    """One of the board's errors becomes consent."""

    def spoil(reply: ReplyFrame) -> ReplyFrame:
        wrong = reply.number == ERROR and reply.payload[0] == code
        return reply._replace(number=answer, payload=b"") if wrong else reply

    return spoil


def wrong_place(reply: ReplyFrame) -> ReplyFrame:
    """Errors name another place."""
    if reply.number != ERROR:
        return reply
    error = m.ErrorNotice._make(m.LAYOUTS[m.ErrorNotice].unpack(reply.payload))
    return reply._replace(payload=m.LAYOUTS[m.ErrorNotice].pack(error._replace(place=error.place + 1)))


def once(kind: int) -> Spoil:
    """Only the first answer of a kind gets out for each sequence: nothing is repeated."""
    seen: set[int] = set()

    def spoil(reply: ReplyFrame) -> ReplyFrame | None:
        if reply.number != kind:
            return reply
        repeated = reply.sequence in seen
        seen.add(reply.sequence)
        return None if repeated else reply

    return spoil


def answers_backwards(reply: ReplyFrame) -> ReplyFrame:
    return reply._replace(sequence=reply.sequence ^ 1) if reply.number == number(m.StatusAnswer) else reply


def flipped(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


def counting() -> Callable[[int], int]:
    """A number that grows whenever it is told."""
    told = itertools.count()
    return lambda _: next(told)


SPOILT: dict[str, Spoil] = {
    "hello": edited(m.HelloAnswer, frame_bytes=64),
    "repeated_hello": once(number(m.HelloAnswer)),
    "empty_frames": edited(m.StatusAnswer, broken_frames=counting()),
    "damaged_frame": dropped(NAK),
    "long_frame": dropped(NAK),
    "echo": dropped(NAK),
    "noise": dropped(),
    "unknown_message": other_error(ErrorCode.UNSUPPORTED),
    "wrong_length": error_as_answer(ErrorCode.BAD_LENGTH, number(m.StatusAnswer)),
    "acknowledgement": header(credit=lambda credit: credit + 1),
    "gap": dropped(NAK),
    "window_of_frames": answers_backwards,
    "repeated_request": once(number(m.StopAnswer)),
    "safe": edited(m.StatusAnswer, safe_reason=1),
    "stop": edited(m.StatusAnswer, state=1),
    "baud_rate": error_as_answer(ErrorCode.BAUD, number(m.SetBaudAnswer)),
    "flash": edited(m.HelloAnswer, features=0),
    "sessions": dropped(NAK),
    "whole_image": edited(m.ReadImageAnswer, data=flipped),
    "checked_image": edited(m.ReadCheckedAnswer, data=flipped),
    "delta_image": edited(m.ReadImageAnswer, data=flipped),
    "rollback": error_as_answer(ErrorCode.NO_PREVIOUS, number(m.RollbackAnswer)),
    "repeated_apply": once(number(m.ApplyAnswer)),
    "out_of_order": lambda reply: reply._replace(sack=0),
    "resume": edited(m.StageBeginAnswer, offset=0),
    "staging_refusals": other_error(ErrorCode.BAD_KIND),
    "damaged_delta": error_as_answer(ErrorCode.STAGE_CRC, number(m.StageEndAnswer)),
    "code_range": wrong_place,
    "route_range": error_as_answer(ErrorCode.ROUTE_RANGE, number(m.StageEndAnswer)),
    "read_beyond": error_as_answer(ErrorCode.OUT_OF_BOUNDS, number(m.ReadImageAnswer)),
    "input_memory": wrong_place,
    "steps": error_as_answer(ErrorCode.NO_STEP, number(m.SelectStepAnswer)),
}


def good_board(spec: BoardSpec) -> DigitalBoard:
    return DigitalBoard(spec, NoOutput(), lambda: 0.0, "5A31-0007")


def results(board: Any, spec: BoardSpec) -> dict[str, CheckResult]:
    found = conformance(CableTransport(board, CableOptions(baud=921600)), spec)
    return {result.name: result for result in found}


def test_a_good_board_passes(jf16: BoardSpec, jf96: BoardSpec) -> None:
    for spec, absent in ((jf16, {"flash", "route_range"}), (jf96, {"flash"})):
        found = results(good_board(spec), spec)
        assert list(found) == CHECKS
        assert [result for result in found.values() if result.failed] == []
        assert {name for name, result in found.items() if result.outcome == "not here"} == absent


def test_the_damaged_frame_is_damaged_whatever_its_last_byte(jf16: BoardSpec) -> None:
    stop, transport = m.LAYOUTS[m.Stop].number, CableTransport(good_board(jf16), CableOptions(baud=921600))
    conversation, damaged = Conversation(transport, jf16), LINK_CHECKS[CHECKS.index("damaged_frame")]
    last_byte = {encode_request(stop, sequence)[-2]: sequence for sequence in range(0x10000)}
    assert len(last_byte) == 255
    for sequence in last_byte.values():
        conversation.sequence = sequence - 2 & 0xFFFF  # hello and status come before it
        conversation.greet()
        damaged(conversation)


def test_every_check_is_spoilt_once() -> None:
    assert list(SPOILT) == CHECKS


class Deaf:
    """A board that never answers again once it has heard a long stretch without a zero."""

    def __init__(self, board: DigitalBoard) -> None:
        self._board, self._deaf = board, False

    def receive(self, data: bytes) -> bytes:
        self._deaf = self._deaf or (len(data) > 50 and data.count(0) == 0)
        return b"" if self._deaf else self._board.receive(data)

    def tick(self) -> bytes:
        return b"" if self._deaf else self._board.tick()


@pytest.mark.parametrize("name", CHECKS)
def test_each_check_can_fail(name: str, jf16: BoardSpec, jf96: BoardSpec) -> None:
    spec = jf96 if name in NOT_ON_JF16 else jf16
    spoil = SPOILT[name]
    board: Any = Deaf(good_board(spec)) if name == "noise" else SpoiltBoard(good_board(spec), spoil)
    result = results(board, spec)[name]
    assert result.failed
    assert result.reason
    assert {way for way, _ in result.exchange} == {"sent", "received"} or name == "noise"


def test_a_failure_comes_with_its_exact_exchange(jf16: BoardSpec) -> None:
    result = results(SpoiltBoard(good_board(jf16), SPOILT["stop"]), jf16)["stop"]
    sent = [bytes.fromhex(data) for way, data in result.exchange if way == "sent"]
    bodies = [body for data in sent for body in FrameReader(2000).feed(data) if body]
    assert [body[0] for body in bodies] == [number(m.Hello), number(m.Stop), number(m.Status)]
    assert all(encode_frame(body) in sent for body in bodies)
    received = b"".join(bytes.fromhex(data) for way, data in result.exchange if way == "received")
    assert [body[0] for body in FrameReader(2000).feed(received) if body] == [0x81, 0x84, 0x83]


def test_where_nobody_answers(jf16: BoardSpec) -> None:
    silent = SpoiltBoard(good_board(jf16), lambda reply: None)
    with pytest.raises(LinkError, match="no board answers at cable"):
        results(silent, jf16)
