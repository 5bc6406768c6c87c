"""A pseudo-terminal for whoever plays the board: emulator, bridge, tests. Linux and macOS."""

import os
import pty
import termios
import tty
from typing import Final

__all__ = ["PseudoTerminal"]

UNSET: Final = termios.B50  # a rate that no host asks for
RATES: Final = {getattr(termios, name): int(name[1:]) for name in dir(termios) if name[0] == "B" and name[1:].isdigit()}
INPUT_RATE, OUTPUT_RATE = 4, 5  # places in what tcgetattr returns


class PseudoTerminal:
    """A raw pty: `master` (non-blocking descriptor) is ours, `port` is the path that the host opens.

    Raw mode is set before anybody can learn the name, and one slave descriptor stays open: without it the
    master reports an error whenever a host closes the port.
    """

    def __init__(self) -> None:
        self.master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        attributes = termios.tcgetattr(self._slave)
        attributes[INPUT_RATE] = attributes[OUTPUT_RATE] = UNSET
        termios.tcsetattr(self._slave, termios.TCSANOW, attributes)
        os.set_blocking(self.master, False)
        self.port = os.ttyname(self._slave)

    @property
    def baud(self) -> int:
        """The rate that a host has set, which a pty itself does not mind; 0 where none has, or one without a name."""
        code = termios.tcgetattr(self._slave)[OUTPUT_RATE]
        return 0 if code == UNSET else RATES.get(code, 0)

    def close(self) -> None:
        """Hang up."""
        os.close(self.master)
        os.close(self._slave)
