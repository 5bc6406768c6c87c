"""One direction of a serial line, on a clock that is handed in: it never looks at the time itself."""

from collections import deque
from typing import Final

__all__ = ["BITS_A_BYTE", "Line"]

BITS_A_BYTE: Final = 10  # 8N1
PIECE_S: Final = 1e-3  # bytes move in pieces of this length,
PIECE_BYTES: Final = 256  # or of this size, where that is shorter


class Line:
    """Carries `baud` bits a second (0: takes no time), and hands each piece over `delay_s` after its last bit."""

    def __init__(self, baud: int, delay_s: float = 0.0) -> None:
        self._byte_s = BITS_A_BYTE / baud if baud else 0.0
        self._piece = max(1, min(PIECE_BYTES, int(PIECE_S / self._byte_s))) if baud else 0
        self._delay_s = delay_s
        self._free_at = 0.0
        self._pieces: deque[tuple[float, bytes]] = deque()
        self.waiting = 0

    @property
    def next_at(self) -> float | None:
        """When the next piece arrives, on the line's clock; None while nothing is on the way."""
        return self._pieces[0][0] if self._pieces else None

    def push(self, data: bytes, now: float) -> None:
        """Put bytes at the end of the queue; they leave as soon as those before them have."""
        self.waiting += len(data)
        self._free_at = max(self._free_at, now)
        for start in range(0, len(data), self._piece or len(data)):
            piece = data[start : start + (self._piece or len(data))]
            self._free_at += len(piece) * self._byte_s
            self._pieces.append((self._free_at + self._delay_s, piece))

    def due(self, now: float) -> bytes:
        """What has arrived by `now`."""
        arrived = bytearray()
        while self._pieces and self._pieces[0][0] <= now:
            arrived += self._pieces.popleft()[1]
        self.waiting -= len(arrived)
        return bytes(arrived)

    def cut(self) -> None:
        """Lose what is on the way."""
        self._pieces.clear()
        self.waiting = 0
        self._free_at = 0.0
