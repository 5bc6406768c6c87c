"""Both directions of a serial cable: paced, spoilt, written down; on a clock that is handed in."""

import json
from dataclasses import dataclass, field
from typing import TextIO

from jackfield.link.line import Line
from jackfield.link.line_faults import LineFaults, Spoiler

__all__ = ["Cable", "CableOptions"]


@dataclass(frozen=True)
class CableOptions:
    """`baud` 0 takes no time; `turnaround_s` is what an answer takes longer, as with a USB adapter."""

    baud: int = 0
    turnaround_s: float = 0.0
    faults: LineFaults = field(default_factory=LineFaults)
    seed: int = 0


class Cable:
    """What a host and a board have between them.

    Writes one JSON object a line into `record`: `t` (s of line time), `sent` by the host, before its faults, or
    `received` by it, behind them (hex), and each `fault` with its way and place. Line time is that of the last
    bit; a received piece has its turnaround behind it.
    """

    def __init__(self, options: CableOptions, record: TextIO | None = None) -> None:
        self._down, self._up = Line(options.baud), Line(options.baud, options.turnaround_s)
        self._spoil_down = Spoiler(options.faults, options.seed, "sent")
        self._spoil_up = Spoiler(options.faults, options.seed, "received")
        self._record = record
        self.hung_up = False

    @property
    def next_at(self) -> float | None:
        """When the next piece arrives anywhere, in line time; None while nothing is on the way."""
        times = [line.next_at for line in (self._down, self._up) if line.next_at is not None]
        return min(times, default=None)

    @property
    def waiting(self) -> int:
        """Bytes on the way, both ways."""
        return self._down.waiting + self._up.waiting

    @property
    def faults(self) -> int:
        """How many faults there have been."""
        return len(self._spoil_down.log) + len(self._spoil_up.log)

    def from_host(self, data: bytes, now: float) -> None:
        """The host writes `data` at line time `now`."""
        if data:
            self._down.push(data, now)

    def from_board(self, data: bytes, now: float) -> None:
        """The board writes `data` at line time `now`."""
        if data:
            self._up.push(data, now)

    def to_board(self, now: float) -> bytes:
        """What has reached the board by `now`."""
        data = self._down.due(now)
        self._note(now, "sent", data)
        return self._behind(self._spoil_down, "sent", data, now)

    def to_host(self, now: float) -> bytes:
        """What has reached the host by `now`."""
        arrived = self._behind(self._spoil_up, "received", self._up.due(now), now)
        self._note(now, "received", arrived)
        return arrived

    def cut(self) -> None:
        """Pull the plug: what is on the way is lost."""
        self._down.cut()
        self._up.cut()
        self.hung_up = True

    def mend(self) -> None:
        """Plug it in again."""
        self.hung_up = False

    def _behind(self, spoil: Spoiler, way: str, data: bytes, now: float) -> bytes:
        before = len(spoil.log)
        data, hung_up = spoil(data)
        for kind, at in spoil.log[before:]:
            self._write({"t": round(now, 9), "fault": kind, "way": way, "byte": at})
        if hung_up:
            self.cut()
        return data

    def _note(self, now: float, what: str, data: bytes) -> None:
        if data:
            self._write({"t": round(now, 9), what: data.hex()})

    def _write(self, line: dict[str, object]) -> None:
        if self._record is not None:
            self._record.write(json.dumps(line) + "\n")
