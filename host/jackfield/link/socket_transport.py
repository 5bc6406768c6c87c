"""A byte stream over TCP: an emulated board on Windows, QEMU's serial line."""

import socket
from typing import Final

from jackfield.errors import LinkError
from jackfield.link.lock import ResourceLock
from jackfield.link.transport import AbstractTransport

__all__ = ["SocketTransport"]

CONNECT_TIMEOUT_S: Final = 5.0
WRITE_TIMEOUT_S: Final = 10.0


class SocketTransport(AbstractTransport):
    """The board behind `host:port`; raises LinkError where nobody listens or the board is in use."""

    def __init__(self, host: str, port: int) -> None:
        self._where = host, port
        self._lock = ResourceLock(f"board at {self.name}", self.name)
        self._socket = self._connect(CONNECT_TIMEOUT_S)

    def _connect(self, patience_s: float) -> socket.socket:
        self._lock.acquire()
        try:
            line = socket.create_connection(self._where, timeout=patience_s)
        except OSError as error:
            self._lock.release()
            raise LinkError(f"nothing answers at {self.name}: {error}; start the board or correct the URL") from error
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return line

    @property
    def name(self) -> str:
        return f"socket://{self._where[0]}:{self._where[1]}"

    @property
    def byte_s(self) -> float:
        return 0.0

    def reconnect(self, patience_s: float) -> None:
        self.close()
        self._socket = self._connect(patience_s)

    def write(self, data: bytes) -> None:
        try:
            self._socket.settimeout(WRITE_TIMEOUT_S)
            self._socket.sendall(data)
        except OSError as error:
            raise self._gone(error) from error

    def read(self, timeout_s: float) -> bytes:
        try:
            self._socket.settimeout(max(timeout_s, 0.0))
            data = self._socket.recv(65536)
        except (TimeoutError, BlockingIOError):
            return b""
        except OSError as error:
            raise self._gone(error) from error
        if not data:
            raise self._gone("the other side closed it")
        return data

    def _gone(self, why: object) -> LinkError:
        return LinkError(f"the line to {self.name} is gone ({why}); start the board again and reconnect")

    def close(self) -> None:
        self._socket.close()
        self._lock.release()
