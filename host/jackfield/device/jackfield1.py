"""The dialect jackfield-1 (firmware_config/PROTOCOL.md), driver side."""

import time
import zlib
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from jackfield.board import BoardSpec, ConfigImage, RunProgram
from jackfield.device.abstract import AbstractBoard, BoardStatus, Hello, UploadReport
from jackfield.device.refusals import checked
from jackfield.device.run_request import run_request
from jackfield.device.upload import Upload, differing_code
from jackfield.errors import BoardError, DesignError, LinkError
from jackfield.link import AbstractTransport, Exchange, ReplyFrame, read_requests, reply_room, request_room, unpack
from jackfield.link import messages as m
from jackfield.link.numbers import PROTOCOL_VERSION, Outcome, SafeReason, State

__all__ = ["Jackfield1Board"]

UNKNOWN_TEMPERATURE: Final = 0x7FFF
POLLS_PER_WATCHDOG: Final = 4
DONE: Final = m.LAYOUTS[m.DoneNotice].number


class Jackfield1Board(AbstractBoard):
    """A board that speaks jackfield-1."""

    def __init__(self, transport: AbstractTransport, spec: BoardSpec) -> None:
        self._transport = transport
        self._spec = spec
        self._exchange = Exchange(transport)
        self._active: bytes | None = None  # payload that the board is known to hold
        self._image_crc = 0
        try:
            self._hello = self._greet()
            _check_type(self._hello, spec)
        except BaseException:
            transport.close()
            raise
        self._run_number = self._hello.run_number

    @classmethod
    def identify(cls, transport: AbstractTransport) -> Hello:
        return _hello(Exchange(transport))

    @classmethod
    def make_safe(cls, transport: AbstractTransport) -> None:
        Exchange(transport).start(m.Safe)

    @property
    def hello(self) -> Hello:
        return self._hello

    @property
    def spec(self) -> BoardSpec:
        return self._spec

    def _greet(self) -> Hello:
        hello = _hello(self._exchange)
        self._exchange.reply_s = hello.reply_s
        if self._active is not None and zlib.crc32(self._active) != hello.image_crc:
            self._active = None  # the board was switched off, or somebody else has configured it
        self._image_crc = hello.image_crc
        return hello

    def _get_in_step(self) -> None:
        """After an exchange that was cut off, agree on the sequence again."""
        if not self._exchange.in_step:
            self._greet()

    def _ask(self, *requests: tuple[object, ...], patience_s: float = 0.0) -> list[ReplyFrame]:
        self._get_in_step()
        return checked(self._exchange.ask(requests, patience_s), self._spec)

    def apply(self, image: ConfigImage) -> UploadReport:
        started = time.monotonic()
        payload = image.payload(self._spec)
        self._get_in_step()
        before = self._active
        upload = Upload(before, payload, self._hello.frame_bytes)
        if upload.nothing:
            return UploadReport("none", 0, time.monotonic() - started, True)
        self._active = None  # until it is known again
        try:
            read = self._transfer(upload)
        except BoardError:
            self._active = before  # refused before it was applied
            raise
        except LinkError:
            self._undo(self._image_crc, upload.image_crc)
            raise
        if read != upload.expected:
            self.rollback()
            self._active = before
            raise LinkError(
                f"the board at {self._transport.name} read back {differing_code(self._spec, upload, read)}; "
                "it has been rolled back to the configuration before; check the supply and try again"
            )
        self._active, self._image_crc = payload, upload.image_crc
        return UploadReport(upload.kind, len(upload.staged), time.monotonic() - started, True)

    def _transfer(self, upload: Upload) -> bytes:
        """Stage, check, apply, read back: the bytes read. A delta travels as one burst."""
        transfer = self._exchange.next_sequence
        held = 0
        opening: tuple[tuple[object, ...], ...] = (upload.begin,)
        if upload.kind == "whole":
            held = unpack(m.StageBeginAnswer, self._ask(upload.begin)[0].payload).offset
            opening = ()
        reads = upload.reads()
        answers = self._ask(*opening, *upload.data(transfer, held), m.StageEnd(), m.Apply(), *reads)
        return b"".join(answer.payload for answer in answers[-len(reads) :])

    def _undo(self, before_crc: int, after_crc: int) -> None:
        """After a broken line: if the board did apply, but nothing was read back, put it back."""
        try:
            if self._greet().image_crc == after_crc != before_crc:
                self.rollback()
        except (LinkError, BoardError):
            return  # the line is gone for good: the first error says so

    def rollback(self) -> None:
        self._active = None
        self._image_crc = unpack(m.RollbackAnswer, self._ask(m.Rollback())[0].payload).image_crc

    def read_image(self) -> ConfigImage:
        room = request_room(self._hello.frame_bytes) - 4, reply_room(self._hello.frame_bytes)
        spans = read_requests([(0, self._hello.image_bytes)], *room)
        answers = self._ask(*(m.ReadImage(origin, span) for origin, span, _ in spans))
        self._active = b"".join(answer.payload for answer in answers)
        return ConfigImage.from_payload(self._spec, self._active)

    def load_inputs(self, codes: NDArray[np.int64], first: int = 0) -> None:
        nodes = self._spec.nodes.count
        if codes.ndim != 2 or codes.shape[1] != nodes or not 0 <= first <= self._hello.inputs - len(codes):
            raise DesignError(
                f"inputs of shape {codes.shape} from vector {first} on are asked; board {self._spec.name} holds "
                f"{self._hello.inputs} vectors of {nodes} codes; split the batch"
            )
        low, high = self._spec.nodes.preset.code_range
        if codes.size and (codes.min() < low or codes.max() > high):
            raise DesignError(f"preset codes {codes.min()}..{codes.max()} are asked, {low}..{high} are possible")
        data = np.ascontiguousarray(codes, dtype="<u2").tobytes()
        room = (request_room(self._hello.frame_bytes) - 4) // 2 * 2
        pieces = range(0, len(data), room)
        self._ask(*(m.WriteInputs(first * nodes + start // 2, data[start : start + room]) for start in pieces))

    def start(self, program: RunProgram, run_number: int | None = None) -> None:
        program.check(self._spec)
        number = (self._run_number + 1 if run_number is None else run_number) & 0xFFFFFFFF
        self._ask(run_request(program, number, self._hello.frame_bytes))
        self._run_number = number

    def finish(self, timeout: float) -> int:
        deadline = time.monotonic() + timeout
        poll_s = self._hello.watchdog_s / POLLS_PER_WATCHDOG
        while True:
            left = max(deadline - time.monotonic(), 0.0)
            done = self._done(min(poll_s, left), left)
            if done is not None:
                break
            if time.monotonic() >= deadline:
                raise BoardError(
                    f"run {self._run_number} on board {self._hello.board_id} has not ended after {timeout:g} s; "
                    "stop it, or allow more time"
                )
        if done.outcome != Outcome.COMPLETE:
            raise BoardError(
                f"run {self._run_number} on board {self._hello.board_id} was ended after {done.scans} inputs "
                f"({_name(Outcome, done.outcome)}); start it again"
            )
        return done.scans

    def _done(self, wait_s: float, patience_s: float) -> m.DoneNotice | None:
        """How the run ended, from its notice or, that being lost, from status; None while it runs.

        A board that does nothing else while it runs may be silent for `patience_s`.
        """
        frame = self._exchange.notice(DONE, wait_s) if self._exchange.in_step else None
        if frame is not None:
            done = unpack(m.DoneNotice, frame.payload)
            return done if done.run_number == self._run_number else None
        status = unpack(m.StatusAnswer, self._ask(m.Status(), patience_s=patience_s)[0].payload)
        if status.state == State.RUNNING or status.run_number != self._run_number:
            return None
        return m.DoneNotice(status.run_number, status.scans, status.outcome)

    def status(self) -> BoardStatus:
        answer = unpack(m.StatusAnswer, self._ask(m.Status())[0].payload)
        known = answer.temperature_cC != UNKNOWN_TEMPERATURE
        return BoardStatus(
            state=_name(State, answer.state),
            safe_reason=_name(SafeReason, answer.safe_reason),
            temperature_C=answer.temperature_cC / 100 if known else None,
            run_number=answer.run_number,
            scans=answer.scans,
            outcome=_name(Outcome, answer.outcome),
            image_crc=answer.image_crc,
            erases=answer.erases,
            broken_frames=answer.broken_frames,
        )

    def stop(self) -> None:
        self._ask(m.Stop())

    def safe(self) -> None:
        self._exchange.start(m.Safe)

    def close(self) -> None:
        try:
            self.safe()
        finally:
            self._transport.close()


def _hello(exchange: Exchange) -> Hello:
    answer = unpack(m.HelloAnswer, exchange.start(lambda nonce: m.Hello(PROTOCOL_VERSION, nonce)))
    if answer.version != PROTOCOL_VERSION:
        raise LinkError(
            f"the board speaks protocol version {answer.version}, this program version {PROTOCOL_VERSION}; "
            "update the firmware or jackfield"
        )
    return Hello(
        board_id=answer.board_id,
        spec_name=answer.spec_name,
        spec_digest=answer.spec_digest.hex(),
        firmware=f"{answer.firmware_major}.{answer.firmware_minor}.{answer.firmware_patch}",
        frame_bytes=answer.frame_bytes,
        window=answer.window,
        inputs=answer.inputs,
        sequence_depth=answer.sequence_depth,
        reply_s=answer.reply_ms / 1000,
        watchdog_s=answer.watchdog_ms / 1000,
        image_bytes=answer.image_bytes,
        image_crc=answer.image_crc,
        run_number=answer.run_number,
    )


def _name(numbers: type[IntEnum], value: int) -> str:
    """In words, or the number where newer firmware knows more words."""
    return numbers(value).name.lower() if value in list(numbers) else str(value)


def _check_type(hello: Hello, spec: BoardSpec) -> None:
    if hello.spec_digest != spec.digest:
        raise BoardError(
            f"board {hello.board_id} is a {hello.spec_name} with spec digest {hello.spec_digest[:12]}, "
            f"{spec.name} with {spec.digest[:12]} was asked; use the spec that the board was made with"
        )
