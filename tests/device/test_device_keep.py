"""Images that outlive the power, and who may ask for them."""

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import jackfield
import jackfield_calibration
from jackfield.emulator.settings import Settings
from jackfield.errors import BoardError, LinkError

Rig = Any  # tests/device/conftest.py
Holds = Callable[[Settings | None, Any], None]


def test_a_committed_image_is_there_at_the_next_power_up(rig: Rig, holds: Holds) -> None:
    rig.board.apply(rig.image(1))
    kept = rig.board.commit()
    assert (kept.slot, kept.erases) == ("A", 1)
    rig.board.apply(rig.image(2))
    rig.digital._power_up()
    rig.board.safe()
    status = rig.board.status()
    assert (status.slot, status.erases) == ("A", 1)
    holds(rig.analog.settings, rig.image(1))
    assert rig.board.read_image().payload(rig.spec) == rig.image(1).payload(rig.spec)
    assert rig.board.apply(rig.image(1)).kind == "none"


def test_commits_take_turns_and_count(rig: Rig) -> None:
    slots = []
    for seed in range(4):
        rig.board.apply(rig.image(seed))
        slots.append(rig.board.commit().slot)
    assert slots == ["A", "B", "A", "B"]
    assert rig.board.status().erases == 4


@pytest.mark.parametrize("cut", [1, 2, 3, 4, 5])
def test_a_power_loss_in_a_commit_leaves_the_image_before(rig: Rig, holds: Holds, cut: int) -> None:
    rig.board.apply(rig.image(1))
    rig.board.commit()
    rig.board.apply(rig.image(2))
    flash = rig.digital._slots.flash
    flash._cut_at = flash.operations + cut
    with pytest.raises(LinkError, match="started anew"):
        rig.board.commit()
    holds(rig.analog.settings, rig.image(1))
    assert rig.board.apply(rig.image(2)).verified
    assert rig.board.commit().slot == "B"
    rig.digital._power_up()
    holds(rig.analog.settings, rig.image(2))


def test_nothing_to_commit(rig: Rig) -> None:
    with pytest.raises(BoardError, match="no image has been applied"):
        rig.board.commit()


def test_a_board_without_flash_says_so(rig: Rig) -> None:
    rig.board.apply(rig.image(1))
    object.__setattr__(rig.board._hello, "features", ())
    with pytest.raises(BoardError, match="keeps no image without power"):
        rig.board.commit()


def test_loops_never_commit(rig: Rig) -> None:
    """Thousands of configurations pass through apply, steps, runs and rollbacks; flash lasts 10,000 erases."""
    for seed in range(20):
        rig.board.apply(rig.image(seed, 3))
        rig.board.hold_steps([rig.image(seed + 1, 3)])
        rig.board.start(rig.program())
        rig.board.finish(1)
        rig.board.rollback()
    assert rig.board.status().erases == 0
    assert rig.digital._slots.flash.operations == 0


def test_only_upload_with_keep_commits() -> None:
    roots = [Path(str(package.__file__)).parent for package in (jackfield, jackfield_calibration)]
    callers = {
        file.name
        for root in roots
        for file in root.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "commit" and _is_board(node)
    }
    assert callers == {"upload.py"}


def _is_board(node: ast.Attribute) -> bool:
    """Databases commit, too: theirs are called connection."""
    return "connection" not in ast.unparse(node.value) and "_db" not in ast.unparse(node.value)
