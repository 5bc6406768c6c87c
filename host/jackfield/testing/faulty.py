"""A bad cable."""

import random

from jackfield.link import AbstractTransport

__all__ = ["FaultyTransport"]


class FaultyTransport(AbstractTransport):
    """Flips a bit of, drops or doubles each byte, both ways, with probability `rate`; a seed always does the same."""

    def __init__(self, inner: AbstractTransport, seed: int, rate: float) -> None:
        self._inner = inner
        self._random = random.Random(seed)
        self._rate = rate
        self.faults = 0

    @property
    def name(self) -> str:
        return f"faulty {self._inner.name}"

    @property
    def byte_s(self) -> float:
        return self._inner.byte_s

    def now(self) -> float:
        return self._inner.now()

    def write(self, data: bytes) -> None:
        self._inner.write(self._spoilt(data))

    def read(self, timeout_s: float) -> bytes:
        return self._spoilt(self._inner.read(timeout_s))

    def close(self) -> None:
        self._inner.close()

    def _spoilt(self, data: bytes) -> bytes:
        out = bytearray()
        for byte in data:
            if self._random.random() >= self._rate:
                out.append(byte)
                continue
            self.faults += 1
            flipped = byte ^ 1 << self._random.randrange(8)
            out += self._random.choice((bytes([flipped]), b"", bytes([byte, byte])))
        return bytes(out)
