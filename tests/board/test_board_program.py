"""When a run does what."""

from dataclasses import replace

import numpy as np
import pytest

from jackfield.board import BoardSpec, RunProgram, hold_times, schedule
from jackfield.errors import DesignError


def test_slots_follow_preset_run_and_hold(jf96: BoardSpec) -> None:
    program = RunProgram(steps=((0, 100), (1, 50)), scan=((1, 2, 3), (4,)), count=3, hold_ticks=7)
    plan = schedule(jf96, program)
    lead = 20e-6 + 150e-6 + 1e-6 + 7e-6
    assert plan.slot_start_s.shape == (3, 5)
    assert plan.slot_start_s[0] == pytest.approx(lead + 20e-6 * np.arange(5))
    assert np.diff(plan.slot_start_s[:, 0]) == pytest.approx(lead + 100e-6)
    assert plan.total_s == pytest.approx(3 * (lead + 100e-6))


def test_a_node_is_held_until_the_middle_of_what_is_averaged_of_its_slot(jf96: BoardSpec) -> None:
    program = RunProgram(steps=((0, 100),), scan=((5, 1), (4,)), count=3, hold_ticks=7)
    held = hold_times(jf96, program)
    assert held[[4, 3, 0]] == pytest.approx([7e-6 + 2.65 * 20e-6, 7e-6 + 2.65 * 20e-6, 7e-6 + 3.65 * 20e-6])
    assert np.isnan(held).sum() == jf96.nodes.count - 3


def test_watch_shows_ground_and_reference_before_the_run(jf96: BoardSpec) -> None:
    plan = schedule(jf96, RunProgram(steps=((0, 100),), scan=((1,), (2,)), mode="watch"))
    assert plan.slot_start_s[0] == pytest.approx([0, 20e-6])
    assert (plan.watch_start_s, plan.watch_stop_s) == pytest.approx((40e-6, 140e-6))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"count": 65}, "split the batch"),
        ({"first": 60, "count": 5}, "split the batch"),
        ({"scan": ((1,),)}, "has 2 probes"),
        ({"scan": ((97,), (1,))}, "node 97"),
        ({"steps": ((2, 100),)}, "bank 2"),
        ({"steps": ((0, 1),)}, "runs 1e-05 to 0.005 s"),
        ({"steps": ((0, 6000),)}, "runs 1e-05 to 0.005 s"),
    ],
)
def test_limits_are_named(jf96: BoardSpec, changes: dict[str, object], message: str) -> None:
    arguments: dict[str, object] = {"steps": ((0, 100),), "scan": ((1,), (2,))} | changes
    with pytest.raises(DesignError, match=message):
        RunProgram(**arguments).check(jf96)  # type: ignore[arg-type]


def test_unknown_modes_and_long_watches_are_refused(jf96: BoardSpec) -> None:
    with pytest.raises(DesignError, match="no resonators; use mode 'run'"):
        RunProgram(steps=((0, 100),), scan=((1,), (2,)), mode="spikes").check(jf96)
    with pytest.raises(DesignError, match="run mode"):
        RunProgram(steps=((0, 100),), scan=((1,),), mode="play")
    with pytest.raises(DesignError, match="one input"):
        RunProgram(steps=((0, 100),), scan=((1, 2),), mode="watch")


def test_a_part_of_a_batch_keeps_the_step_of_each_input(jf16: BoardSpec) -> None:
    program = RunProgram(((0, 100),), ((1,), (2,)), first=10, count=20, step=5)
    part = program.part(13, 4)
    assert (part.first, part.count, part.step) == (13, 4, 8)
    assert RunProgram(((0, 100),), ((1,), (2,)), count=20).part(3, 4).step == 0
    for step in (-1, 46):
        with pytest.raises(DesignError, match="holds 64; split the batch"):
            replace(program, step=step).check(jf16)
    replace(program, step=45).check(jf16)


@pytest.mark.parametrize(
    ("board", "changes", "message"),
    [
        ("jf16", {"clamp": (1,)}, "presets nodes before a run alone"),
        ("jf16", {"inject": True}, "no injection DACs"),
        ("jf16s", {"clamp": (1, 1)}, "name each once"),
        ("jf16s", {"clamp": (17,)}, r"has 1\.\.16"),
        ("jf16w", {"inject": True, "steps": ((0, 50), (1, 50))}, "played over one step"),
    ],
)
def test_what_acts_during_a_run_is_the_spec_s(
    board: str, changes: dict[str, object], message: str, request: pytest.FixtureRequest
) -> None:
    spec: BoardSpec = request.getfixturevalue(board)
    arguments: dict[str, object] = {"steps": ((0, 100),), "scan": ((1,), (2,))} | changes
    with pytest.raises(DesignError, match=message):
        RunProgram(**arguments).check(spec)  # type: ignore[arg-type]


def test_boards_that_settle_drive_and_inject(jf16s: BoardSpec, jf16w: BoardSpec) -> None:
    RunProgram(((0, 100), (1, 50)), ((1,), (2,)), clamp=(1, 16), inject=True).check(jf16s)
    part = RunProgram(((0, 100),), ((1,), (2,)), count=3, clamp=(4,), inject=True)
    part.check(jf16w)
    assert (part.part(1, 2).clamp, part.part(1, 2).inject) == ((4,), True)
