"""A raw SCPI socket, as instruments serve it on port 5025: newline ends a message and an answer."""

from collections.abc import Callable

from jackfield.emulator.loop import Loop, Stream

__all__ = ["Answerer", "serve_socket"]

# Gets a program message and a way to answer; it may answer later, in part, never, or hang up with None.
Answerer = Callable[[str, Callable[[bytes | None], None]], None]

LONGEST_MESSAGE = 1 << 20


def serve_socket(loop: Loop, answerer: Answerer) -> int:
    """Open the door on a free loopback port and return the port."""
    return loop.listen(lambda stream: _connect(stream, answerer))


def _connect(stream: Stream, answerer: Answerer) -> None:
    unread = bytearray()

    def received(data: bytes) -> None:
        unread.extend(data)
        *lines, rest = unread.split(b"\n")
        unread[:] = rest
        for line in lines:
            answerer(line.decode("latin-1").strip(), answer)
        if len(unread) > LONGEST_MESSAGE:
            stream.close()

    def answer(data: bytes | None) -> None:
        if data is None:
            stream.close()
        else:
            stream.write(data)

    stream.received = received
