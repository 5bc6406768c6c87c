"""Configurations that the board holds and steps through by itself."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from jackfield.emulator.settings import Settings
from jackfield.errors import BoardError, DesignError, LinkError

Rig = Any  # tests/device/conftest.py
Holds = Callable[[Settings | None, Any], None]


def test_a_run_plays_each_input_with_its_own_step(rig: Rig, holds: Holds) -> None:
    base, images = rig.image(0, 2), [rig.image(1 + seed, 5) for seed in range(4)]
    rig.board.apply(base)
    report = rig.board.hold_steps(images)
    assert (report.kind, report.verified) == ("steps", True)
    holds(rig.analog.settings, base)
    rig.board.start(replace(rig.program(count=3), step=2))
    assert rig.board.finish(1) == 3
    for settings, image in zip(rig.analog.steps, images[1:], strict=True):
        holds(settings, image)
    assert rig.board.apply(images[3]).kind == "none"  # the last step is what the board has now
    rig.board.commit()
    rig.digital._power_up()
    holds(rig.analog.settings, images[3])


def test_after_a_line_that_broke_steps_can_be_held_again(rig: Rig, holds: Holds) -> None:
    base, images = rig.image(0, 2), [rig.image(1 + seed, 5) for seed in range(3)]
    rig.board.apply(base)
    rig.line.frames_left = 8
    with pytest.raises(LinkError, match="stopped answering"):
        rig.board.hold_steps(images)
    rig.line.frames_left = None
    rig.board.hold_steps(images)
    holds(rig.analog.settings, base)
    rig.board.select_step(2)
    holds(rig.analog.settings, images[2])


def test_small_steps_cost_little(rig96: Rig) -> None:
    base = rig96.image(1)
    images = []
    for n in range(1, 9):
        image = base.copy()
        image.codes["gain"][0, :n] = 33
        images.append(image)
    rig96.board.apply(base)
    assert rig96.board.hold_steps(images).bytes < 0.01 * rig96.spec.payload_bytes


def test_steps_are_selected_forwards_and_backwards_and_left_by_rollback(rig: Rig, holds: Holds) -> None:
    base, images = rig.image(0, 2), [rig.image(1 + seed, 5) for seed in range(3)]
    rig.board.apply(base)
    rig.board.hold_steps(images)
    for step in (2, 0, 1):
        rig.board.select_step(step)
        holds(rig.analog.settings, images[step])
    rig.board.rollback()
    holds(rig.analog.settings, base)
    rig.board.select_step(1)
    rig.board.hold_steps(images[::-1])  # from the base, though a step was active
    rig.board.select_step(0)
    holds(rig.analog.settings, images[2])
    assert rig.board.apply(base).kind in ("delta", "whole")
    with pytest.raises(BoardError, match="step 0 is asked, 0 steps are held"):
        rig.board.select_step(0)
    holds(rig.analog.settings, base)


def test_a_new_driver_reads_the_base_first(rig: Rig, holds: Holds) -> None:
    rig.board.apply(rig.image(1, 5))
    rig.board._active = rig.board._base = None
    rig.board.hold_steps([rig.image(2, 3)])
    holds(rig.analog.settings, rig.image(1, 5))


def test_more_steps_than_fit(rig: Rig) -> None:
    rig.board.apply(rig.image(1))
    with pytest.raises(DesignError, match=r"65 steps are to be held, .* holds 64"):
        rig.board.hold_steps([rig.image(1)] * 65)
    with pytest.raises(DesignError, match=r"step 0 changes \d+ bytes .* half of an image's 380"):
        rig.board.hold_steps([rig.image(2)])
    with pytest.raises(DesignError, match=r"steps 62\.\.65 are asked, board jf16 holds 64"):
        rig.board.start(replace(rig.program(count=4), step=63))
    with pytest.raises(BoardError, match="program part sequence"):
        rig.board.start(replace(rig.program(), step=1))


def test_a_step_that_reads_back_wrong(rig: Rig, holds: Holds, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.board.apply(rig.image(1, 5))
    memory = rig.digital._memory
    honest = memory.read_checked
    monkeypatch.setattr(memory, "read_checked", lambda at, spans: bytes(byte ^ 0x10 for byte in honest(at, spans)))
    with pytest.raises(LinkError, match=r"read back .* keeps the configuration"):
        rig.board.hold_steps([rig.image(2, 3)])
    holds(rig.analog.settings, rig.image(1, 5))


def test_holding_steps_touches_no_setting(rig: Rig) -> None:
    rig.board.apply(rig.image(1, 5))
    before = list(rig.analog.calls)
    rig.board.hold_steps([rig.image(2, 3), rig.image(3, 3)])
    assert rig.analog.calls == before
