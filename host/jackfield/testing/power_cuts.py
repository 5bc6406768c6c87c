"""Commits whose power is cut: whatever happens, the old or the new image, and a board that can be written again."""

import itertools
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from jackfield.board import BoardSpec, ConfigImage
from jackfield.link import FrameReader, ReplyFrame, encode_request, pack, request_room, unpack
from jackfield.link import messages as m
from jackfield.testing.firmware import FirmwareLibrary

__all__ = ["Cut", "PowerCuts", "power_cuts"]

Cut = tuple[int, int]  # flash operation, from 1; bytes of it that are done
DONE: Final = (0, 1, 33, 63, 1 << 20)
LARGEST_FRAME: Final = 0xFFFF


@dataclass
class PowerCuts:
    """What came of them: cuts made, boards that started with the old and with the new image, and what went wrong."""

    operations: int
    cuts: int = 0
    old: int = 0
    new: int = 0
    wrong: list[str] = field(default_factory=list)


def power_cuts(library: FirmwareLibrary, spec: BoardSpec, pairs: int, seed: int) -> PowerCuts:
    """Cut every flash operation of a commit, from empty and from full flash, and `pairs` sampled pairs of cuts.

    A pair is a cut commit, power up, and a second commit that is cut as well.
    """
    bench = _Bench(library, spec, seed)
    rng = np.random.default_rng(seed)
    found = PowerCuts(bench.operations)
    cuts: list[Cut] = list(itertools.product(range(1, bench.operations + 1), DONE))
    for flash, cut in itertools.product(bench.flashes, cuts):
        bench.trial(flash, (cut,), found)
    for _ in range(pairs):
        chosen = [cuts[i] for i in rng.integers(0, len(cuts), 2)]
        bench.trial(bench.flashes[int(rng.integers(0, len(bench.flashes)))], chosen, found)
    return found


class _Bench:
    def __init__(self, library: FirmwareLibrary, spec: BoardSpec, seed: int) -> None:
        self._library, self._spec = library, spec
        rng = np.random.default_rng(seed)
        self._images = [_image(spec, rng) for _ in range(4)]
        self._nonce = 0
        library.flash = b"\xff" * len(library.flash)
        self.flashes = [library.flash]
        library.cut(0, 0)
        for image in self._images[:2]:
            library.power_on()
            self._commit(image)
            self.flashes.append(library.flash)
        self.operations = library.operations // 2

    def trial(self, flash: bytes, cuts: Sequence[Cut], found: PowerCuts) -> None:
        library = self._library
        library.flash = flash
        library.power_on()
        before = self._active()
        for cut, image in zip(cuts, self._images[2:], strict=False):
            library.cut(*cut)
            self._commit(image)
            found.cuts += not library.powered
            library.power_on()
            now = self._active()
            if now not in (before, image):
                found.wrong.append(f"cuts {cuts}: neither the old nor the new image")
            found.old, found.new = found.old + (now == before), found.new + (now == image)
            before = now
        library.cut(0, 0)
        self._commit(self._images[0])
        library.power_on()
        if self._active() != self._images[0]:
            found.wrong.append(f"cuts {cuts}: no new image could be kept afterwards")
        if library.misuses:
            found.wrong.append(f"cuts {cuts}: flash was programmed without an erase")

    def _commit(self, payload: bytes) -> None:
        crc = zlib.crc32(payload)
        room = request_room(self._spec.link.frame_bytes) - m.LAYOUTS[m.StageData].fixed.size
        pieces = [m.StageData(1, at, payload[at : at + room]) for at in range(0, len(payload), room)]
        begin = m.StageBegin(0, 0, len(payload), crc, 0, crc)
        self._exchange(begin, *pieces, m.StageEnd(), m.Apply(), m.Commit(crc))

    def _active(self) -> bytes:
        """The image that the board has; empty if it has none."""
        (hello,) = self._exchange()
        answer = unpack(m.HelloAnswer, hello.payload)
        if not answer.image_crc:
            return b""
        whole, rest = divmod(answer.image_bytes, 200)
        spans = b"\0\0\xc8" * whole + bytes([0, 0, rest])
        replies = self._exchange(*(m.ReadImage(i * 600, spans[3 * i * 3 :][:9]) for i in range(whole // 3 + 1)))
        image = b"".join(reply.payload for reply in replies[1:])
        assert zlib.crc32(image) == answer.image_crc
        return image

    def _exchange(self, *requests: tuple[object, ...]) -> list[ReplyFrame]:
        """A session with these requests in one go; what the board answers."""
        self._nonce += 1
        replies: list[ReplyFrame] = []
        for sequence, request in enumerate((m.Hello(1, self._nonce), *requests)):
            data = self._library.receive(encode_request(m.LAYOUTS[type(request)].number, sequence, pack(request)))
            bodies = FrameReader(LARGEST_FRAME).feed(data)
            replies += [ReplyFrame.parse(body) for body in bodies if body is not None]
            if not self._library.powered:
                break
        return replies


def _image(spec: BoardSpec, rng: np.random.Generator) -> bytes:
    """A random image's payload."""
    image = ConfigImage.safe(spec).copy()
    for bank in range(spec.run.banks):
        for group in spec.groups:
            for name, scale in group.parameters.items():
                codes = rng.integers(*scale.code_range, endpoint=True, size=group.count)
                image.codes[name][bank, group.members] = codes
    return image.payload(spec)
