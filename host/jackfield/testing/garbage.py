"""Noise and mutated frames for whoever decodes: seeded, endless."""

import random
from collections.abc import Iterator

from jackfield.link import encode_frame
from jackfield.link.messages import LAYOUTS

__all__ = ["garbage"]

FRAMES_A_CHUNK = 40
LONGEST = 1200


def garbage(seed: int, chunks: int) -> Iterator[bytes]:
    """`chunks` pieces of some 10 kB: noise, frames of all messages with any payload, and frames with bytes changed."""
    pick = random.Random(seed)
    numbers = [layout.number for layout in LAYOUTS.values()]
    for _ in range(chunks):
        yield b"".join(_piece(pick, numbers) for _ in range(FRAMES_A_CHUNK))


def _piece(pick: random.Random, numbers: list[int]) -> bytes:
    kind = pick.random()
    if kind < 0.3:
        return pick.randbytes(pick.randrange(1, 600))
    number = pick.choice(numbers) if kind < 0.95 else pick.randrange(256)
    payload = pick.randbytes(pick.choice([0, 1, 2, 4, 6, 17, 19, 24, 60, pick.randrange(LONGEST)]))
    frame = bytearray(encode_frame(bytes([number]) + pick.randrange(48).to_bytes(2, "little") + payload))
    if kind > 0.7:
        for _ in range(pick.randrange(1, 4)):
            frame[pick.randrange(len(frame))] = pick.randrange(256)
    return bytes(frame)
