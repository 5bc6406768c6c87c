import struct
from typing import Any

import numpy as np
import pytest

from jackfield.board import BoardSpec, RunProgram
from jackfield.emulator.digital_program import input_memory, read_program
from jackfield.emulator.refusal import Refusal
from jackfield.link.messages import Run
from jackfield.link.numbers import ErrorCode, ProgramPart
from jackfield.session import load_spec


def tail(steps: list[tuple[int, int]], *scan: list[int]) -> bytes:
    parts = [struct.pack("<BI", *step) for step in steps]
    return b"".join(parts + [struct.pack(f"<H{len(nodes)}H", len(nodes), *nodes) for nodes in scan])


GOOD = Run(
    run_number=43,
    mode=0,
    first=0,
    inputs=2,
    hold_ticks=9,
    step=0,
    steps=1,
    probes=2,
    program=tail([(0, 100)], [3, 4], [5]),
)


def test_a_good_program(jf16: BoardSpec) -> None:
    assert read_program(jf16, GOOD) == RunProgram(((0, 100),), ((3, 4), (5,)), first=0, count=2, hold_ticks=9)
    watch = GOOD._replace(mode=1, inputs=1, first=63, program=tail([(1, 100)], [3], [5]))
    assert read_program(jf16, watch).mode == "watch"
    hold = GOOD._replace(mode=2, inputs=1, steps=0, program=tail([], [3], [5]))
    assert read_program(jf16, hold).mode == "hold_preset"


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"mode": 3}, 0),  # spikes: a board without resonators
        ({"mode": 4}, 0),
        ({"inputs": 0}, 1),
        ({"inputs": 65}, 1),
        ({"first": 63}, 1),
        ({"first": 65535}, 1),
        ({"mode": 1}, 1),
        ({"steps": 0, "program": tail([], [3], [4])}, 2),
        ({"program": tail([(2, 100)], [3], [4])}, 2),
        ({"program": tail([(0, 0)], [3], [4])}, 2),
        ({"program": tail([(0, 5)], [3], [4])}, 2),
        ({"program": tail([(0, 2**32 - 1)], [3], [4])}, 2),
        ({"program": tail([(0, 100)], [0], [4])}, 3),
        ({"program": tail([(0, 100)], [17], [4])}, 3),
        ({"probes": 1, "program": tail([(0, 100)], [3])}, 3),
        ({"mode": 1, "inputs": 1}, 3),
    ],
)
def test_what_the_board_cannot_run(jf16: BoardSpec, change: dict[str, Any], part: int) -> None:
    with pytest.raises(Refusal) as refused:
        read_program(jf16, GOOD._replace(**change))
    assert refused.value.notice.code == ErrorCode.BAD_PROGRAM
    assert refused.value.notice.field == part


def test_spikes_take_one_step_on_a_board_of_resonators() -> None:
    spec, spikes = load_spec("jf-osc64"), GOOD._replace(mode=3)
    assert read_program(spec, spikes).mode == "spikes"
    with pytest.raises(Refusal) as refused:
        read_program(spec, spikes._replace(steps=2, program=tail([(0, 100), (1, 100)], [3], [4])))
    assert (refused.value.notice.field, refused.value.notice.value) == (ProgramPart.STEPS, 2)


@pytest.mark.parametrize("program", [b"", GOOD.program[:-1], GOOD.program + b"\0"])
def test_a_tail_of_the_wrong_length(jf16: BoardSpec, program: bytes) -> None:
    with pytest.raises(Refusal, match="BAD_LENGTH"):
        read_program(jf16, GOOD._replace(program=program))


def test_a_program_names_the_step_of_its_first_input(jf16: BoardSpec) -> None:
    assert read_program(jf16, GOOD._replace(step=3)).step == 3


def test_input_memory_rests_at_zero_volts_and_keeps_codes(jf16: BoardSpec) -> None:
    memory = input_memory(jf16)
    assert (jf16.nodes.preset.value(memory.codes) == 0).all()
    memory.write(16, struct.pack("<3H", 2048, 1, 4095))
    np.testing.assert_array_equal(memory.codes[1, :3], [2048, 1, 4095])


@pytest.mark.parametrize(
    ("start", "codes", "code", "place"),
    [(1023, [1, 1], "INPUT_RANGE", 1025), (5, [1, 0], "INPUT_CODE", 6), (5, [4096, 0], "INPUT_CODE", 5)],
)
def test_codes_that_do_not_fit_store_nothing(
    jf16: BoardSpec, start: int, codes: list[int], code: str, place: int
) -> None:
    memory = input_memory(jf16)
    before = memory.codes.copy()
    with pytest.raises(Refusal, match=code) as refused:
        memory.write(start, struct.pack(f"<{len(codes)}H", *codes))
    assert refused.value.notice.place == place
    np.testing.assert_array_equal(memory.codes, before)
    with pytest.raises(Refusal, match="BAD_LENGTH"):
        memory.write(0, b"\1\0\1")


DRIVEN = GOOD.program + bytes([2, 0, 1, 0, 16, 0, 1])


def test_nodes_that_stay_driven_and_injection(jf16s: BoardSpec) -> None:
    program = read_program(jf16s, GOOD._replace(program=DRIVEN))
    assert (program.clamp, program.inject) == ((1, 16), True)
    assert not read_program(jf16s, GOOD._replace(program=DRIVEN[:-1] + b"\0")).inject


@pytest.mark.parametrize(
    ("board", "drive"),
    [
        ("jf16", [1, 0, 1, 0, 0]),
        ("jf16", [0, 0, 1]),
        ("jf16s", [1, 0, 17, 0, 0]),
        ("jf16s", [1, 0, 0, 0, 0]),
        ("jf16s", [2, 0, 3, 0, 3, 0, 0]),
        ("jf16s", [0, 0, 2]),
    ],
)
def test_a_drive_that_this_board_lacks(board: str, drive: list[int], request: pytest.FixtureRequest) -> None:
    with pytest.raises(Refusal) as refused:
        read_program(request.getfixturevalue(board), GOOD._replace(program=GOOD.program + bytes(drive)))
    assert (refused.value.notice.code, refused.value.notice.field) == (ErrorCode.BAD_PROGRAM, ProgramPart.DRIVE)


def test_a_waveform_takes_one_step(jf16w: BoardSpec) -> None:
    two = tail([(0, 50), (1, 50)], [3], [4]) + bytes([0, 0, 1])
    with pytest.raises(Refusal, match="BAD_PROGRAM"):
        read_program(jf16w, GOOD._replace(steps=2, program=two))
