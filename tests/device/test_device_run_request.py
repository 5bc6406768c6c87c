import pytest

from jackfield.board import RunProgram
from jackfield.device.run_request import run_request
from jackfield.errors import DesignError
from jackfield.link import encode_request, pack
from jackfield_boards import spec_folder


def test_the_run_worked_by_hand() -> None:
    program = RunProgram(((0, 100),), ((3, 4), (5,)), first=0, count=2)
    lines = (spec_folder() / "golden" / "by_hand" / "frames.txt").read_text().splitlines()
    (wire,) = (line.split(" | ")[1] for line in lines if line.startswith("run |"))
    assert encode_request(0x30, 8, pack(run_request(program, 43, 1024))).hex() == wire


def test_scan_lists_beyond_a_frame() -> None:
    program = RunProgram(((0, 100),), (tuple(range(1, 600)),), count=1)
    with pytest.raises(DesignError, match=r"takes 1205 bytes, .* room for 10\d\d; scan fewer nodes"):
        run_request(program, 1, 1024)


def test_driven_nodes_and_injection_follow_the_scan_lists() -> None:
    plain = run_request(RunProgram(((0, 100),), ((3, 4), (5,))), 43, 1024).program
    driven = run_request(RunProgram(((0, 100),), ((3, 4), (5,)), clamp=(1, 258), inject=True), 43, 1024).program
    assert driven == plain + bytes([2, 0, 1, 0, 2, 1, 1])
    assert run_request(RunProgram(((0, 100),), ((3, 4), (5,)), inject=True), 43, 1024).program == plain + bytes(
        [0, 0, 1]
    )
