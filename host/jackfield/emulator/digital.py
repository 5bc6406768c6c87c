"""The digital half of an emulated board: a state machine of bytes in, bytes out and a clock."""

from collections.abc import Callable
from typing import Final

from jackfield.board import BoardSpec, RunProgram
from jackfield.emulator.digital_program import InputMemory, read_program
from jackfield.emulator.digital_session import Session
from jackfield.emulator.digital_stage import Configuration, Memory
from jackfield.emulator.refusal import Refusal
from jackfield.emulator.settings import AnalogHalf
from jackfield.link import RequestFrame, pack, unpack
from jackfield.link import messages as m
from jackfield.link.numbers import PROTOCOL_VERSION, ErrorCode, Mode, Outcome, SafeReason, State

__all__ = ["DigitalBoard"]

FIRMWARE: Final = (1, 0, 0)
REPLY_MS: Final = 250
UNKNOWN_TEMPERATURE: Final = 0x7FFF
DONE: Final = m.LAYOUTS[m.DoneNotice].number


class DigitalBoard:
    """Speaks jackfield-1 for board `spec` and sets `analog` accordingly; power is on after the constructor.

    `clock` gives seconds that never run backwards (for the watchdog only). Whoever moves the bytes calls
    `receive` with what the host sent and writes what it returns; then `tick`, and `tick` again at least
    every 100 ms: a run happens in `tick`, after its answer has left, and so does the watchdog.
    """

    def __init__(
        self,
        spec: BoardSpec,
        analog: AnalogHalf,
        clock: Callable[[], float],
        board_id: str,
        temperature_C: Callable[[], float] | None = None,
    ) -> None:
        self._spec = spec
        self._analog = analog
        self._clock = clock
        self._board_id = board_id
        self._temperature_C = temperature_C
        self._session = Session(spec.link.frame_bytes, spec.link.window, self._execute, self._feed)
        self._memory = Memory(spec)
        self._inputs = InputMemory(spec)
        self._fed_at = clock()
        self._pending: tuple[int, m.Run, RunProgram] | None = None
        self._last_run = m.DoneNotice(0, 0, Outcome.NONE)
        self._handlers: dict[int, Callable[[RequestFrame], bytes]] = {
            m.LAYOUTS[kind].number: handler for kind, handler in self._handler_table()
        }
        self._state = State.SAFE
        self._go_safe(SafeReason.POWER_UP)

    def _handler_table(self) -> list[tuple[type[tuple[object, ...]], Callable[[RequestFrame], bytes]]]:
        return [
            (m.Hello, self._hello),
            (m.Safe, self._safe),
            (m.Status, self._status),
            (m.Stop, self._stop),
            (m.StageBegin, self._stage_begin),
            (m.StageData, self._stage_data),
            (m.StageEnd, self._stage_end),
            (m.Apply, self._apply),
            (m.Rollback, self._rollback),
            (m.ReadImage, self._read_image),
            (m.WriteInputs, self._write_inputs),
            (m.Run, self._run),
        ]

    def receive(self, data: bytes) -> bytes:
        """What to send to the host after `data`; never raises, whatever the bytes."""
        return self._session.receive(data)

    def tick(self) -> bytes:
        """Do what is due, a run or the watchdog; what to send."""
        if self._pending is not None:
            self._perform(*self._pending)
        elif self._state is State.HOLDING and self._clock() - self._fed_at > self._spec.link.watchdog_s:
            self._go_safe(SafeReason.WATCHDOG)
        return self._session.take_output()

    @property
    def state(self) -> State:
        """Safe, idle, running (until the next tick) or holding."""
        return self._state

    def _execute(self, request: RequestFrame) -> bytes:
        handler = self._handlers.get(request.number)
        if handler is None:
            raise Refusal(ErrorCode.UNSUPPORTED, value=request.number)
        return handler(request)

    def _feed(self) -> None:
        self._fed_at = self._clock()

    def _go_safe(self, reason: SafeReason) -> None:
        """Outputs off; the configuration stays. A run that had not begun is given up, and said to be over."""
        self._analog.safe()
        self._state, self._safe_reason = State.SAFE, reason
        if self._pending is not None:
            sequence, run, _ = self._pending
            self._finish(sequence, run.run_number, 0, Outcome.STOPPED)

    def _perform(self, sequence: int, run: m.Run, program: RunProgram) -> None:
        inputs = self._inputs.codes[program.first : program.first + program.count].copy()
        self._analog.run(program, inputs, self._memory.image_crc, run.run_number)
        self._state = State.HOLDING if run.mode == Mode.HOLD_PRESET else State.IDLE
        self._feed()
        self._finish(sequence, run.run_number, program.count, Outcome.COMPLETE)

    def _finish(self, sequence: int, run_number: int, scans: int, outcome: Outcome) -> None:
        self._pending = None
        self._last_run = m.DoneNotice(run_number, scans, outcome)
        self._session.send(DONE, sequence, pack(self._last_run))

    def _hello(self, request: RequestFrame) -> bytes:
        hello, spec = unpack(m.Hello, request.payload), self._spec
        answer = m.HelloAnswer(
            nonce=hello.nonce,
            version=PROTOCOL_VERSION,
            features=0,
            board_id=self._board_id,
            spec_name=spec.name,
            spec_digest=bytes.fromhex(spec.digest),
            firmware_major=FIRMWARE[0],
            firmware_minor=FIRMWARE[1],
            firmware_patch=FIRMWARE[2],
            frame_bytes=spec.link.frame_bytes,
            window=spec.link.window,
            inputs=spec.run.inputs,
            sequence_depth=0,
            reply_ms=REPLY_MS,
            flash_ms=0,
            watchdog_ms=round(spec.link.watchdog_s * 1000),
            image_bytes=self._memory.image_bytes,
            image_crc=self._memory.image_crc,
            staged_crc=self._memory.staged[0],
            staged_offset=self._memory.staged[1],
            run_number=self._last_run.run_number,
        )
        return pack(answer)

    def _safe(self, request: RequestFrame) -> bytes:
        nonce = unpack(m.Safe, request.payload).nonce
        self._go_safe(SafeReason.REQUEST)
        return pack(m.SafeAnswer(nonce))

    def _status(self, request: RequestFrame) -> bytes:
        unpack(m.Status, request.payload)
        known = self._temperature_C is not None
        answer = m.StatusAnswer(
            state=self._state,
            safe_reason=self._safe_reason,
            temperature_cC=round(self._temperature_C() * 100) if self._temperature_C and known else UNKNOWN_TEMPERATURE,
            run_number=self._last_run.run_number,
            scans=self._last_run.scans,
            outcome=self._last_run.outcome,
            image_crc=self._memory.image_crc,
            staged_crc=self._memory.staged[0],
            staged_offset=self._memory.staged[1],
            slot=0,
            erases=0,
            broken_frames=self._session.broken_frames,
        )
        return pack(answer)

    def _stop(self, request: RequestFrame) -> bytes:
        unpack(m.Stop, request.payload)
        self._go_safe(SafeReason.STOP)
        return b""

    def _stage_begin(self, request: RequestFrame) -> bytes:
        held = self._memory.begin(unpack(m.StageBegin, request.payload), request.sequence)
        return pack(m.StageBeginAnswer(held))

    def _stage_data(self, request: RequestFrame) -> bytes:
        self._memory.data(unpack(m.StageData, request.payload))
        return b""

    def _stage_end(self, request: RequestFrame) -> bytes:
        unpack(m.StageEnd, request.payload)
        self._memory.end()
        return b""

    def _apply(self, request: RequestFrame) -> bytes:
        unpack(m.Apply, request.payload)
        self._refuse_while_running()
        self._configure(self._memory.apply())
        return pack(m.ApplyAnswer(self._memory.image_crc))

    def _rollback(self, request: RequestFrame) -> bytes:
        unpack(m.Rollback, request.payload)
        self._refuse_while_running()
        self._configure(self._memory.roll_back())
        return pack(m.RollbackAnswer(self._memory.image_crc))

    def _configure(self, configuration: Configuration | None) -> None:
        """New codes reach the cells while no output is live."""
        if self._state is State.HOLDING:
            self._analog.safe()
            self._state = State.IDLE
        if configuration is not None:
            self._analog.configure(configuration.settings)

    def _read_image(self, request: RequestFrame) -> bytes:
        message = unpack(m.ReadImage, request.payload)
        return self._memory.read(message.origin, message.spans)

    def _write_inputs(self, request: RequestFrame) -> bytes:
        message = unpack(m.WriteInputs, request.payload)
        self._refuse_while_running()
        self._inputs.write(message.start, message.codes)
        return b""

    def _run(self, request: RequestFrame) -> bytes:
        run = unpack(m.Run, request.payload)
        self._refuse_while_running()
        if self._memory.active is None:
            raise Refusal(ErrorCode.NOT_CONFIGURED)
        self._pending = request.sequence, run, read_program(self._spec, run)
        self._state, self._safe_reason = State.RUNNING, SafeReason.NONE
        return pack(m.RunAnswer(run.run_number))

    def _refuse_while_running(self) -> None:
        if self._pending is not None:
            raise Refusal(ErrorCode.BUSY, value=self._pending[1].run_number)
