"""What a bad cable does to bytes, to order: the same seed always does the same to the same bytes."""

import math
import random
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from typing import Final, Self

from jackfield.errors import DesignError

__all__ = ["LineFaults", "Spoiler"]

MIXED: Final = "mixed"


@dataclass(frozen=True)
class LineFaults:
    """Shares of all bytes: a bit flipped, dropped, doubled, and the line hung up behind it."""

    flip: float = 0.0
    drop: float = 0.0
    double: float = 0.0
    hang_up: float = 0.0

    @classmethod
    def parse(cls, texts: Sequence[str]) -> Self:
        """From texts such as "flip=1e-4", or "mixed=1e-4" for a quarter of it of each kind.

        Raises DesignError where one names no fault, or its share is no number from 0 to 1.
        """
        known = [field.name for field in fields(cls)]
        values = dict.fromkeys(known, 0.0)
        for text in texts:
            name, _, value = text.partition("=")
            try:
                share = float(value)
            except ValueError:
                share = -1.0
            if name not in (*known, MIXED) or not 0 <= share <= 1:
                raise DesignError(f"fault {text!r} is asked; write NAME=SHARE with one of {', '.join(known)}, {MIXED}")
            for kind in known if name == MIXED else (name,):
                values[kind] += share / len(known) if name == MIXED else share
        if sum(values.values()) > 1:
            raise DesignError(f"faults {', '.join(texts)} are more than all bytes; ask for smaller shares")
        return cls(**values)

    @property
    def share(self) -> float:
        """Share of all bytes that meet a fault."""
        return math.fsum(astuple(self))


class Spoiler:
    """The faults of one direction `way`. `log` names the kind and place (byte of this direction) of each so far."""

    def __init__(self, faults: LineFaults, seed: int, way: str) -> None:
        self._kinds = [field.name for field in fields(LineFaults)]
        self._weights = astuple(faults)
        self._share = faults.share
        self._random = random.Random(f"{seed} {way}")
        self._passed = 0
        self._next = self._gap()
        self.log: list[tuple[str, int]] = []

    def _gap(self) -> float:
        """Bytes that pass unharmed until the next fault: drawn at once, so that good lines cost nothing."""
        if not self._share:
            return math.inf
        return 0 if self._share >= 1 else int(math.log(1 - self._random.random()) / math.log1p(-self._share))

    def __call__(self, data: bytes) -> tuple[bytes, bool]:
        """`data` behind the line, and whether the line was hung up: nothing behind that place arrives."""
        out, done = bytearray(), 0
        while done + self._next < len(data):
            at = done + int(self._next)
            out += data[done:at]
            kind = self._random.choices(self._kinds, self._weights)[0]
            self.log.append((kind, self._passed + at))
            out += self._fault(kind, data[at])
            done, self._next = at + 1, self._gap()
            if kind == "hang_up":
                self._passed += done
                return bytes(out), True
        self._next -= len(data) - done
        self._passed += len(data)
        return bytes(out + data[done:]), False

    def _fault(self, kind: str, byte: int) -> bytes:
        if kind == "flip":
            return bytes([byte ^ 1 << self._random.randrange(8)])
        return bytes([byte] * {"drop": 0, "double": 2, "hang_up": 1}[kind])
