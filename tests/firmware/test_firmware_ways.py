"""The same exchange with the firmware run three ways: frames worked by hand, the conformance suite, the driver."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import numpy as np

from jackfield.board import BoardSpec, ConfigImage, RunProgram
from jackfield.device import Jackfield1Board
from jackfield.link import AbstractTransport, FrameReader, ReplyFrame, encode_request, pack, unpack
from jackfield.link import messages as m
from jackfield.link.numbers import ErrorCode, Feature
from jackfield_boards import spec_folder

Way = Callable[[], AbstractContextManager[AbstractTransport]]
LINES = (spec_folder() / "golden" / "by_hand" / "frames.txt").read_text().splitlines()
GOLDEN = {line.split(" | ")[0]: bytes.fromhex(line.split(" | ")[1]) for line in LINES if not line.startswith("#")}
PATIENCE_S = 5.0


class _Talk:
    """Golden frames over one line, and the frame that comes back for each."""

    def __init__(self, line: AbstractTransport) -> None:
        self._line, self._reader = line, FrameReader(0xFFFF)
        self._waiting: list[ReplyFrame] = []

    def ask(self, wire: bytes) -> ReplyFrame:
        self._line.write(wire)
        while not self._waiting:
            data = self._line.read(PATIENCE_S)
            assert data, f"nothing came back for {wire.hex()}"
            bodies = self._reader.feed(data)
            assert None not in bodies
            self._waiting += [ReplyFrame.parse(body) for body in bodies if body is not None]
        return self._waiting.pop(0)

    def golden(self, name: str) -> ReplyFrame:
        return self.ask(GOLDEN[name])


def _refusal(reply: ReplyFrame) -> tuple[ErrorCode, int]:
    error = unpack(m.ErrorNotice, reply.payload)
    return ErrorCode(error.code), error.value


def test_frames_worked_by_hand(way: Way, jf16: BoardSpec) -> None:
    """A board without an image answers them as PROTOCOL.md says."""
    with way() as line:
        talk = _Talk(line)
        hello = talk.golden("hello")
        answer = unpack(m.HelloAnswer, hello.payload)
        assert (hello.sequence, hello.ack, hello.credit, answer.nonce) == (0, 1, 8, 0x12345678)
        assert (answer.spec_digest.hex(), answer.image_bytes, answer.image_crc) == (jf16.digest, 380, 0)
        assert answer.features == Feature.FLASH | Feature.SEQUENCE | Feature.BAUD
        assert unpack(m.StatusAnswer, talk.golden("status").payload).temperature_cC == 3125
        assert _refusal(talk.golden("stage_begin")) == (ErrorCode.WRONG_BASE, 0)
        assert _refusal(talk.golden("stage_data")) == (ErrorCode.NO_STAGE, 2)
        assert _refusal(talk.golden("stage_end")) == (ErrorCode.NO_STAGE, 0)
        assert talk.golden("long_data").number == m.LAYOUTS[m.NakNotice].number
        apply = encode_request(m.LAYOUTS[m.Apply].number, 5, pack(m.Apply()))
        assert _refusal(talk.ask(apply)) == (ErrorCode.NOTHING_STAGED, 0)
        assert _refusal(talk.golden("read_image")) == (ErrorCode.NOT_CONFIGURED, 0)
        assert talk.golden("write_inputs").number == m.LAYOUTS[m.WriteInputsAnswer].number
        assert _refusal(talk.golden("run")) == (ErrorCode.NOT_CONFIGURED, 0)
        assert unpack(m.SafeAnswer, talk.golden("safe").payload).nonce == 0xABCDEF01


def test_the_driver_uploads_keeps_and_runs(way: Way, jf16: BoardSpec) -> None:
    image = ConfigImage.safe(jf16).copy()
    image.codes["gain"][:, ::2] = 77
    with way() as line:
        board = Jackfield1Board(line, jf16)
        assert board.apply(image).kind == "whole"
        image.codes["gain"][1, 5] = 4095
        assert board.apply(image).kind == "delta"
        kept = board.commit()
        assert (kept.slot, kept.erases) == ("A", 1)
        board.load_inputs(np.full((64, 16), 2048))
        board.start(RunProgram(((0, 100), (1, 50)), ((1, 2), (3,)), count=64))
        assert board.finish(PATIENCE_S) == 64
        board.safe()
        assert board.status().state == "safe"
