from dataclasses import replace
from typing import Any

import pytest

from jackfield.device import AbstractBoard, Jackfield1Board, board_class, connect
from jackfield.errors import DesignError


def test_our_dialect_is_found_by_its_entry_point(rig: Any) -> None:
    assert board_class("jackfield-1") is Jackfield1Board
    board = connect(rig.line, rig.spec)
    assert isinstance(board, AbstractBoard)
    assert board.spec is rig.spec


def test_a_dialect_without_driver_names_those_there_are(rig: Any) -> None:
    with pytest.raises(DesignError, match=r"no driver for dialect 'lucidac' .* jackfield-1"):
        connect(rig.line, replace(rig.spec, dialect="lucidac"))
    assert rig.line.closed
