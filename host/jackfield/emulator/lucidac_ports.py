"""The ports of an emulated LUCIDAC: a USB port that echoes and cuts long lines, and TCP, which does neither."""

import os
import sys
from collections.abc import Callable

from jackfield.emulator.board_port import TerminalChannel
from jackfield.emulator.loop import Loop, Stream
from jackfield.emulator.lucidac_digital import LONGEST_LINE, LucidacDigital

__all__ = ["open_ports"]


def open_ports(loop: Loop, board: LucidacDigital) -> dict[str, str]:
    """URLs `tcp` and, where there are pseudo-terminals, `usb`."""
    urls = {"tcp": f"socket://127.0.0.1:{loop.listen(lambda stream: _serve(stream, board, echo=False))}"}
    if os.name == "posix" and sys.platform != "win32":
        from jackfield.link.pseudo_terminal import PseudoTerminal  # no such module's imports on Windows

        terminal = PseudoTerminal()
        _serve(loop.stream(TerminalChannel(terminal.master, terminal.close)), board, echo=True)
        urls["usb"] = f"serial://{terminal.port}"
    return urls


def _serve(stream: Stream, board: LucidacDigital, echo: bool) -> None:
    stream.received = _receiver(stream.write, board, echo)


def _receiver(write: Callable[[bytes], None], board: LucidacDigital, echo: bool) -> Callable[[bytes], None]:
    unread = bytearray()

    def received(data: bytes) -> None:
        if echo:
            write(data)
        unread.extend(data)
        *lines, rest = bytes(unread).split(b"\n")
        unread[:] = rest[:LONGEST_LINE] if echo else rest
        for line in lines:
            write(board.receive(line[:LONGEST_LINE] if echo else line))

    return received
