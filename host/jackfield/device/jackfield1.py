"""The dialect jackfield-1 (firmware_config/PROTOCOL.md), driver side."""

import time
import zlib
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import numpy as np
from numpy.typing import NDArray

from jackfield.board import BoardSpec, ConfigImage, RunProgram
from jackfield.device.abstract import AbstractBoard, BoardStatus, CommitReport, Hello, UploadReport
from jackfield.device.greeting import check_type, hello_of, in_words, status_of
from jackfield.device.input_codes import injection_requests, write_requests
from jackfield.device.line_rate import LineRate
from jackfield.device.refusals import checked
from jackfield.device.run_request import run_request
from jackfield.device.upload import Upload, differing_code
from jackfield.errors import BoardError, DesignError, LinkError
from jackfield.link import AbstractTransport, Exchange, ReplyFrame, read_requests, reply_room, request_room, unpack
from jackfield.link import messages as m
from jackfield.link.numbers import Outcome, State

__all__ = ["Jackfield1Board"]

POLLS_PER_WATCHDOG: Final = 4
REPLUG_S: Final = 10.0  # how long an apply waits for a cable that was pulled
QUESTIONS: Final = 16  # how often it asks whether it has become active, where the line breaks again and again
UNSETTLED: Final = (
    "the board at {name} has the image and has read it back right, but the line broke before it could say that it is "
    "active: it runs this image or the one before, whole in either case; connect again and apply it again"
)
DONE: Final = m.LAYOUTS[m.DoneNotice].number


class Jackfield1Board(AbstractBoard):
    """A board that speaks jackfield-1."""

    def __init__(self, transport: AbstractTransport, spec: BoardSpec) -> None:
        self._transport = transport
        self._spec = spec
        self._exchange = Exchange(transport)
        self._rate = LineRate(transport, self._exchange)
        self._active: bytes | None = None  # payload that the board is known to hold
        self._base: bytes | None = None  # payload that the held steps begin with
        self._steps: list[bytes] = []
        try:
            self._greet()
            check_type(self._hello, spec)
            self._speed_up()
        except BaseException:
            transport.close()
            raise
        self._run_number, self._run_sequence = self._hello.run_number, -1

    @classmethod
    def identify(cls, transport: AbstractTransport) -> Hello:
        return hello_of(Exchange(transport).start)

    @classmethod
    def make_safe(cls, transport: AbstractTransport) -> None:
        Exchange(transport).start(m.Safe)

    @property
    def hello(self) -> Hello:
        return self._hello

    @property
    def spec(self) -> BoardSpec:
        return self._spec

    def _greet(self) -> None:
        self._hello = hello = hello_of(self._rate.start)
        self._exchange.reply_s, self._exchange.frame_bytes = hello.reply_s, hello.frame_bytes
        if self._active is not None and zlib.crc32(self._active) != hello.image_crc:
            self._active = None  # the board was switched off, or somebody else has configured it
        self._image_crc = hello.image_crc

    def _speed_up(self) -> None:
        if "baud" in self._hello.features:
            self._rate.speed_up(self._spec.link.baud, self._ask, self._greet)

    def _get_in_step(self) -> None:
        """After an exchange that was cut off, agree on the sequence again."""
        if not self._exchange.in_step:
            self._greet()

    def _ask(self, *requests: tuple[object, ...], patience_s: float = 0.0, longer_s: float = 0.0) -> list[ReplyFrame]:
        self._get_in_step()
        return checked(self._exchange.ask(requests, patience_s, longer_s), self._spec)

    def apply(self, image: ConfigImage) -> UploadReport:
        started = time.monotonic()
        payload = image.payload(self._spec)
        try:
            upload = self._stage(payload)
        except LinkError:
            if not self._transport.found_again:
                raise
            self.reconnect(REPLUG_S)
            upload = self._stage(payload)
        if upload.nothing:
            return UploadReport("none", 0, time.monotonic() - started, True)
        try:
            self._ask(m.Apply())
        except LinkError as error:
            self._apply_again(upload, error)
        self._active, self._image_crc = payload, upload.image_crc
        self._base, self._steps = payload, []
        return UploadReport(upload.kind, len(upload.staged), time.monotonic() - started, True)

    def _stage(self, payload: bytes) -> Upload:
        """Have the board check `payload` and read it back; its configuration stays."""
        self._get_in_step()
        upload = Upload(self._active, payload, self._hello.frame_bytes)
        if not upload.nothing:
            self._transfer(upload)
        return upload

    def _transfer(self, upload: Upload) -> None:
        """Stage, check, read back, compare: one burst, unless a transfer is to be resumed."""
        transfer, held = self._exchange.next_sequence, None
        reads = [m.ReadChecked(origin, spans) for origin, spans in upload.reads()]
        try:
            if self._hello.staged_offset and self._hello.staged_crc == upload.begin.crc:
                held = unpack(m.StageBeginAnswer, self._ask(upload.begin)[0].payload).offset
            opening = (upload.begin,) if held is None else ()
            answers = self._ask(*opening, *upload.data(transfer, held or 0), m.StageEnd(), *reads)
        except BoardError:
            self._greet()  # perhaps somebody else has configured it
            raise
        read = b"".join(answer.payload for answer in answers[len(answers) - len(reads) :])
        if read != upload.expected:
            raise LinkError(
                f"the board at {self._transport.name} read back {differing_code(self._spec, upload, read)}; "
                "it keeps the configuration it had; check the supply and try again"
            )

    def _apply_again(self, upload: Upload, first: LinkError) -> None:
        """The line broke around an apply: ask the board what it holds, and apply again, until one is answered."""
        end = self._transport.now() + REPLUG_S
        for _ in range(QUESTIONS):
            try:
                if self._transport.found_again:
                    self.reconnect(max(end - self._transport.now(), 0.0))
                else:
                    self._greet()
            except LinkError:
                if self._transport.now() >= end:
                    break
                continue
            if self._image_crc == upload.image_crc:
                return
            if self._hello.staged_crc != upload.begin.crc:
                raise first  # it has started anew
            with suppress(LinkError):
                self._ask(m.Apply())
                return
        raise LinkError(UNSETTLED.format(name=self._transport.name)) from first

    def rollback(self) -> None:
        self._active = None
        self._image_crc = unpack(m.RollbackAnswer, self._ask(m.Rollback())[0].payload).image_crc
        if self._base is not None and zlib.crc32(self._base) == self._image_crc:
            self._active = self._base

    def commit(self) -> CommitReport:
        if "flash" not in self._hello.features:
            raise BoardError(f"board {self._hello.board_id} keeps no image without power; apply it after each power-up")
        self._get_in_step()
        request = m.Commit(self._image_crc)
        answer = unpack(m.CommitAnswer, self._ask(request, longer_s=self._hello.flash_s)[0].payload)
        return CommitReport("AB"[answer.slot - 1], answer.erases)

    def hold_steps(self, images: Sequence[ConfigImage]) -> UploadReport:
        started = time.monotonic()
        payloads = [image.payload(self._spec) for image in images]
        if len(payloads) > self._hello.sequence_depth:
            raise DesignError(
                f"{len(payloads)} steps are to be held, board {self._hello.board_id} holds "
                f"{self._hello.sequence_depth}; hold fewer at a time"
            )
        before = self._known_base()
        self._steps, total = [], 0
        for step, payload in enumerate(payloads):
            upload = Upload(before, payload, self._hello.frame_bytes, step)
            if len(upload.staged) > len(payload) // 2:
                raise DesignError(
                    f"step {step} changes {len(upload.staged)} bytes of the one before, half of an image's "
                    f"{len(payload)} are possible; order the steps so that neighbours are alike, or apply the images"
                )
            self._transfer(upload)
            self._steps.append(payload)
            before = payload
            total += len(upload.staged)
        return UploadReport("steps", total, time.monotonic() - started, True)

    def _known_base(self) -> bytes:
        """The payload that steps begin with, active and known."""
        self._get_in_step()
        if self._active != self._base and self._image_crc in map(zlib.crc32, self._steps):
            self.rollback()  # a step is active
        if self._active is None or self._active != self._base:
            self.read_image()
            self._base = self._active
        assert self._base is not None
        return self._base

    def select_step(self, step: int) -> None:
        self._active = None
        self._image_crc = unpack(m.SelectStepAnswer, self._ask(m.SelectStep(step))[0].payload).image_crc
        self._note_step(step)

    def _note_step(self, step: int) -> None:
        self._active = self._steps[step] if step < len(self._steps) else None
        if self._active is not None:
            self._image_crc = zlib.crc32(self._active)

    def read_image(self) -> ConfigImage:
        room = request_room(self._hello.frame_bytes) - 4, reply_room(self._hello.frame_bytes)
        spans = read_requests([(0, self._hello.image_bytes)], *room)
        answers = self._ask(*(m.ReadImage(origin, span) for origin, span, _ in spans))
        self._active = b"".join(answer.payload for answer in answers)
        return ConfigImage.from_payload(self._spec, self._active)

    def load_inputs(self, codes: NDArray[np.int64], first: int = 0) -> None:
        self._ask(*write_requests(codes, first, self._spec, self._hello))

    def load_injection(self, codes: NDArray[np.int64], first: int = 0) -> None:
        self._ask(*injection_requests(codes, first, self._spec, self._hello))

    def start(self, program: RunProgram, run_number: int | None = None) -> None:
        program.check(self._spec)
        number = (self._run_number + 1 if run_number is None else run_number) & 0xFFFFFFFF
        self._run_sequence = self._ask(run_request(program, number, self._hello.frame_bytes))[0].sequence
        self._run_number = number
        if program.step:
            self._note_step(program.step + program.count - 2)

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
                f"({in_words(Outcome, done.outcome)}); start it again"
            )
        return done.scans

    def _done(self, wait_s: float, patience_s: float) -> m.DoneNotice | None:
        """How the run ended, from its notice or, that being lost, from status; None while it runs.

        A board that does nothing else while it runs may be silent for `patience_s`.
        """
        frame = self._exchange.notice(DONE, wait_s) if self._exchange.in_step else None
        if frame is not None:
            done = unpack(m.DoneNotice, frame.payload)
            ours = frame.sequence == self._run_sequence  # not that of an earlier run, be its number the same
            return done if ours and done.run_number == self._run_number else None
        status = unpack(m.StatusAnswer, self._ask(m.Status(), patience_s=patience_s)[0].payload)
        if status.state == State.RUNNING or status.run_number != self._run_number:
            return None
        return m.DoneNotice(status.run_number, status.scans, status.outcome)

    def status(self) -> BoardStatus:
        return status_of(self._ask(m.Status())[0].payload)

    def stop(self) -> None:
        self._ask(m.Stop())

    def safe(self) -> None:
        self._rate.start(m.Safe)

    def reconnect(self, patience_s: float = 10.0) -> None:
        known = self._hello.board_id
        self._transport.reconnect(patience_s)
        self._exchange.begin_anew()
        self._rate.begin_anew()
        self._greet()
        if self._hello.board_id != known:
            raise BoardError(
                f"board {known} was connected, board {self._hello.board_id} is now; connect the former again"
            )
        self._speed_up()

    def close(self) -> None:
        try:
            self.safe()
            self._rate.slow_down(self._ask)
        finally:
            self._transport.close()
