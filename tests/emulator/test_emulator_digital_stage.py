import itertools
import random
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield.board import BoardSpec, ConfigImage
from jackfield.emulator.digital_stage import Memory
from jackfield.emulator.refusal import Refusal
from jackfield.link.messages import StageBegin, StageData
from jackfield.link.numbers import ErrorCode, StagedKind


@pytest.fixture
def memory(jf16: BoardSpec) -> Memory:
    return Memory(jf16)


@pytest.fixture
def payload(jf16: BoardSpec) -> bytes:
    return ConfigImage.safe(jf16).payload(jf16)


def whole(payload: bytes) -> StageBegin:
    return StageBegin(StagedKind.WHOLE, 0, len(payload), zlib.crc32(payload), 0, zlib.crc32(payload))


def put(memory: Memory, payload: bytes, transfer: int = 7) -> None:
    memory.begin(whole(payload), transfer)
    memory.data(StageData(transfer, 0, payload))
    memory.end()
    memory.apply()


def delta(base: bytes, stream: bytes, result: bytes) -> StageBegin:
    return StageBegin(StagedKind.DELTA, 0, len(stream), zlib.crc32(stream), zlib.crc32(base), zlib.crc32(result))


def refused(code: ErrorCode) -> "pytest.RaisesExc[Refusal]":
    return pytest.raises(Refusal, match=f"^{code.name}$")


@settings(deadline=None)
@given(st.lists(st.integers(1, 379), max_size=8, unique=True), st.integers(0, 2**32))
def test_pieces_may_come_in_any_order_and_twice(jf16: BoardSpec, cuts: list[int], seed: int) -> None:
    memory, payload = Memory(jf16), ConfigImage.safe(jf16).payload(jf16)
    edges = [0, *sorted(cuts), len(payload)]
    pieces = [StageData(7, a, payload[a:b]) for a, b in itertools.pairwise(edges)]
    shuffled = pieces * 2
    random.Random(seed).shuffle(shuffled)
    memory.begin(whole(payload), 7)
    for piece in shuffled:
        memory.data(piece)
    assert memory.staged == (zlib.crc32(payload), len(payload))
    memory.end()
    assert memory.staged == (zlib.crc32(payload), len(payload))  # all of it need not be sent again until the apply
    assert memory.apply().payload == payload
    assert memory.staged == (0, 0)


def test_a_transfer_is_resumed_where_it_stopped(memory: Memory, payload: bytes) -> None:
    assert memory.begin(whole(payload), 7) == 0
    memory.data(StageData(7, 0, payload[:100]))
    memory.data(StageData(7, 150, payload[150:200]))
    assert memory.begin(whole(payload), 30) == 100
    with refused(ErrorCode.NO_STAGE):  # bytes of the transfer under its old number
        memory.data(StageData(7, 100, payload[100:]))
    memory.data(StageData(30, 100, payload[100:150]))
    assert memory.staged[1] == 200
    memory.data(StageData(30, 200, payload[200:]))
    memory.end()


def test_another_transfer_starts_from_nothing(memory: Memory, payload: bytes) -> None:
    memory.begin(whole(payload), 7)
    memory.data(StageData(7, 0, payload[:100]))
    assert memory.begin(whole(payload)._replace(image_crc=1), 8) == 0


def test_a_hole_is_named(memory: Memory, payload: bytes) -> None:
    memory.begin(whole(payload), 7)
    memory.data(StageData(7, 0, payload[:100]))
    memory.data(StageData(7, 101, payload[101:]))
    with refused(ErrorCode.INCOMPLETE) as error:
        memory.end()
    assert (error.value.notice.place, error.value.notice.value) == (100, len(payload))
    with refused(ErrorCode.NOTHING_STAGED):
        memory.apply()


def test_a_wrong_byte_is_caught_and_the_old_image_stays(memory: Memory, payload: bytes) -> None:
    put(memory, payload)
    memory.begin(whole(payload), 8)
    memory.data(StageData(8, 0, payload[:-1] + b"\x55"))
    with refused(ErrorCode.STAGE_CRC):
        memory.end()
    with refused(ErrorCode.NOTHING_STAGED):
        memory.apply()
    assert memory.active is not None
    assert memory.active.payload == payload


def test_lengths_that_do_not_fit(memory: Memory, payload: bytes) -> None:
    for length in (len(payload) - 1, len(payload) + 1):
        with refused(ErrorCode.STAGE_LENGTH):
            memory.begin(whole(payload)._replace(length=length), 7)
    memory.begin(whole(payload), 7)
    with refused(ErrorCode.STAGE_LENGTH):
        memory.data(StageData(7, len(payload) - 1, b"ab"))


def test_kinds_that_are_not_there(memory: Memory, payload: bytes) -> None:
    with refused(ErrorCode.BAD_KIND):
        memory.begin(whole(payload)._replace(kind=9), 7)


def changed(payload: bytes) -> tuple[bytes, bytes]:
    """An enable bit flipped by a delta, and the payload that results."""
    result = bytes([payload[0] ^ 1]) + payload[1:]
    return bytes([0, 0, 1, result[0]]), result


def test_a_delta_changes_its_bytes_only(memory: Memory, payload: bytes) -> None:
    put(memory, payload)
    stream, result = changed(payload)
    memory.begin(delta(payload, stream, result), 8)
    memory.data(StageData(8, 0, stream))
    memory.end()
    assert memory.apply().payload == result
    previous = memory.roll_back()
    assert previous is not None
    assert previous.payload == payload


def test_a_delta_to_another_image_is_refused(memory: Memory, payload: bytes) -> None:
    stream, result = changed(payload)
    with refused(ErrorCode.WRONG_BASE):
        memory.begin(delta(payload, stream, result), 7)
    put(memory, payload)
    with refused(ErrorCode.WRONG_BASE):
        memory.begin(delta(result, stream, payload), 8)


def test_a_rollback_between_staging_and_checking_is_noticed(memory: Memory, payload: bytes) -> None:
    put(memory, payload)
    stream, result = changed(payload)
    memory.begin(delta(payload, stream, result), 8)
    memory.data(StageData(8, 0, stream))
    assert memory.roll_back() is None
    with refused(ErrorCode.WRONG_BASE):
        memory.end()


@pytest.mark.parametrize(
    "stream", [b"\0", b"\0\0", b"\0\0\1", b"\0\0\2\0", b"\x7c\1\1\0", b"\xff\xff\0" * 2 + b"\0\0\1\0"]
)
def test_a_delta_that_is_cut_off_or_leaves_the_image(memory: Memory, payload: bytes, stream: bytes) -> None:
    put(memory, payload)
    memory.begin(delta(payload, stream, payload), 8)
    memory.data(StageData(8, 0, stream))
    with refused(ErrorCode.BAD_DELTA):
        memory.end()


def test_a_delta_that_makes_another_image_than_promised(memory: Memory, payload: bytes) -> None:
    put(memory, payload)
    stream, _ = changed(payload)
    memory.begin(delta(payload, stream, payload), 8)
    memory.data(StageData(8, 0, stream))
    with refused(ErrorCode.WRONG_IMAGE):
        memory.end()


def test_reading_back(memory: Memory, payload: bytes) -> None:
    with refused(ErrorCode.NOT_CONFIGURED):
        memory.read(0, b"\0\0\1")
    put(memory, payload)
    assert memory.read(5, bytes.fromhex("000001260102")) == payload[5:6] + payload[300:302]
    with refused(ErrorCode.OUT_OF_BOUNDS):
        memory.read(len(payload), b"\0\0\1")
    with refused(ErrorCode.BAD_LENGTH):
        memory.read(0, b"\0\0")


def step(number: int, base: bytes, stream: bytes, result: bytes) -> StageBegin:
    return delta(base, stream, result)._replace(kind=StagedKind.STEP, step=number)


def hold(memory: Memory, number: int, base: bytes, bit: int) -> bytes:
    """Hold a step that flips a bit of the first byte; the payload that it makes."""
    result = bytes([base[0] ^ bit]) + base[1:]
    stream = bytes([0, 0, 1, result[0]])
    memory.begin(step(number, base, stream, result), 9)
    memory.data(StageData(9, 0, stream))
    memory.end()
    return result


def payload_of(memory: Memory) -> bytes:
    assert memory.active is not None
    return memory.active.payload


def test_steps_change_one_another_and_leave_the_active_image(memory: Memory, payload: bytes) -> None:
    put(memory, payload)
    first = hold(memory, 0, payload, 1)
    second = hold(memory, 1, first, 2)
    assert payload_of(memory) == payload
    assert memory.select(1).payload == payload_of(memory) == second
    assert memory.select(0).payload == first
    assert [held.payload for held in memory.steps(0, 2)] == [first, second]
    memory.roll_back()
    assert payload_of(memory) == payload
    assert memory.select(1).payload == second


def test_a_step_may_be_replaced_and_those_behind_it_are_forgotten(memory: Memory, payload: bytes) -> None:
    put(memory, payload)
    first = hold(memory, 0, payload, 1)
    hold(memory, 1, first, 2)
    memory.select(0)
    other = hold(memory, 0, payload, 4)  # from the base, whichever step is active
    with refused(ErrorCode.NO_STEP):
        memory.select(1)
    assert memory.select(0).payload == other


def test_steps_that_cannot_be(memory: Memory, payload: bytes, jf16: BoardSpec) -> None:
    with refused(ErrorCode.WRONG_BASE):
        memory.begin(step(0, payload, b"", payload), 9)
    put(memory, payload)
    with refused(ErrorCode.NO_STEP) as error:
        memory.begin(step(1, payload, b"", payload), 9)
    assert (error.value.notice.place, error.value.notice.value) == (1, 0)
    with refused(ErrorCode.WRONG_BASE):
        memory.begin(step(0, payload[::-1], b"", payload), 9)
    for number in range(jf16.run.sequence_depth):
        hold(memory, number, payload, 0)
    with refused(ErrorCode.NO_STEP):
        memory.begin(step(jf16.run.sequence_depth, payload, b"", payload), 9)


def test_an_apply_and_its_rollback_forget_the_steps(memory: Memory, payload: bytes) -> None:
    put(memory, payload)
    first = hold(memory, 0, payload, 1)
    put(memory, first)
    with refused(ErrorCode.NO_STEP):
        memory.select(0)
    hold(memory, 0, first, 2)
    memory.roll_back()
    assert payload_of(memory) == payload
    with refused(ErrorCode.NO_STEP):
        memory.select(0)
