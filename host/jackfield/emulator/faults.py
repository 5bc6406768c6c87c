"""Faults to order, each a function of the seed: bytes on the serial line, answers of the instruments."""

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np

from jackfield.emulator.loop import Loop
from jackfield.emulator.randomness import Randomness
from jackfield.emulator.socket_door import Answerer
from jackfield.errors import DesignError

__all__ = ["ByteFaults", "Faults", "faulty"]


_WHOLE = ("hangup", "power", "silent", "dead", "noisy", "stuck_probe")


@dataclass(frozen=True)
class Faults:
    """`flip`, `drop`, `double`: share of serial bytes; `hangup`: after so many bytes from the host, 0 never.

    `power`: number of the flash operation at which the board's supply fails, 0 never.
    `late`, `missing`, `truncated`: share of instrument answers; `late_s`: how late. `silent`: after so many answers
    an instrument gives no more, 0 never. `dead`, `noisy`: that many more such cells. `stuck_probe`: that many probe
    switches never close. `moved`: share of cells that are off by
    `moved_gain` (relative) and `moved_V`, up or down.
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


def faulty(answerer: Answerer, faults: Faults, randomness: Randomness, name: str, loop: Loop) -> Answerer:
    """The same instrument, some of whose answers are late, missing or cut in half, or which falls silent."""
    if not faults.late and not faults.missing and not faults.truncated and not faults.silent:
        return answerer
    asked = 0

    def ask(message: str, answer: Callable[[bytes], None]) -> None:
        def spoiled(data: bytes) -> None:
            nonlocal asked
            u = float(randomness.uniforms(f"fault answers {name}", 1, asked)[0])
            asked += 1
            if 0 < faults.silent < asked:
                return
            if u < faults.late:
                loop.call_later(faults.late_s, lambda: answer(data))
            elif u < faults.late + faults.truncated:
                answer(data[: max(1, len(data) // 2)])
            elif u >= faults.late + faults.truncated + faults.missing:
                answer(data)

        answerer(message, spoiled)

    return ask
