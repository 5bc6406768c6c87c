"""The rate of the line: as fast as both sides can, and back where that fails."""

from collections.abc import Callable, Sequence
from contextlib import suppress

from jackfield.errors import BoardError, LinkError
from jackfield.link import AbstractTransport, Exchange
from jackfield.link import messages as m

__all__ = ["LineRate"]

Ask = Callable[[m.SetBaud], object]


class LineRate:
    """Begins sessions of `exchange` at whatever rate the board is at; agrees on the highest one.

    A board goes back to its first rate after a power-up and when it hears nothing it understands, so every failure
    ends there, too.
    """

    def __init__(self, transport: AbstractTransport, exchange: Exchange) -> None:
        self._transport = transport
        self._exchange = exchange
        self._first = self._now = round(10 / transport.byte_s) if transport.byte_s else 0

    @property
    def raised(self) -> bool:
        """Whether the line runs faster than it began."""
        return self._now != self._first

    def start(self, opening: Callable[[int], m.Hello | m.Safe]) -> bytes:
        """As `Exchange.start`, at the first rate if nobody answers at the present one."""
        try:
            return self._exchange.start(opening)
        except LinkError:
            if not self.raised:
                raise
            self._set(self._first)
            return self._exchange.start(opening)

    def speed_up(self, rates: Sequence[int], ask: Ask, greet: Callable[[], object]) -> None:
        """Go to the highest of the board's `rates` if the transport may; stay where it does not work."""
        highest = max(rates)
        if not self._transport.can_change_baud or highest <= self._now:
            return
        try:
            ask(m.SetBaud(highest))
        except BoardError:
            return  # the board's line cannot after all
        with suppress(LinkError):  # an adapter that cannot: the board goes back when it hears nothing
            self._set(highest)
        greet()

    def slow_down(self, ask: Ask) -> None:
        """Leave the line as it was found, for the next host; not at any price."""
        if self.raised:
            with suppress(LinkError, BoardError):
                ask(m.SetBaud(self._first))
                self._set(self._first)

    def begin_anew(self) -> None:
        """The line has been opened again, at its first rate."""
        self._now = self._first

    def _set(self, baud: int) -> None:
        self._transport.set_baud(baud)
        self._now = baud
