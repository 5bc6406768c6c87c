"""Faults to order, each a function of the seed: bytes on the serial line, answers of the instruments."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Protocol

import numpy as np

from jackfield.emulator.loop import Loop
from jackfield.emulator.randomness import Randomness
from jackfield.emulator.socket_door import Answerer
from jackfield.errors import DesignError

__all__ = ["ByteFaults", "FaultPort", "Faults", "Overloadable"]


class Overloadable(Protocol):
    """An instrument whose next reading can be made an overload."""

    overload_next: bool


_WHOLE = ("hangup", "power", "silent", "dead", "noisy", "stuck_probe")


@dataclass(frozen=True)
class Faults:
    """`flip`, `drop`, `double`: share of serial bytes; `hangup`: after so many bytes from the host, 0 never.

    `power`: number of the flash operation at which the board's supply fails, 0 never.
    `late`, `missing`, `truncated`, `dropped` (the instrument hangs up), `wrong_length` (a block that announces
    another length, a list without its last field), `overload` (of the next reading): share of instrument
    answers; `late_s`: how late. `silent`: after so many answers an instrument gives no more, 0 never. `dead`,
    `noisy`: that many more such cells. `stuck_probe`: that many probe switches never close. `moved`: share of cells
    that are off by `moved_gain` (relative) and `moved_V`, up or down.
    """

    flip: float = 0.0
    drop: float = 0.0
    double: float = 0.0
    hangup: int = 0
    power: int = 0
    late: float = 0.0
    late_s: float = 6.0
    missing: float = 0.0
    truncated: float = 0.0
    silent: int = 0
    dropped: float = 0.0
    wrong_length: float = 0.0
    overload: float = 0.0
    dead: int = 0
    noisy: int = 0
    stuck_probe: int = 0
    moved: float = 0.0
    moved_gain: float = 0.0
    moved_V: float = 0.0

    @classmethod
    def parse(cls, texts: list[str]) -> "Faults":
        """From texts such as "flip=1e-4"; DesignError where one names no fault or has no number."""
        known = [field.name for field in fields(cls)]
        values: dict[str, float] = {}
        for text in texts:
            name, _, value = text.partition("=")
            try:
                values[name] = int(value) if name in _WHOLE else float(value)
            except ValueError:
                name = ""
            if name not in known:
                raise DesignError(f"fault {text!r} is asked; write NAME=NUMBER with one of {', '.join(known)}")
        return cls(**values)  # type: ignore[arg-type]


class ByteFaults:
    """One direction of the serial line."""

    def __init__(self, faults: Faults, randomness: Randomness, direction: str) -> None:
        self._faults = faults
        self._randomness = randomness
        self._name = f"fault bytes {direction}"
        self._passed = 0

    def __call__(self, data: bytes) -> bytes:
        """`data` after the line."""
        faults = self._faults
        if not faults.flip and not faults.drop and not faults.double:
            return data
        u = self._randomness.uniforms(self._name, len(data), self._passed)
        self._passed += len(data)
        flipped = np.flatnonzero(u < faults.flip)
        sent = np.frombuffer(data, dtype=np.uint8).copy()
        sent[flipped] ^= np.left_shift(1, (u[flipped] / faults.flip * 8).astype(np.int64)).astype(np.uint8)
        copies = np.ones(len(data), dtype=np.int64)
        copies[(u >= faults.flip) & (u < faults.flip + faults.drop)] = 0
        copies[(u >= faults.flip + faults.drop) & (u < faults.flip + faults.drop + faults.double)] = 2
        return np.repeat(sent, copies).tobytes()


class FaultPort:
    """In front of an instrument: some of its answers are late, missing, cut in half, of a wrong length, or the last.

    Each answer meets at most one fault. `instrument` has `overload_next`; its answers come through `answerer`.
    """

    KINDS = ("late", "truncated", "missing", "dropped", "wrong_length", "overload")

    def __init__(
        self,
        answerer: Answerer,
        faults: Faults,
        randomness: Randomness,
        name: str,
        loop: Loop,
        instrument: Overloadable,
    ) -> None:
        self._answerer = answerer
        self._shares = np.cumsum(np.array([float(getattr(faults, kind)) for kind in self.KINDS]))
        self._late_s, self._silent = faults.late_s, faults.silent
        self._randomness, self._name = randomness, f"fault answers {name}"
        self._loop = loop
        self._instrument = instrument
        self._asked = 0
        self.met = dict.fromkeys(self.KINDS, 0)

    def __call__(self, message: str, answer: Callable[[bytes | None], None]) -> None:
        """An Answerer."""
        self._answerer(message, lambda data: self._spoil(data, answer))

    def _spoil(self, data: bytes | None, answer: Callable[[bytes | None], None]) -> None:
        if data is None or not (self._shares[-1] or self._silent):
            answer(data)
            return
        if 0 < self._silent <= self._asked:
            return
        u = self._randomness.uniforms(self._name, 1, self._asked)
        index = int(np.searchsorted(self._shares, float(u[0]), side="right"))
        self._asked += 1
        kind = self.KINDS[index] if index < len(self.KINDS) else ""
        if kind:
            self.met[kind] += 1
        if kind == "late":
            self._loop.call_later(self._late_s, lambda: answer(data))
        elif kind == "truncated":
            answer(data[: max(1, len(data) // 2)])
        elif kind == "dropped":
            answer(None)
        elif kind == "wrong_length":
            answer(_of_wrong_length(data))
        elif kind != "missing":
            self._instrument.overload_next |= kind == "overload"
            answer(data)


def _of_wrong_length(data: bytes) -> bytes:
    """A block that announces a byte more or less than follow, a list without its last field."""
    digits = data[1:2]
    if data[:1] == b"#" and digits.isdigit() and digits != b"0":
        stop = 2 + int(digits)
        length = int(data[2:stop]) + (1 if len(data) % 4 < 2 else -1)
        return data[:2] + str(max(length, 0)).zfill(int(digits)).encode()[: int(digits)] + data[stop:]
    return data.rpartition(b",")[0] + b"\n" if b"," in data else data
