"""The host's end of the link: requests in a sliding window, each executed once, in order.

Loss is found without waiting: the line keeps the order, so once a frame is settled, every unsettled frame
that was sent before it is lost (or was thrown away behind a gap) and goes out again. Timeouts are for the
last frame of a burst only.
"""

import contextlib
import secrets
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from jackfield.errors import LinkError
from jackfield.link.flight import Flight
from jackfield.link.framing import DELIMITER, FrameReader, ReplyFrame, encode_request, pack
from jackfield.link.layout import FrameError
from jackfield.link.messages import LAYOUTS, Hello, NakNotice, Safe
from jackfield.link.numbers import NakReason
from jackfield.link.transport import AbstractTransport

__all__ = ["Exchange"]

LARGEST_FRAME: Final = 0xFFFF
FIRST_REPLY_S: Final = 0.5
FIRST_FRAME: Final = 256  # bytes that the answer to hello has at most
TRIES: Final = 6
NAK: Final = LAYOUTS[NakNotice].number


class Exchange:
    """Sequence numbers, window, retransmission and resynchronisation over one transport.

    `reply_s` is the longest time that the board takes for an answer, `frame_bytes` its longest frame; hello tells.
    """

    def __init__(self, transport: AbstractTransport) -> None:
        self.reply_s = FIRST_REPLY_S
        self.frame_bytes = FIRST_FRAME
        self._transport = transport
        self._reader = FrameReader(LARGEST_FRAME)
        self._notices: deque[ReplyFrame] = deque()
        self._sequence = 0
        self._ack = 0
        self._credit = 0
        self._in_step = False

    @property
    def in_step(self) -> bool:
        """Whether both sides agree on the sequence; not so before `start`, and after an exchange was cut off."""
        return self._in_step

    @property
    def next_sequence(self) -> int:
        """The sequence number of the next request."""
        return self._sequence

    def begin_anew(self) -> None:
        """The line has been opened again: nothing of what was on it counts, and a session must be opened."""
        self._reader = FrameReader(LARGEST_FRAME)
        self._in_step = False

    def start(self, opening: Callable[[int], Hello | Safe]) -> bytes:
        """Begin a session, whatever went before: the payload of the answer to `opening(nonce)`.

        The delimiter in front ends a frame that was cut off; the nonce tells the answer from older ones.
        Raises LinkError where the board stays silent.
        """
        self._in_step = False
        nonce = secrets.randbits(32)
        request = opening(nonce)
        number = LAYOUTS[type(request)].number
        frame = DELIMITER + encode_request(number, self._sequence, pack(request))
        for _ in range(TRIES):
            self._transport.write(frame)
            answer = self._await_answer(number | 0x80, nonce)
            if answer is not None:
                self._sequence = (self._sequence + 1) & 0xFFFF
                self._ack, self._credit = answer.ack, answer.credit
                self._notices.clear()
                self._in_step = True
                return answer.payload
        raise LinkError(
            f"no board answers at {self._transport.name} ({TRIES} tries, {self.reply_s:g} s each); "
            "check cable and power, and that it is a jackfield-1 board at this baud rate"
        )

    def _await_answer(self, number: int, nonce: int) -> ReplyFrame | None:
        deadline = self._transport.now() + self.reply_s + FIRST_FRAME * self._transport.byte_s
        while (left := deadline - self._transport.now()) > 0:
            for frame in self._receive(left):
                if frame is not None and frame.number == number and nonce.to_bytes(4, "little") == frame.payload[:4]:
                    return frame
        return None

    def ask(
        self, requests: Sequence[tuple[object, ...]], patience_s: float = 0.0, longer_s: float = 0.0
    ) -> list[ReplyFrame]:
        """Send requests, as many at a time as the board allows; their answers in order.

        Acknowledged-only requests (stage_data) have no answer. After the first refusal (number of the error
        notice, last in the list) the requests that have not been sent stay at home. An answer may take
        `longer_s` more than `reply_s`, and the line its time for all bytes that are on it.
        Raises LinkError where the board has started anew, or stays silent through all tries and `patience_s`.
        """
        if not self._in_step:
            raise LinkError(f"the exchange with {self._transport.name} was cut off; say hello to the board again")
        self._in_step = False  # until this one has come to its end
        flight = Flight(requests, self._sequence)
        patience = _Patience(self._transport.now, patience_s)
        while not flight.landed:
            self._send(flight)
            limit_s = self.reply_s + longer_s + (flight.bytes_out + self.frame_bytes) * self._transport.byte_s
            for frame in self._receive(patience.left(limit_s)):
                if frame is None:
                    flight.something_broke()
                else:
                    self._take(frame, flight)
            if patience.lost(flight.settled, limit_s):
                flight.resend_first()
            if patience.exhausted:
                raise LinkError(
                    f"the board at {self._transport.name} stopped answering in the middle of {flight.waiting_for}; "
                    "check the cable and power, then connect again"
                )
        self._sequence = flight.next_sequence
        self._in_step = True
        return flight.answers()

    def notice(self, number: int, timeout_s: float) -> ReplyFrame | None:
        """The next notice `number` from the board, or None after `timeout_s`."""
        deadline = self._transport.now() + timeout_s
        while True:
            while self._notices:
                frame = self._notices.popleft()
                if frame.number == number:
                    return frame
            left = deadline - self._transport.now()
            if left <= 0:
                return None
            self._notices += [frame for frame in self._receive(left) if frame is not None]

    def _send(self, flight: Flight) -> None:
        data = flight.take_off(self._ack, self._credit)
        if data:
            self._transport.write(data)

    def _receive(self, timeout_s: float) -> list[ReplyFrame | None]:
        """The board's frames; None for each that is broken."""
        frames: list[ReplyFrame | None] = []
        for body in self._reader.feed(self._transport.read(timeout_s)):
            with contextlib.suppress(FrameError):  # an echo of our own requests has a good CRC, too
                frames.append(None if body is None else ReplyFrame.parse(body))
        return frames

    def _take(self, frame: ReplyFrame, flight: Flight) -> None:
        if frame.number == NAK and frame.payload[:1] == bytes([NakReason.NO_SESSION]):
            raise LinkError(
                f"the board at {self._transport.name} has started anew and lost its configuration; "
                "connect again and apply the image again"
            )
        self._ack, self._credit = frame.ack, frame.credit
        if not flight.take(frame):
            self._notices.append(frame)


class _Patience:
    """How long to wait for progress: `limit_s` a try, TRIES tries, and `silence_s` at least."""

    def __init__(self, now: Callable[[], float], silence_s: float) -> None:
        self._now = now
        self._silence_s = silence_s
        self._settled = 0
        self._tries = 0
        self._waiting_since = self._silent_since = now()

    def left(self, limit_s: float) -> float:
        """Seconds until the next timeout."""
        return max(self._waiting_since + limit_s - self._now(), 0.0)

    def lost(self, settled: int, limit_s: float) -> bool:
        """Whether a timeout is due, given how much has been settled so far."""
        now = self._now()
        if settled > self._settled:
            self._settled, self._tries = settled, 0
            self._waiting_since = self._silent_since = now
        if now - self._waiting_since < limit_s:
            return False
        self._tries, self._waiting_since = self._tries + 1, now
        return True

    @property
    def exhausted(self) -> bool:
        """Whether the board is given up."""
        return self._tries >= TRIES and self._now() - self._silent_since >= self._silence_s
