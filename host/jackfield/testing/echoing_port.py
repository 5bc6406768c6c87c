"""A USB port as a LUCIDAC has it, in front of anything that speaks JSON lines over TCP: echo, and lines cut short."""

import contextlib
import os
import select
import socket
import threading
from collections.abc import Iterator
from typing import Any

from jackfield.link.pseudo_terminal import PseudoTerminal

__all__ = ["echoing_port"]

LONGEST_LINE = 4096


@contextlib.contextmanager
def echoing_port(host: str, port: int) -> Iterator[str]:
    """The URL of a pseudo-terminal in front of `host:port` for as long as the block lasts. POSIX."""
    terminal = PseudoTerminal()
    ours, theirs = socket.socketpair()
    with socket.create_connection((host, port), timeout=5.0) as line, ours, theirs:
        carrier = threading.Thread(target=_carry, args=(terminal.master, line, theirs), daemon=True)
        carrier.start()
        try:
            yield f"serial://{terminal.port}"
        finally:
            ours.send(b"x")
            carrier.join(timeout=5.0)
            terminal.close()


def _carry(master: int, line: socket.socket, stop: socket.socket) -> None:
    typed, waiting = bytearray(), bytearray()
    while True:
        sources: list[Any] = [master, line, stop]
        ready, writable, _ = select.select(sources, [master] if waiting else [], [])
        if stop in ready:
            return
        if master in ready:
            data = os.read(master, 4096)
            waiting += data
            typed += data
            *whole, rest = bytes(typed).split(b"\n")
            typed[:] = rest
            for one in whole:
                line.sendall(one[:LONGEST_LINE] + b"\n")
        if line in ready:
            answer = line.recv(65536)
            if not answer:
                return
            waiting += answer
        if writable:
            del waiting[: os.write(master, waiting)]
