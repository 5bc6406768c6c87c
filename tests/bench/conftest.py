"""A small SCPI instrument on a loopback socket, obedient or not."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

Answer = Callable[[str], bytes | None]


class FakeInstrument:
    """Answers each line with what `answer` returns for it; None is silence. Keeps what it was sent."""

    def __init__(self) -> None:
        self.received: list[str] = []
        self.answer: Answer = self.obey
        self.hang_up = threading.Event()
        self._register = 0
        self._server = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def resource(self) -> str:
        return f"TCPIP::127.0.0.1::{self._server.getsockname()[1]}::SOCKET"

    def obey(self, line: str) -> bytes | None:
        if line == "*IDN?":
            return b"ACME,FAKE 1,0,1.0\n"
        if line.startswith("*ESE ") and line.endswith(";*ESE?"):
            return line[5:].partition(";")[0].encode() + b"\n"
        if line == ":SYSTem:ERRor?":
            return b'+0,"No error"\n'
        return b"42\n" if line.endswith("?") else None

    def close(self) -> None:
        self._server.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._server.accept()
                threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection, connection.makefile("rb") as lines:
            for raw in lines:
                line = raw.decode().strip()
                self.received.append(line)
                if self.hang_up.is_set():
                    connection.shutdown(socket.SHUT_RDWR)
                    return
                answer = self.answer(line)
                if answer is not None:
                    connection.sendall(answer)


@pytest.fixture
def instrument() -> Iterator[FakeInstrument]:
    fake = FakeInstrument()
    yield fake
    fake.close()
