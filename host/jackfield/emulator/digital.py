"""The digital half of an emulated board: a state machine of bytes in, bytes out and a clock."""

from collections.abc import Callable
from contextlib import suppress
from typing import Final

from jackfield.board import BoardSpec, RunProgram
from jackfield.emulator.digital_flash import PowerLossError, Slots
from jackfield.emulator.digital_program import injection_memory, input_memory, read_program
from jackfield.emulator.digital_rate import LineRate
from jackfield.emulator.digital_session import Session
from jackfield.emulator.digital_stage import Configuration, Memory
from jackfield.emulator.refusal import Refusal
from jackfield.emulator.settings import AnalogHalf
from jackfield.link import RequestFrame, pack, unpack
from jackfield.link import messages as m
from jackfield.link.numbers import PROTOCOL_VERSION, ErrorCode, Feature, Mode, Outcome, ProgramPart, SafeReason, State

__all__ = ["DigitalBoard"]

FIRMWARE: Final = (1, 0, 0)
FEATURES: Final = Feature.FLASH | Feature.SEQUENCE | Feature.BAUD
REPLY_MS: Final = 250
FLASH_MS: Final = 2000
UNKNOWN_TEMPERATURE: Final = 0x7FFF
DONE: Final = m.LAYOUTS[m.DoneNotice].number


class DigitalBoard:
    """Speaks jackfield-1 for board `spec` and sets `analog` accordingly; power is on after the constructor.

    `clock` gives seconds that never run backwards (for the watchdog only). Whoever moves the bytes calls
    `receive` with what the host sent and writes what it returns; then `tick`, and `tick` again at least
    every 100 ms: a run happens in `tick`, after its answer has left, and so does the watchdog, and a change
    of `baud`. At flash operation number `power_cut_at` the power fails, and comes back at once.
    """

    def __init__(
        self,
        spec: BoardSpec,
        analog: AnalogHalf,
        clock: Callable[[], float],
        board_id: str,
        temperature_C: Callable[[], float] | None = None,
        power_cut_at: int = 0,
    ) -> None:
        self._spec = spec
        self._analog = analog
        self._clock = clock
        self._board_id = board_id
        self._temperature_C = temperature_C
        self._slots = Slots(spec, Memory(spec).image_bytes, power_cut_at)
        self._handlers: dict[int, Callable[[RequestFrame], bytes]] = {
            layout.number: getattr(self, f"_{layout.name}") for layout in m.LAYOUTS.values() if layout.number < 0x80
        }
        self._power_up()

    def _power_up(self) -> None:
        """All but the flash begins anew; the newest good image in it becomes the active one."""
        spec = self._spec
        self._session = Session(spec.link.frame_bytes, spec.link.window, self._execute, self._feed)
        self._memory = Memory(spec)
        self._inputs, self._injection = input_memory(spec), injection_memory(spec)
        self._rate = LineRate(spec.link.baud, self._clock)
        self._fed_at = self._clock()
        self._pending: tuple[int, m.Run, RunProgram, list[Configuration]] | None = None
        self._last_run = m.DoneNotice(0, 0, Outcome.NONE)
        self._state, self._slot = State.SAFE, 0
        self._go_safe(SafeReason.POWER_UP)
        for slot, payload in self._slots.images():
            with suppress(Refusal):
                self._memory.start(self._memory.stored(payload))
                self._configure(self._memory.active)
                self._slot = slot
                return

    def receive(self, data: bytes) -> bytes:
        """What to send to the host after `data`; never raises, whatever the bytes."""
        try:
            return self._session.receive(data)
        except PowerLossError:
            self._power_up()
            return b""

    def tick(self) -> bytes:
        """Do what is due, a run or the watchdog; what to send."""
        if self._pending is not None:
            self._perform(*self._pending)
        elif self._state is State.HOLDING and self._clock() - self._fed_at > self._spec.link.watchdog_s:
            self._go_safe(SafeReason.WATCHDOG)
        self._rate.tick(self._session.broken_in_a_row)
        return self._session.take_output()

    @property
    def baud(self) -> int:
        """The rate of the serial line."""
        return self._rate.baud

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
        self._rate.heard()

    def _go_safe(self, reason: SafeReason) -> None:
        """Outputs off; the configuration stays. A run that had not begun is given up, and said to be over."""
        self._analog.safe()
        self._state, self._safe_reason = State.SAFE, reason
        if self._pending is not None:
            sequence, run, *_ = self._pending
            self._finish(sequence, run.run_number, 0, Outcome.STOPPED)

    def _perform(self, sequence: int, run: m.Run, program: RunProgram, steps: list[Configuration]) -> None:
        inputs = self._inputs.codes[program.first : program.first + program.count].copy()
        first_crc = steps[0].crc if steps else self._memory.image_crc
        memory = self._injection if program.inject else None
        injection = None if memory is None else memory.codes[program.first : program.first + program.count].copy()
        self._analog.run(program, inputs, first_crc, run.run_number, [step.settings for step in steps], injection)
        if steps:
            self._memory.active = steps[-1]
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
            features=FEATURES | (Feature.DRIVE if self._injection is not None or spec.nodes.clamp else 0),
            board_id=self._board_id,
            spec_name=spec.name,
            spec_digest=bytes.fromhex(spec.digest),
            firmware_major=FIRMWARE[0],
            firmware_minor=FIRMWARE[1],
            firmware_patch=FIRMWARE[2],
            frame_bytes=spec.link.frame_bytes,
            window=spec.link.window,
            inputs=spec.run.inputs,
            sequence_depth=spec.run.sequence_depth,
            reply_ms=REPLY_MS,
            flash_ms=FLASH_MS,
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
            slot=self._slot,
            erases=self._slots.erases,
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
        if self._memory.staging_step:
            self._refuse_while_running()
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

    def _commit(self, request: RequestFrame) -> bytes:
        meant = unpack(m.Commit, request.payload).image_crc
        self._refuse_while_running()
        active = self._memory.active
        if active is None:
            raise Refusal(ErrorCode.NOT_CONFIGURED)
        if active.crc != meant:
            raise Refusal(ErrorCode.WRONG_IMAGE, value=active.crc)
        self._end_holding()
        return pack(m.CommitAnswer(self._slots.keep(active.payload), self._slots.erases))

    def _select_step(self, request: RequestFrame) -> bytes:
        message = unpack(m.SelectStep, request.payload)
        self._refuse_while_running()
        self._configure(self._memory.select(message.step))
        return pack(m.SelectStepAnswer(self._memory.image_crc))

    def _set_baud(self, request: RequestFrame) -> bytes:
        baud = unpack(m.SetBaud, request.payload).baud
        self._rate.ask(baud)
        return pack(m.SetBaudAnswer(baud))

    def _configure(self, configuration: Configuration | None) -> None:
        """New codes reach the cells while no output is live."""
        self._end_holding()
        if configuration is not None:
            self._analog.configure(configuration.settings)

    def _end_holding(self) -> None:
        if self._state is State.HOLDING:
            self._analog.safe()
            self._state = State.IDLE

    def _read_image(self, request: RequestFrame) -> bytes:
        message = unpack(m.ReadImage, request.payload)
        return self._memory.read(message.origin, message.spans)

    def _read_checked(self, request: RequestFrame) -> bytes:
        message = unpack(m.ReadChecked, request.payload)
        return self._memory.read_checked(message.origin, message.spans)

    def _write_inputs(self, request: RequestFrame) -> bytes:
        message = unpack(m.WriteInputs, request.payload)
        self._refuse_while_running()
        self._inputs.write(message.start, message.codes)
        return b""

    def _write_injection(self, request: RequestFrame) -> bytes:
        message = unpack(m.WriteInjection, request.payload)
        self._refuse_while_running()
        if self._injection is None:
            raise Refusal(ErrorCode.UNSUPPORTED, value=request.number)
        self._injection.write(message.start, message.codes)
        return b""

    def _run(self, request: RequestFrame) -> bytes:
        run = unpack(m.Run, request.payload)
        self._refuse_while_running()
        if self._memory.active is None:
            raise Refusal(ErrorCode.NOT_CONFIGURED)
        program = read_program(self._spec, run)
        self._pending = request.sequence, run, program, self._steps_of(program)
        self._state, self._safe_reason = State.RUNNING, SafeReason.NONE
        return pack(m.RunAnswer(run.run_number))

    def _steps_of(self, program: RunProgram) -> list[Configuration]:
        """The held step of each input, none where the configuration stays; raises Refusal."""
        if not program.step:
            return []
        try:
            return self._memory.steps(program.step - 1, program.count)
        except Refusal as refusal:
            raise Refusal(
                ErrorCode.BAD_PROGRAM,
                field=ProgramPart.SEQUENCE,
                place=refusal.notice.place,
                value=refusal.notice.value,
            ) from refusal

    def _refuse_while_running(self) -> None:
        if self._pending is not None:
            raise Refusal(ErrorCode.BUSY, value=self._pending[1].run_number)
