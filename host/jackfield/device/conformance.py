"""Whether a board keeps to PROTOCOL.md: every check speaks frame by frame and drives no output.

Images have no enabled cell, no run is ever asked for, nothing is committed. Each check opens a session of its own.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from jackfield.board import BoardSpec
from jackfield.errors import LinkError
from jackfield.link import (
    DELIMITER,
    AbstractTransport,
    FrameError,
    FrameReader,
    ReplyFrame,
    encode_request,
    pack,
    unpack,
)
from jackfield.link import messages as m
from jackfield.link.numbers import PROTOCOL_VERSION, ErrorCode, NakReason

__all__ = ["Check", "CheckResult", "Conversation", "NotHereError", "UnexpectedError", "run_checks"]

LARGEST_FRAME: Final = 0xFFFF
FIRST_REPLY_S: Final = 0.5
GREETINGS: Final = 6
ACK, NAK, ERROR, DONE = (m.LAYOUTS[kind].number for kind in (m.AckNotice, m.NakNotice, m.ErrorNotice, m.DoneNotice))

Message = TypeVar("Message", bound=tuple[object, ...])


class UnexpectedError(Exception):
    """The board did something else than PROTOCOL.md says; stays in this room."""


class NotHereError(Exception):
    """This board has nothing that the check could look at; stays in this room."""


class Conversation:
    """Frames to a board and what it says, all of it noted in `lines` as `(sent or received, hex)`."""

    def __init__(self, transport: AbstractTransport, spec: BoardSpec) -> None:
        self.spec = spec
        self.lines: list[tuple[str, str]] = []
        self.sequence = secrets.randbits(16)
        self._transport = transport
        self._reader = FrameReader(LARGEST_FRAME)
        self._waiting: list[ReplyFrame] = []
        self._reply_s = FIRST_REPLY_S
        self.nonce = 0

    def greet(self) -> m.HelloAnswer:
        """Open a session; its answer."""
        self._waiting.clear()
        self.nonce = secrets.randbits(32)
        request = m.Hello(PROTOCOL_VERSION, self.nonce)
        for attempt in range(1, GREETINGS + 1):
            self.send(DELIMITER)
            try:
                answer = unpack(m.HelloAnswer, self.ask(request).payload)
            except (UnexpectedError, FrameError):
                if attempt == GREETINGS:
                    raise
            else:
                self._reply_s = max(answer.reply_ms / 1000, 0.05)
                return answer
        raise AssertionError("the last greeting returns or raises")

    def send(self, data: bytes) -> None:
        """Bytes as they are."""
        self.lines.append(("sent", data.hex()))
        self._transport.write(data)

    def frame(self, request: tuple[object, ...], ahead: int = 0) -> bytes:
        """The wire form of `request`, `ahead` frames before its turn."""
        return encode_request(m.LAYOUTS[type(request)].number, self.sequence + ahead & 0xFFFF, pack(request))

    def ask(self, request: tuple[object, ...]) -> ReplyFrame:
        """The answer, or the refusal, of the next request."""
        self.send(self.frame(request))
        self.sequence = self.sequence + 1 & 0xFFFF
        number = m.LAYOUTS[type(request)].number
        return self.reply_to(self.sequence - 1 & 0xFFFF, number | 0x80)

    def reply_to(self, sequence: int, number: int) -> ReplyFrame:
        """The reply `number` to the frame with that sequence, or an error or a nak in its place."""
        return self.next(lambda r: r.sequence == sequence and r.number in (number, ERROR, NAK), f"{number:#04x}")

    def next(self, wanted: Callable[[ReplyFrame], bool], what: str) -> ReplyFrame:
        """The next reply that is wanted; UnexpectedError where it does not come in time."""
        end = self._transport.now() + self._reply_s + LARGEST_FRAME / 16 * self._transport.byte_s
        while True:
            while self._waiting:
                reply = self._waiting.pop(0)
                if wanted(reply):
                    return reply
            left = end - self._transport.now()
            if left <= 0:
                raise UnexpectedError(f"{what} did not come within {self._reply_s:g} s")
            self._receive(left)

    def _receive(self, timeout_s: float) -> None:
        data = self._transport.read(timeout_s)
        if data:
            self.lines.append(("received", data.hex()))
        for body in self._reader.feed(data):
            if body is None:
                raise UnexpectedError("a broken frame came back")
            try:
                self._waiting.append(ReplyFrame.parse(body))
            except FrameError as error:
                raise UnexpectedError(f"{body.hex()} came back, which is {error}") from error

    def answer(self, kind: type[Message], request: tuple[object, ...]) -> Message:
        """The answer of kind `kind`; UnexpectedError where the board refuses."""
        reply = self.ask(request)
        layout = m.LAYOUTS[kind]
        if reply.number != layout.number:
            raise UnexpectedError(f"{layout.name} is expected, {_named(reply)} came")
        try:
            return unpack(kind, reply.payload)
        except FrameError as error:
            raise UnexpectedError(str(error)) from error

    def refused(self, request: tuple[object, ...], code: ErrorCode) -> m.ErrorNotice:
        """The board's error, which has to be `code`."""
        return self.refusal(self.ask(request), code)

    def refusal(self, reply: ReplyFrame, code: ErrorCode) -> m.ErrorNotice:
        """What `reply` says, which has to be error `code`."""
        expect(reply.number == ERROR, f"error {code.name.lower()} is expected, {_named(reply)} came")
        error = unpack(m.ErrorNotice, reply.payload)
        expect(error.code == code, f"error {code.name.lower()} is expected, {_named(reply)} came")
        return error

    def thrown_away(self, reason: NakReason) -> ReplyFrame:
        """The nak that has to come now."""
        reply = self.next(lambda r: r.number != ACK, f"nak {reason.name.lower()}")
        ok = reply.number == NAK and reply.payload == bytes([reason])
        expect(ok, f"nak {reason.name.lower()} is expected, {_named(reply)} came")
        return reply


def expect(right: bool, otherwise: str) -> None:
    """Raise UnexpectedError with the text where something is not right."""
    if not right:
        raise UnexpectedError(otherwise)


def _named(reply: ReplyFrame) -> str:
    names = {layout.number: layout.name for layout in m.LAYOUTS.values()}
    name = names.get(reply.number, f"{reply.number:#04x}")
    if reply.number == ERROR and reply.payload:
        code = reply.payload[0]
        return f"error {ErrorCode(code).name.lower() if code in list(ErrorCode) else code}"
    return f"{name} {reply.payload.hex()}".strip()


Check = Callable[[Conversation], None]


@dataclass(frozen=True)
class CheckResult:
    """One check: its name, what it asks, "passed", "failed" or "not here", what was wrong, and what was said."""

    name: str
    asks: str
    outcome: str
    reason: str
    exchange: tuple[tuple[str, str], ...]

    @property
    def failed(self) -> bool:
        """Whether the board does not keep to the protocol here."""
        return self.outcome == "failed"


def run_checks(
    transport: AbstractTransport,
    spec: BoardSpec,
    checks: Sequence[Check],
    told: Callable[[CheckResult], None] = lambda result: None,
) -> list[CheckResult]:
    """Every check in order, each from a new session, then safe. `told` hears of each as it ends.

    Raises LinkError where the line is gone, or where the first greeting gets no answer at all.
    """
    conversation, results = Conversation(transport, spec), []
    try:
        conversation.greet()
    except (UnexpectedError, FrameError) as error:
        raise LinkError(f"no board answers at {transport.name} ({error}); check cable, power and baud rate") from error
    for check in checks:
        conversation.lines.clear()
        outcome, reason = "passed", ""
        try:
            conversation.greet()
            check(conversation)
        except NotHereError as absence:
            outcome, reason = "not here", str(absence)
        except (UnexpectedError, FrameError) as error:
            outcome, reason = "failed", str(error)
        asks = " ".join((check.__doc__ or "").split())
        name = check.__name__.strip("_")
        results.append(CheckResult(name, asks, outcome, reason, tuple(conversation.lines)))
        told(results[-1])
    conversation.send(DELIMITER + conversation.frame(m.Safe(secrets.randbits(32))))
    return results
