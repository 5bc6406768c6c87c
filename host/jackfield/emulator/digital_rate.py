"""The rate of the board's serial line: what it starts with, what it was told, and the way back."""

from collections.abc import Callable, Sequence
from typing import Final

from jackfield.emulator.refusal import Refusal
from jackfield.link.numbers import ErrorCode

__all__ = ["LineRate"]

BACK_AFTER_S: Final = 0.5
BROKEN_IN_A_ROW: Final = 3


class LineRate:
    """`baud` in bits a second; `clock` gives seconds that never run backwards."""

    def __init__(self, rates: Sequence[int], clock: Callable[[], float]) -> None:
        self._rates = tuple(rates)
        self._clock = clock
        self._next: int | None = None
        self._heard_at = 0.0
        self._confirmed = True
        self.baud = self._rates[0]

    def ask(self, baud: int) -> None:
        """Another rate from the next tick on, when the answer has left; raises Refusal where it is none of ours."""
        if baud not in self._rates:
            raise Refusal(ErrorCode.BAUD, value=baud)
        self._next = baud

    def heard(self) -> None:
        """A valid frame has arrived."""
        self._heard_at, self._confirmed = self._clock(), True

    def tick(self, broken_in_a_row: int) -> None:
        """Change the rate if that is due; `broken_in_a_row` frames were thrown away since the last valid one."""
        if self._next is not None:
            self.baud, self._next = self._next, None
            self._heard_at, self._confirmed = self._clock(), False
        elif self._clock() - self._heard_at > BACK_AFTER_S and (
            not self._confirmed or broken_in_a_row >= BROKEN_IN_A_ROW
        ):
            self.baud, self._confirmed = self._rates[0], True
