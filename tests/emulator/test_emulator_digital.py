import itertools
import struct
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from jackfield.board import BoardSpec, ConfigImage, RunProgram
from jackfield.emulator.digital import DigitalBoard
from jackfield.emulator.settings import Settings
from jackfield.link import FrameReader, ReplyFrame, encode_frame, encode_request, pack, unpack
from jackfield.link import messages as m
from jackfield.link.numbers import ErrorCode, NakReason, Outcome, ProgramPart, SafeReason, State

ERROR = m.LAYOUTS[m.ErrorNotice].number
DONE = m.LAYOUTS[m.DoneNotice].number
RUN = m.Run(43, 0, 0, 2, 0, 0, 1, 2, struct.pack("<BI", 0, 100) + struct.pack("<5H", 2, 3, 4, 1, 5))
HOLD = m.Run(44, 2, 0, 1, 0, 0, 0, 2, struct.pack("<4H", 1, 3, 1, 5))


class Analog:
    def __init__(self) -> None:
        self.calls: list[str] = []

    def configure(self, settings: Settings) -> None:
        self.calls.append("configure")

    def run(
        self,
        program: RunProgram,
        inputs: NDArray[np.int64],
        image_crc: int,
        run_number: int,
        steps: Sequence[Settings] = (),
        injection: NDArray[np.int64] | None = None,
    ) -> None:
        assert inputs.shape[0] == program.count
        self.calls.append(f"run {run_number}")

    def safe(self) -> None:
        self.calls.append("safe")


class Host:
    """Sends messages one by one and reads the answers."""

    def __init__(self, spec: BoardSpec) -> None:
        self.spec, self.analog, self.now = spec, Analog(), 0.0
        self.nonces = itertools.count(0x80000000)
        self.board = DigitalBoard(spec, self.analog, lambda: self.now, "5A31-0007")
        self.sequence = 0

    def frames(self, data: bytes) -> list[ReplyFrame]:
        return [ReplyFrame.parse(body) for body in FrameReader(2000).feed(data) if body is not None]

    def send(self, message: tuple[object, ...]) -> ReplyFrame:
        wire = encode_request(m.LAYOUTS[type(message)].number, self.sequence, pack(message))
        self.sequence = (self.sequence + 1) & 0xFFFF
        *_, answer = self.frames(self.board.receive(wire))
        return answer

    def status(self) -> m.StatusAnswer:
        return unpack(m.StatusAnswer, self.send(m.Status()).payload)

    def refused(self, message: tuple[object, ...]) -> ErrorCode:
        answer = self.send(message)
        assert answer.number == ERROR
        return ErrorCode(unpack(m.ErrorNotice, answer.payload).code)

    def configure(self) -> None:
        payload = ConfigImage.safe(self.spec).payload(self.spec)
        crc = zlib.crc32(payload)
        transfer = self.sequence
        self.send(m.StageBegin(0, 0, len(payload), crc, 0, crc))
        self.send(m.StageData(transfer, 0, payload))
        self.send(m.StageEnd())
        assert unpack(m.ApplyAnswer, self.send(m.Apply()).payload).image_crc == crc


@pytest.fixture
def host(jf16: BoardSpec) -> Host:
    host = Host(jf16)
    host.send(m.Hello(1, 77))
    return host


def test_power_up_is_safe_and_without_configuration(host: Host) -> None:
    assert host.analog.calls == ["safe"]
    status = host.status()
    assert (status.state, status.safe_reason, status.outcome) == (State.SAFE, SafeReason.POWER_UP, Outcome.NONE)
    assert (status.image_crc, status.run_number, status.temperature_cC) == (0, 0, 32767)
    assert host.refused(RUN) is ErrorCode.NOT_CONFIGURED


def test_a_run_is_answered_first_and_played_then(host: Host) -> None:
    host.configure()
    answer = host.send(RUN)
    assert unpack(m.RunAnswer, answer.payload).run_number == 43
    assert host.board.state is State.RUNNING
    assert "run 43" not in host.analog.calls
    (done,) = host.frames(host.board.tick())
    assert (done.number, done.sequence) == (DONE, answer.sequence)
    assert unpack(m.DoneNotice, done.payload) == m.DoneNotice(43, 2, Outcome.COMPLETE)
    assert host.analog.calls[-1] == "run 43"
    assert host.status().state == State.IDLE
    assert host.board.tick() == b""


@pytest.mark.parametrize("message", [m.Apply(), m.Rollback(), RUN, m.WriteInputs(0, b""), m.Commit(0), m.SelectStep(0)])
def test_what_a_run_does_not_suffer(host: Host, message: tuple[object, ...]) -> None:
    host.configure()
    host.send(RUN)
    assert host.refused(message) is ErrorCode.BUSY


@pytest.mark.parametrize("message", [m.Stop(), m.Safe(3)])
def test_stop_and_safe_end_a_run(host: Host, message: tuple[object, ...]) -> None:
    host.configure()
    host.send(RUN)
    wire = encode_request(m.LAYOUTS[type(message)].number, host.sequence, pack(message))
    done, answer = host.frames(host.board.receive(wire))
    assert unpack(m.DoneNotice, done.payload) == m.DoneNotice(43, 0, Outcome.STOPPED)
    assert answer.number == wire[2] | 0x80 or answer.number in (0x82, 0x84)
    host.board.tick()
    assert "run 43" not in host.analog.calls
    assert host.analog.calls[-1] == "safe"


def test_the_safe_state_keeps_the_configuration(host: Host) -> None:
    host.configure()
    crc = host.status().image_crc
    host.send(m.Stop())
    status = host.status()
    assert (status.state, status.safe_reason, status.image_crc) == (State.SAFE, SafeReason.STOP, crc)
    host.send(RUN)
    host.board.tick()
    assert host.status().safe_reason == SafeReason.NONE


def test_the_watchdog_runs_while_outputs_are_live_and_any_valid_frame_feeds_it(host: Host) -> None:
    host.configure()
    host.now = 100.0
    assert host.board.tick() == b""
    assert host.board.state is State.SAFE
    host.send(HOLD)
    host.board.tick()
    for _ in range(5):
        host.now += 1.9
        host.board.tick()
        assert host.status().state == State.HOLDING
    host.now += 1.5
    host.board.receive(b"noise\0")
    host.now += 0.6
    host.board.tick()
    assert host.board.state is State.SAFE
    assert host.status().safe_reason == SafeReason.WATCHDOG
    assert host.analog.calls[-1] == "safe"


def test_a_new_configuration_ends_holding_before_it_reaches_the_cells(host: Host) -> None:
    host.configure()
    host.send(HOLD)
    host.board.tick()
    host.configure()
    assert host.analog.calls[-3:] == ["run 44", "safe", "configure"]
    assert host.status().state == State.IDLE


def test_payloads_of_the_wrong_length(host: Host) -> None:
    for number in (1, 2, 3, 4, 0x10, 0x12, 0x13, 0x14, 0x15, 0x20, 0x30):
        wire = encode_request(number, host.sequence, b"\1\2\3")
        answer = host.frames(host.board.receive(wire))[-1]
        assert answer.number == ERROR
        assert unpack(m.ErrorNotice, answer.payload)[:1] == (ErrorCode.BAD_LENGTH,)
        host.sequence += number > 2


def garbage() -> st.SearchStrategy[bytes]:
    numbers = st.sampled_from([layout.number for layout in m.LAYOUTS.values()]) | st.integers(0, 255)
    sequences = st.integers(0, 40).map(lambda s: s.to_bytes(2, "little"))
    frames = st.builds(
        lambda number, sequence, payload: encode_frame(bytes([number]) + sequence + payload),
        numbers,
        sequences,
        st.binary(max_size=60),
    )
    return st.lists(frames | st.binary(max_size=60), max_size=30).map(b"".join)


@pytest.fixture(scope="module")
def survivor(jf16: BoardSpec) -> Host:
    host = Host(jf16)
    host.send(m.Hello(1, 1))
    host.configure()
    return host


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(garbage())
def test_no_sequence_of_bytes_hurts_the_board(survivor: Host, noise: bytes) -> None:
    """Noise and well-formed frames with arbitrary payloads; afterwards a normal upload."""
    survivor.board.receive(noise)
    survivor.board.tick()
    survivor.board.receive(b"\0")
    survivor.send(m.Safe(next(survivor.nonces)))  # a nonce not used before
    assert survivor.board.state is State.SAFE
    survivor.configure()


def test_hello_repeats_the_limits_of_the_spec(host: Host) -> None:
    hello = unpack(m.HelloAnswer, host.send(m.Hello(1, 78)).payload)
    spec: Any = host.spec
    assert (hello.frame_bytes, hello.window, hello.inputs) == (spec.link.frame_bytes, spec.link.window, spec.run.inputs)
    assert (hello.spec_digest.hex(), hello.spec_name, hello.board_id) == (spec.digest, "jf16", "5A31-0007")
    assert (hello.image_bytes, hello.features, hello.nonce) == (spec.payload_bytes, 7, 78)


def test_a_committed_image_is_there_after_a_power_loss_in_the_next_commit(jf16: BoardSpec) -> None:
    host = Host(jf16)
    host.send(m.Hello(1, 1))
    assert host.refused(m.Commit(0)) is ErrorCode.NOT_CONFIGURED
    host.configure()
    crc = host.status().image_crc
    assert host.refused(m.Commit(crc ^ 1)) is ErrorCode.WRONG_IMAGE
    host.send(HOLD)
    host.board.tick()
    assert unpack(m.CommitAnswer, host.send(m.Commit(crc)).payload) == m.CommitAnswer(1, 1)
    assert host.status().state == State.IDLE
    host.board._power_up()
    host.send(m.Hello(1, 2))
    status = host.status()
    assert (status.state, status.safe_reason, status.slot) == (State.SAFE, SafeReason.POWER_UP, 1)
    assert (status.image_crc, status.erases) == (crc, 1)
    assert host.analog.calls[-2:] == ["safe", "configure"]
    assert host.refused(m.Rollback()) is ErrorCode.NO_PREVIOUS
    host.send(RUN)
    assert host.frames(host.board.tick())[0].number == DONE


def test_the_power_fails_where_it_is_told_to(jf16: BoardSpec) -> None:
    host = Host(jf16)
    host.board = DigitalBoard(jf16, host.analog, lambda: host.now, "5A31-0007", power_cut_at=2)
    host.send(m.Hello(1, 1))
    host.configure()
    crc = host.status().image_crc
    assert host.board.receive(encode_request(m.LAYOUTS[m.Commit].number, host.sequence, pack(m.Commit(crc)))) == b""
    (nak,) = host.frames(host.board.receive(encode_request(3, host.sequence)))
    assert unpack(m.NakNotice, nak.payload).reason == NakReason.NO_SESSION
    host.send(m.Hello(1, 2))
    assert host.status().image_crc == 0


def hold_steps(host: Host, bits: list[int]) -> list[int]:
    """Hold steps that each flip an enable bit in the first byte; their CRCs."""
    payload, crcs = ConfigImage.safe(host.spec).payload(host.spec), []
    for number, bit in enumerate(bits):
        result = bytes([payload[0] ^ bit]) + payload[1:]
        stream = bytes([0, 0, 1, result[0]])
        transfer = host.sequence
        crcs.append(zlib.crc32(result))
        host.send(m.StageBegin(2, number, len(stream), zlib.crc32(stream), zlib.crc32(payload), crcs[-1]))
        host.send(m.StageData(transfer, 0, stream))
        assert host.send(m.StageEnd()).number != ERROR
        payload = result
    return crcs


def test_a_run_steps_between_its_inputs_and_stays_at_the_last(host: Host) -> None:
    host.configure()
    base = host.status().image_crc
    crcs = hold_steps(host, [1, 1, 1])
    host.send(RUN._replace(step=2))
    host.board.tick()
    assert host.status().image_crc == crcs[2]
    assert unpack(m.SelectStepAnswer, host.send(m.SelectStep(0)).payload).image_crc == crcs[0]
    assert unpack(m.RollbackAnswer, host.send(m.Rollback()).payload).image_crc == base


def test_a_run_beyond_the_held_steps_is_refused(host: Host) -> None:
    host.configure()
    hold_steps(host, [1])
    answer = host.send(RUN._replace(step=1))
    error = unpack(m.ErrorNotice, answer.payload)
    assert (error.code, error.field, error.place, error.value) == (ErrorCode.BAD_PROGRAM, ProgramPart.SEQUENCE, 1, 1)
    assert host.status().state == State.SAFE


def test_no_step_is_replaced_while_a_run_lasts(host: Host) -> None:
    host.configure()
    hold_steps(host, [1, 1])
    payload = ConfigImage.safe(host.spec).payload(host.spec)
    host.send(m.StageBegin(2, 0, 0, 0, zlib.crc32(payload), zlib.crc32(payload)))
    host.send(RUN._replace(step=1))
    assert host.refused(m.StageEnd()) is ErrorCode.BUSY


def test_the_line_changes_its_rate_after_the_answer(host: Host) -> None:
    assert host.refused(m.SetBaud(9600)) is ErrorCode.BAUD
    assert unpack(m.SetBaudAnswer, host.send(m.SetBaud(921_600)).payload).baud == 921_600
    assert host.board.baud == 115_200
    host.board.tick()
    assert host.board.baud == 921_600
    host.now += 1
    host.board.tick()
    assert host.board.baud == 115_200
