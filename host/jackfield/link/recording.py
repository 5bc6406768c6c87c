"""Writes down everything that passes a transport."""

import json
from typing import TextIO

from jackfield.link.transport import AbstractTransport

__all__ = ["RecordingTransport"]


class RecordingTransport(AbstractTransport):
    """Wraps a transport; one JSON object a line in `sink`: `t` (s since the start), `sent` or `received` (hex)."""

    def __init__(self, inner: AbstractTransport, sink: TextIO) -> None:
        self._inner = inner
        self._sink = sink
        self._start = inner.now()

    @property
    def name(self) -> str:
        return self._inner.name

    @property
    def byte_s(self) -> float:
        return self._inner.byte_s

    def now(self) -> float:
        return self._inner.now()

    @property
    def can_change_baud(self) -> bool:
        return self._inner.can_change_baud

    def set_baud(self, baud: int) -> None:
        self._inner.set_baud(baud)

    @property
    def found_again(self) -> bool:
        return self._inner.found_again

    def reconnect(self, patience_s: float) -> None:
        self._inner.reconnect(patience_s)

    def write(self, data: bytes) -> None:
        self._note("sent", data)
        self._inner.write(data)

    def read(self, timeout_s: float) -> bytes:
        data = self._inner.read(timeout_s)
        if data:
            self._note("received", data)
        return data

    def close(self) -> None:
        self._inner.close()

    def _note(self, what: str, data: bytes) -> None:
        line = {"t": round(self._inner.now() - self._start, 6), what: data.hex()}
        self._sink.write(json.dumps(line) + "\n")
