"""Requests on their way: what was sent when, what is settled, what has to go again."""

from collections.abc import Sequence
from typing import Final

from jackfield.link.framing import ReplyFrame, encode_request, pack
from jackfield.link.messages import LAYOUTS, AckNotice, ErrorNotice, NakNotice, StageData
from jackfield.link.numbers import NakReason

__all__ = ["Flight"]

RING: Final = 32  # replies that the board remembers, and bits of its selective acknowledgement
ACK: Final = LAYOUTS[AckNotice].number
NAK: Final = LAYOUTS[NakNotice].number
ERROR: Final = LAYOUTS[ErrorNotice].number


class _Passenger:
    """One request. `stamp` grows with every transmission of anybody, so it orders them."""

    __slots__ = ("acknowledged_only", "answer", "name", "sent", "settled", "stamp", "wire")

    def __init__(self, request: tuple[object, ...], sequence: int) -> None:
        layout = LAYOUTS[type(request)]
        self.name = layout.name
        self.wire = encode_request(layout.number, sequence, pack(request))
        self.acknowledged_only = type(request) is StageData
        self.answer: ReplyFrame | None = None
        self.settled = False
        self.stamp = -1
        self.sent = 0


class Flight:
    """A batch of requests with consecutive sequence numbers from `sequence` on."""

    def __init__(self, requests: Sequence[tuple[object, ...]], sequence: int) -> None:
        self._requests = requests
        self._sequence = sequence
        self._passengers: list[_Passenger] = []
        self._end = len(requests)
        self._first = 0  # the first that is not settled
        self._stamp = 0
        self._again: list[_Passenger] = []
        self.settled = 0

    @property
    def landed(self) -> bool:
        """Whether everything that was sent is settled and nothing is left to send."""
        return self._first >= self._end

    @property
    def next_sequence(self) -> int:
        """The first sequence number that this batch did not use."""
        return (self._sequence + len(self._passengers)) & 0xFFFF

    @property
    def bytes_out(self) -> int:
        """Bytes on the line that are not settled, at most."""
        return sum(len(p.wire) for p in self._passengers[self._first :])

    @property
    def waiting_for(self) -> str:
        """The name of the request that holds up the others."""
        return self._passengers[self._first].name if self._first < len(self._passengers) else "a request"

    def answers(self) -> list[ReplyFrame]:
        """Answers in the order of the requests."""
        return [p.answer for p in self._passengers if p.answer is not None]

    def take_off(self, ack: int, credit: int) -> bytes:
        """What may go now: lost frames again, then new ones within the board's credit and memory of replies."""
        wire = [self._stamped(p) for p in self._again if not p.settled]
        self._again.clear()
        while (position := len(self._passengers)) < min(self._end, self._first + RING):
            sequence = (self._sequence + position) & 0xFFFF
            if (sequence - ack) & 0xFFFF >= credit:
                break
            self._passengers.append(_Passenger(self._requests[position], sequence))
            wire.append(self._stamped(self._passengers[-1]))
        return b"".join(wire)

    def _stamped(self, passenger: _Passenger) -> bytes:
        passenger.stamp = self._stamp
        passenger.sent += 1
        self._stamp += 1
        return passenger.wire

    def resend_first(self) -> None:
        """A timeout: send the first unsettled frame again; its answer will show what else is lost."""
        self._again = self._passengers[self._first : self._first + 1]

    def take(self, frame: ReplyFrame) -> bool:
        """Settle what a reply settles; False where it is a notice that belongs to no request here."""
        seen = self._acknowledged(frame)
        passenger = self._find(frame.sequence)
        if frame.number == NAK:
            seen = max(seen, self._thrown_away(frame, passenger))
        elif frame.number & 0x40 == 0 or frame.number == ERROR:
            seen = max(seen, self._answered(frame, passenger))
        elif frame.number != ACK:
            return False
        while self._first < len(self._passengers) and self._passengers[self._first].settled:
            self._first += 1
        self._mark_lost(seen)
        return True

    def _find(self, sequence: int) -> _Passenger | None:
        position = (sequence - self._sequence) & 0xFFFF
        return self._passengers[position] if position < len(self._passengers) else None

    def _answered(self, frame: ReplyFrame, passenger: _Passenger | None) -> int:
        """Keep an answer; the stamp of its request, or -1. After a refusal nothing new is sent."""
        if passenger is None or passenger.answer is not None:
            return -1
        passenger.answer = frame
        if frame.number == ERROR:
            self._end = len(self._passengers)
        return passenger.stamp if passenger.settled else self._settle(passenger)

    def _settle(self, passenger: _Passenger) -> int:
        passenger.settled = True
        self.settled += 1
        return passenger.stamp

    def _acknowledged(self, frame: ReplyFrame) -> int:
        """Settle the frames that need no answer; the newest stamp among them, or -1."""
        seen = -1
        before_ack = (frame.ack - self._sequence) & 0xFFFF
        for position in range(self._first, len(self._passengers)):
            passenger = self._passengers[position]
            held = (
                position > before_ack
                and position - before_ack <= RING
                and frame.sack >> (position - before_ack - 1) & 1
            )
            if passenger.acknowledged_only and not passenger.settled and (position < before_ack or held):
                seen = max(seen, self._settle(passenger))
        return seen

    def _thrown_away(self, frame: ReplyFrame, passenger: _Passenger | None) -> int:
        """The stamp before which everything unsettled is lost, or -1."""
        if frame.payload[:1] == bytes([NakReason.GAP]) and passenger is not None:
            return passenger.stamp
        if frame.payload[:1] == bytes([NakReason.BROKEN]):
            self.something_broke()
        return -1

    def something_broke(self) -> None:
        """A frame was broken on the way, there or back: most likely the first unsettled one, or its answer."""
        first = self._passengers[self._first : self._first + 1]
        if first and first[0].sent == 1:
            self._again = first

    def _mark_lost(self, seen: int) -> None:
        """What was sent before something that the board has seen, and is not settled, is lost: the line keeps order."""
        lost = [p for p in self._passengers[self._first :] if not p.settled and p.stamp < seen]
        if lost:
            self._again = lost
