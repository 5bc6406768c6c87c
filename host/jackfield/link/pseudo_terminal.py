"""A pseudo-terminal for whoever plays the board: emulator, bridge, tests. Linux and macOS."""

import os
import pty
import tty

__all__ = ["PseudoTerminal"]


class PseudoTerminal:
    """A raw pty: `master` (non-blocking descriptor) is ours, `port` is the path that the host opens.

    Raw mode is set before anybody can learn the name, and one slave descriptor stays open: without it the
    master reports an error whenever a host closes the port.
    """

    def __init__(self) -> None:
        self.master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self.master, False)
        self.port = os.ttyname(self._slave)

    def close(self) -> None:
        """Hang up."""
        os.close(self.master)
        os.close(self._slave)
