"""The board's end of the link: order, acknowledgement, memory of replies."""

from collections.abc import Callable
from typing import Final

from jackfield.emulator.refusal import Refusal
from jackfield.link import FrameError, FrameReader, RequestFrame, encode_reply, pack
from jackfield.link.messages import LAYOUTS, AckNotice, ErrorNotice, Hello, NakNotice, Safe, StageData
from jackfield.link.numbers import ErrorCode, NakReason

__all__ = ["Session"]

RING: Final = 32
ACK: Final = LAYOUTS[AckNotice].number
NAK: Final = LAYOUTS[NakNotice].number
ERROR: Final = LAYOUTS[ErrorNotice].number
DATA: Final = LAYOUTS[StageData].number
OPENING: Final = {LAYOUTS[kind].number for kind in (Hello, Safe)}
PURE: Final = {layout.number for layout in LAYOUTS.values() if layout.pure}

Handler = Callable[[RequestFrame], bytes]


class Session:
    """Cuts bytes into requests, has `handler` execute each once and in order, sends what it answers.

    `handler` returns the answer's payload or raises Refusal; `heard` is called for every valid frame.
    """

    def __init__(self, frame_bytes: int, window: int, handler: Handler, heard: Callable[[], None]) -> None:
        self._reader = FrameReader(frame_bytes)
        self._window = window
        self._handler = handler
        self._heard = heard
        self._nonce: bytes | None = None
        self._expected = 0
        self._held = 0  # bit i: frame expected + 1 + i
        self._ring: dict[int, tuple[int, bytes]] = {}
        self._unacknowledged = 0
        self._out = bytearray()
        self.broken_frames = 0
        self.broken_in_a_row = 0

    def receive(self, data: bytes) -> bytes:
        """What to send after these bytes."""
        for body in self._reader.feed(data):
            self._frame(body)
        if self._unacknowledged:
            self.send(ACK, 0)
        return self.take_output()

    def take_output(self) -> bytes:
        """What has been sent since the last call."""
        out, self._out = bytes(self._out), bytearray()
        return out

    def send(self, number: int, sequence: int, payload: bytes = b"") -> None:
        """One frame to the host; every frame acknowledges."""
        self._unacknowledged = 0
        self._out += encode_reply(number, sequence, self._expected, self._held, self._window, payload)

    def _frame(self, body: bytes | None) -> None:
        try:
            request = RequestFrame.parse(body or b"")
        except FrameError:
            self.broken_frames += 1
            self.broken_in_a_row += 1
            self._nak(NakReason.BROKEN, 0)
            return
        self.broken_in_a_row = 0
        self._heard()
        if request.number in OPENING:
            self._open(request)
        elif self._nonce is None:
            self._nak(NakReason.NO_SESSION, request.sequence)
        else:
            self._ordered(request, (request.sequence - self._expected) & 0xFFFF)

    def _nak(self, reason: NakReason, sequence: int) -> None:
        self.send(NAK, sequence, pack(NakNotice(reason)))

    def _open(self, request: RequestFrame) -> None:
        """Hello and safe start a session; the same nonce again is a repeated frame of the session that goes on."""
        number, payload = self._execute(request)
        nonce = request.payload[-4:]
        if number != ERROR and nonce != self._nonce:
            self._nonce = nonce
            self._expected, self._held = (request.sequence + 1) & 0xFFFF, 0
            self._ring.clear()
        self.send(number, request.sequence, payload)

    def _ordered(self, request: RequestFrame, ahead: int) -> None:
        if ahead == 0:
            self._next(request)
        elif ahead >= 0x10000 - RING:
            self._repeated(request)
        elif ahead <= RING and request.number == DATA and self._hold(request):
            self._held |= 1 << (ahead - 1)
            self._acknowledge_soon()
        else:
            self._nak(NakReason.GAP, request.sequence)

    def _next(self, request: RequestFrame) -> None:
        self._advance()
        if request.number in PURE:
            self._answer(request)
            return
        number, payload = self._execute(request)
        self._ring[request.sequence] = number, payload
        self._ring.pop((request.sequence - RING) & 0xFFFF, None)
        if request.number == DATA and number != ERROR:
            self._acknowledge_soon()
        else:
            self.send(number, request.sequence, payload)

    def _advance(self) -> None:
        """The next frame is executed, and with it those behind it that are held."""
        more = 1
        while more:
            self._expected = (self._expected + 1) & 0xFFFF
            more = self._held & 1
            self._held >>= 1

    def _repeated(self, request: RequestFrame) -> None:
        number, payload = self._ring.get(request.sequence, (request.number | 0x80, b""))
        if request.number in PURE:
            self._answer(request)
        elif request.number == DATA and number != ERROR:
            self._acknowledge_soon()
        elif request.sequence in self._ring:
            self.send(number, request.sequence, payload)

    def _hold(self, request: RequestFrame) -> bool:
        """Take staged bytes before their turn, if they belong to the open transfer."""
        try:
            self._handler(request)
        except (Refusal, FrameError):
            return False
        return True

    def _answer(self, request: RequestFrame) -> None:
        number, payload = self._execute(request)
        self.send(number, request.sequence, payload)

    def _execute(self, request: RequestFrame) -> tuple[int, bytes]:
        try:
            return request.number | 0x80, self._handler(request)
        except Refusal as refusal:
            return ERROR, pack(refusal.notice)
        except FrameError:
            return ERROR, pack(Refusal(ErrorCode.BAD_LENGTH, value=request.number).notice)

    def _acknowledge_soon(self) -> None:
        self._unacknowledged += 1
        if self._unacknowledged >= max(self._window // 2, 1):
            self.send(ACK, 0)
