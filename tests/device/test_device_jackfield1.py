import secrets
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from jackfield.board import BoardSpec, ConfigImage
from jackfield.device import Jackfield1Board
from jackfield.device.jackfield1 import DONE
from jackfield.emulator.settings import Settings
from jackfield.errors import BoardError, DesignError, LinkError
from jackfield.link import encode_reply, encode_request
from jackfield.link.numbers import SafeReason
from jackfield.testing import FaultyTransport, LoopbackTransport, expected_exchange

Rig = Any  # tests/device/conftest.py
Holds = Callable[[Settings | None, ConfigImage], None]


def test_hello_says_who_and_how_much(rig: Rig) -> None:
    hello = rig.board.hello
    assert (hello.board_id, hello.spec_name, hello.spec_digest) == ("5A31-0007", "jf16", rig.spec.digest)
    assert (hello.frame_bytes, hello.window, hello.inputs, hello.watchdog_s) == (1024, 8, 64, 2.0)
    assert hello.image_bytes == rig.spec.payload_bytes
    assert hello.image_crc == 0


def test_identify_needs_no_spec(rig: Rig) -> None:
    assert Jackfield1Board.identify(rig.line) == rig.board.hello


def test_another_board_than_asked_is_refused_and_the_port_given_back(rig: Rig, jf96: BoardSpec) -> None:
    with pytest.raises(BoardError, match=r"board 5A31-0007 is a jf16 .* jf96 with .* was asked"):
        Jackfield1Board(rig.line, jf96)
    assert rig.line.closed


def test_the_first_image_goes_whole_the_next_as_a_delta(rig96: Rig, holds: Holds) -> None:
    whole, changed = rig96.image(1), rig96.image(1).copy()
    report = rig96.board.apply(whole)
    assert (report.kind, report.bytes, report.verified) == ("whole", rig96.spec.payload_bytes, True)
    holds(rig96.analog.settings, whole)
    changed.codes["gain"][1, 40:90] = 77
    report = rig96.board.apply(changed)
    assert (report.kind, report.verified) == ("delta", True)
    assert report.bytes < 300
    holds(rig96.analog.settings, changed)
    assert rig96.board.apply(changed).kind == "none"
    assert rig96.board.status().image_crc == zlib.crc32(changed.payload(rig96.spec))


@pytest.mark.parametrize("seed", range(5))
def test_every_image_arrives_code_by_code(rig: Rig, holds: Holds, seed: int) -> None:
    for cells in (None, 3, None, 1, 10):
        image = rig.image(seed, cells)
        rig.board.apply(image)
        holds(rig.analog.settings, image)
        rig.board._active = None
        read = rig.board.read_image()
        assert read.payload(rig.spec) == image.payload(rig.spec)


def test_a_delta_of_one_cell_in_a_hundred_takes_three_bytes_in_a_hundred(rig96: Rig) -> None:
    rig96.board.apply(rig96.image(1))
    changed = rig96.image(1).copy()
    cells = np.random.default_rng(0).choice(8192, 82, replace=False)
    for bank in (0, 1):
        for name in ("gain", "threshold"):
            changed.codes[name][bank, cells] = 256 - changed.codes[name][bank, cells]
    assert rig96.board.apply(changed).bytes <= 0.03 * rig96.spec.payload_bytes


def test_rollback_brings_the_image_before_back_once(rig: Rig, holds: Holds) -> None:
    first, second = rig.image(1), rig.image(2)
    rig.board.apply(first)
    rig.board.apply(second)
    rig.board.rollback()
    holds(rig.analog.settings, first)
    with pytest.raises(BoardError, match="nothing to roll back to"):
        rig.board.rollback()
    assert rig.board.apply(second).kind == "whole"


def test_a_board_that_somebody_else_has_configured_takes_the_next_image_whole(rig: Rig, holds: Holds) -> None:
    rig.board.apply(rig.image(1))
    rig.board.apply(rig.image(2, cells=3))
    rig.board._active = rig.image(1).payload(rig.spec)  # what this driver believes
    wanted = rig.image(1).copy()
    wanted.enable[0, 0] ^= True
    with pytest.raises(BoardError):
        rig.board.apply(wanted)  # a delta from an image that the board no longer has
    assert rig.board.apply(wanted).kind == "whole"
    holds(rig.analog.settings, wanted)


def test_a_code_that_no_dac_has_is_refused_by_the_board_and_named(rig: Rig, holds: Holds) -> None:
    rig.board.apply(rig.image(1))
    bad = rig.image(2)
    bad.codes["threshold"][1, 16] = 0
    payload = _unchecked_payload(bad, rig.spec)
    object.__setattr__(bad, "payload", lambda spec: payload)
    with pytest.raises(BoardError, match=r"threshold of cell A17, bank 1: code 0 is not in the range; nothing was ch"):
        rig.board.apply(bad)
    holds(rig.analog.settings, rig.image(1))
    assert rig.board.apply(rig.image(1)).kind == "none"


def _unchecked_payload(image: ConfigImage, spec: BoardSpec) -> bytes:
    """The payload with cell A17's threshold in bank 1 zeroed behind the host's checks."""
    good = image.copy()
    good.codes["threshold"][1, 16] = 1
    bits = np.unpackbits(np.frombuffer(good.payload(spec), dtype=np.uint8), bitorder="little")
    group = spec.groups[0]
    bank_bits = group.count * group.cell_bits + spec.nodes.count * spec.nodes.trim.bits
    start = bank_bits + 16 * group.cell_bits + group.cell_bits - group.parameters["threshold"].bits
    bits[start] = 0
    return np.packbits(bits, bitorder="little").tobytes()


def test_a_wrong_readback_is_named_and_never_applied(rig: Rig, holds: Holds, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = rig.image(1), rig.image(1).copy()
    rig.board.apply(first)
    second.codes["gain"][0, 4] = 0x300 if first.codes["gain"][0, 4] != 0x300 else 0x301
    memory, before = rig.digital._memory, list(rig.analog.calls)
    honest = memory.read_checked
    monkeypatch.setattr(memory, "read_checked", lambda at, spans: bytes(byte ^ 0x10 for byte in honest(at, spans)))
    with pytest.raises(
        LinkError, match=r"read back .* instead of .* for cell A\d+, bank 0; it keeps the configuration"
    ):
        rig.board.apply(second)
    assert rig.analog.calls == before
    holds(rig.analog.settings, first)
    monkeypatch.undo()
    assert rig.board.apply(second).kind == "delta"


def test_a_line_cut_before_the_apply_leaves_the_old_image(rig: Rig, holds: Holds) -> None:
    rig.board.apply(rig.image(1))
    rig.line.frames_left = 2
    with pytest.raises(LinkError, match="stopped answering"):
        rig.board.apply(rig.image(2))
    rig.line.frames_left = None
    holds(rig.analog.settings, rig.image(1))
    assert rig.board.apply(rig.image(2)).verified


def test_ctrl_c_in_an_upload_then_safe_then_on(rig: Rig, holds: Holds) -> None:
    rig.board.apply(rig.image(1))
    for frames in range(1, 6):
        rig.line.frames_left, rig.line.interrupt = frames, True
        with pytest.raises(KeyboardInterrupt):
            rig.board.apply(rig.image(10 + frames))
        rig.board.safe()
        assert rig.board.status().safe_reason == "request"
        rig.board.apply(rig.image(20 + frames))
        holds(rig.analog.settings, rig.image(20 + frames))


def test_a_board_that_lost_its_power_gets_the_whole_image_again(rig: Rig, holds: Holds) -> None:
    rig.board.apply(rig.image(1))
    rig.power_cycle()
    with pytest.raises(LinkError, match="started anew and lost its configuration"):
        rig.board.apply(rig.image(1, 2))
    assert rig.board.apply(rig.image(1)).kind == "whole"
    holds(rig.analog.settings, rig.image(1))


@pytest.mark.parametrize("seed", range(12))
def test_over_a_bad_cable_an_upload_is_right_or_an_error(rig: Rig, holds: Holds, seed: int) -> None:
    line = FaultyTransport(LoopbackTransport(rig.digital), seed, (1e-3, 3e-3)[seed % 2])
    board = Jackfield1Board(line, rig.spec)
    board._exchange.reply_s = 0.02
    old: ConfigImage | None = None
    for step in range(6):
        image = rig.image(100 * seed + step, None if step % 2 else 4)
        try:
            assert board.apply(image).verified
            old = image
        except LinkError:
            pass
        if old is not None:
            holds(rig.analog.settings, old)
    assert line.faults


def test_inputs_reach_the_analog_half_and_the_run_is_counted(rig: Rig) -> None:
    rig.board.apply(rig.image(1))
    codes = np.random.default_rng(0).integers(1, 4096, (64, 16))
    rig.board.load_inputs(codes)
    rig.board.load_inputs(codes[:3], first=5)
    program = rig.program(count=64)
    rig.board.start(program)
    assert rig.board.finish(1) == 64
    played, inputs, image_crc, run_number = rig.analog.runs[0]
    codes[5:8] = codes[:3].copy()
    assert played == program
    np.testing.assert_array_equal(inputs, codes)
    assert image_crc == zlib.crc32(rig.image(1).payload(rig.spec))
    assert run_number == 1
    rig.board.start(program, run_number=4_000_000_000)
    assert rig.board.finish(1) == 64
    assert rig.analog.runs[1][3] == rig.board.status().run_number == 4_000_000_000


@pytest.mark.parametrize(
    ("shape", "first", "code", "message"),
    [
        ((65, 16), 0, 1, "split the batch"),
        ((2, 15), 0, 1, "vectors of 16 codes"),
        ((2, 16), 63, 1, "split the batch"),
        ((2, 16), -1, 1, "split the batch"),
        ((2, 16), 0, 0, "0..0 are asked, 1..4095 are possible"),
        ((2, 16), 0, 4096, "possible"),
    ],
)
def test_inputs_that_do_not_fit(rig: Rig, shape: tuple[int, int], first: int, code: int, message: str) -> None:
    with pytest.raises(DesignError, match=message):
        rig.board.load_inputs(np.full(shape, code), first)


def test_a_run_needs_an_image(rig: Rig) -> None:
    with pytest.raises(BoardError, match="no image has been applied"):
        rig.board.start(rig.program())


def test_a_done_that_is_lost_is_asked_for(rig: Rig) -> None:
    rig.board.apply(rig.image(1))
    rig.board.start(rig.program(count=3))
    rig.line._board.tick()  # done goes nowhere
    rig.line._ready.clear()
    rig.board._exchange._notices.clear()
    object.__setattr__(rig.board._hello, "watchdog_s", 0.02)
    assert rig.board.finish(1) == 3


def test_a_done_that_came_late_does_not_end_another_run_of_the_same_number(rig: Rig) -> None:
    rig.board.apply(rig.image(1))
    rig.board.start(rig.program(count=3), run_number=7)
    late = rig.board._exchange.notice(DONE, 1)
    assert late is not None
    rig.board.start(rig.program(count=5), run_number=7)
    rig.board._exchange._notices.appendleft(late)
    assert rig.board.finish(1) == 5


def test_a_run_that_does_not_end_is_an_error(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.board.apply(rig.image(1))
    monkeypatch.setattr(rig.digital, "tick", rig.digital._session.take_output)
    object.__setattr__(rig.board._hello, "watchdog_s", 0.02)
    rig.board.start(rig.program())
    with pytest.raises(BoardError, match=r"run 1 on board 5A31-0007 has not ended after 0\.05 s"):
        rig.board.finish(0.05)
    rig.board.stop()
    with pytest.raises(BoardError, match=r"ended after 0 inputs \(stopped\)"):
        rig.board.finish(1)


def test_status_in_words(rig: Rig) -> None:
    status = rig.board.status()
    assert (status.state, status.safe_reason, status.outcome, status.safe) == ("safe", "power_up", "none", True)
    assert status.temperature_C == 31.25
    rig.board.apply(rig.image(1))
    rig.board.start(rig.program(mode="hold_preset"))
    assert rig.board.finish(1) == 1
    assert rig.board.status().state == "holding"
    rig.clock.now += 2.1
    status = rig.board.status()  # the loopback ticks after each frame, so this one came in time
    assert status.state == "holding"
    rig.clock.now += 2.1
    rig.line.read(0)
    assert rig.digital._safe_reason is SafeReason.WATCHDOG
    assert rig.board.status().safe_reason == "watchdog"


def test_leaving_the_context_leaves_the_board_safe_and_the_port_closed(rig: Rig) -> None:
    rig.board.apply(rig.image(1))
    rig.board.start(rig.program(mode="hold_preset"))
    with pytest.raises(ZeroDivisionError), rig.board:
        raise ZeroDivisionError
    assert rig.digital.state.name == "SAFE"
    assert rig.analog.calls[-1] == "safe"
    assert rig.line.closed


def test_a_dead_line_is_closed_all_the_same(rig: Rig) -> None:
    rig.line.frames_left = 0
    with pytest.raises(LinkError, match="no board answers"):
        rig.board.close()
    assert rig.line.closed


def test_make_safe_is_one_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "randbits", lambda bits: 0xABCDEF01)
    nonce = bytes.fromhex("01efcdab")
    exchange = [(b"\0" + encode_request(2, 0, nonce), encode_reply(0x82, 0, 1, 0, 8, nonce))]
    with expected_exchange(lambda line: line, exchange) as line:
        Jackfield1Board.make_safe(line)
