import io
import json

import pytest

from jackfield.errors import LinkError
from jackfield.link import Exchange, RecordingTransport, Replay, encode_reply, encode_request, pack
from jackfield.link import messages as m
from jackfield.testing import LoopbackTransport


class Board:
    """Answers safe with its nonce, and status with a counter."""

    def __init__(self) -> None:
        self.count = 0

    def receive(self, data: bytes) -> bytes:
        self.count += 1
        number, sequence = data[-1], self.count
        return self._safe(data) if self.count == 1 else encode_reply(0x84, sequence - 1, sequence, 0, 8, bytes(number))

    def _safe(self, data: bytes) -> bytes:
        from jackfield.link import FrameReader

        body = next(body for body in FrameReader(100).feed(data) if body)
        return encode_reply(0x82, 0, 1, 0, 8, body[3:])

    def tick(self) -> bytes:
        return b""


def ask(board: object) -> tuple[bytes, list[int]]:
    sink = io.StringIO()
    exchange = Exchange(RecordingTransport(LoopbackTransport(board), sink))  # type: ignore[arg-type]
    nonce = exchange.start(m.Safe)
    answers = exchange.ask([m.Stop(), m.Stop()][:1]) + exchange.ask([m.Stop()])
    ask.recording = sink.getvalue()  # type: ignore[attr-defined]
    return nonce, [answer.number for answer in answers]


def test_a_recording_answers_as_the_board_did_with_the_new_nonce() -> None:
    first = ask(Board())
    recording = ask.recording.splitlines()  # type: ignore[attr-defined]
    again = ask(Replay(recording))
    assert again[1] == first[1] == [0x84, 0x84]
    assert again[0] != first[0]


def test_a_host_that_does_something_else_is_told() -> None:
    ask(Board())
    replay = Replay(ask.recording.splitlines())  # type: ignore[attr-defined]
    with pytest.raises(LinkError, match=r"the host sends 0300\w+ as its frame 0, 02"):
        replay.receive(encode_request(3, 0, pack(m.Status())))


def test_what_is_no_recording_is_refused() -> None:
    for line in ("x", json.dumps({"sent": "zz"}), "3"):
        with pytest.raises(LinkError, match="no line of a recorded exchange"):
            Replay([line])
