"""What happens at the end of the work, however it ends."""

import pytest

from jackfield.errors import BoardError, LinkError
from jackfield.session.ending import finally_do


def test_done_once_after_success_and_after_failure() -> None:
    done: list[str] = []
    with finally_do(lambda: done.append("a")):
        pass
    with pytest.raises(KeyboardInterrupt), finally_do(lambda: done.append("b")):
        raise KeyboardInterrupt
    assert done == ["a", "b"]


def test_the_first_failure_is_the_one_that_is_raised() -> None:
    def fail() -> None:
        raise LinkError("the line is gone")

    with pytest.raises(BoardError, match=r"refused") as caught, finally_do(fail):
        raise BoardError("refused")
    assert caught.value.__notes__ == ["then leaving the board and its instruments safe failed: the line is gone"]
    with pytest.raises(LinkError, match=r"gone"), finally_do(fail):
        pass


def test_a_second_interrupt_makes_the_board_safe_at_once() -> None:
    done: list[str] = []

    def slow() -> None:
        done.append("sources")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), finally_do(slow, at_once=lambda: done.append("safe")):
        raise KeyboardInterrupt
    assert done == ["sources", "safe"]
