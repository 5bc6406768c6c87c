"""The C core and the emulator's digital half, written apart: the same bytes in, the same frames out."""

import random
import struct
import zlib

import numpy as np
import pytest

from jackfield.board import BoardSpec, ConfigImage, delta
from jackfield.emulator.digital import DigitalBoard
from jackfield.link import FrameReader, ReplyFrame, delta_stream, encode_request, pack, unpack
from jackfield.link import messages as m
from jackfield.testing.firmware import FirmwareLibrary

HELLO = m.LAYOUTS[m.HelloAnswer].number
CRUMBS = 8  # pieces of a transfer


class _Analog:
    def configure(self, *_: object) -> None: ...

    def run(self, *_: object) -> None: ...

    def safe(self) -> None: ...


class Pair:
    """Both boards on one line, and a host that knows what it has sent."""

    def __init__(self, library: FirmwareLibrary, spec: BoardSpec, seed: int) -> None:
        self.spec, self.now, self.random = spec, 0.0, random.Random(seed)
        library.flash = b"\xff" * len(library.flash)
        library.clock(0.0)
        library.power_on()
        self.library = library
        self.emulated = DigitalBoard(spec, _Analog(), lambda: self.now, "C-0001", lambda: 31.25)
        self.sequence, self.sent = 0, [b""]
        rng = np.random.default_rng(seed)
        self.images = [_image(spec, rng) for _ in range(4)]
        self.bad = bytes([0xFF]) * 3 + bytes(17) + self.images[0][20:]

    def say(self, data: bytes) -> None:
        """Send to both; both must answer the same."""
        ours = self.library.receive(data)
        theirs = self.emulated.receive(data) + self.emulated.tick()
        theirs += self.emulated.tick()
        assert _frames(ours) == _frames(theirs), f"after {data.hex()}"

    def ask(self, request: tuple[object, ...], ahead: int = 0) -> None:
        wire = encode_request(m.LAYOUTS[type(request)].number, self.sequence + ahead & 0xFFFF, pack(request))
        if ahead == 0:
            self.sequence = self.sequence + 1 & 0xFFFF
            self.sent.append(wire)
        self.say(wire)


def _frames(data: bytes) -> list[ReplyFrame]:
    frames = []
    for body in FrameReader(0xFFFF).feed(data):
        assert body is not None
        frame = ReplyFrame.parse(body)
        if frame.number == HELLO:  # how long a commit takes is each one's own
            frame = frame._replace(payload=pack(unpack(m.HelloAnswer, frame.payload)._replace(flash_ms=0)))
        frames.append(frame)
    return frames


def _image(spec: BoardSpec, rng: np.random.Generator) -> bytes:
    image = ConfigImage.safe(spec).copy()
    for name, scale in spec.groups[0].parameters.items():
        where = 0, rng.permutation(spec.cell_count)[:5]
        image.codes[name][where] = rng.integers(*scale.code_range, endpoint=True, size=5)
    return image.payload(spec)


def _upload(pair: Pair) -> None:
    """A transfer of any kind, perhaps with something missing, wrong or out of order; perhaps applied."""
    pick = pair.random
    new = pick.choice([*pair.images, pair.bad])
    old = pick.choice(pair.images)
    kind = pick.choice([0, 0, 1, 2, 2, 9])
    stream = new if kind == 0 else delta_stream(delta(old, new))
    stream = stream[:-1] if pick.random() < 0.05 else stream
    crc = zlib.crc32(stream) ^ (pick.random() < 0.05)
    transfer = pair.sequence
    step = pick.choice([0, 0, 1, 2, 65]) if kind == 2 else 0
    begin = m.StageBegin(kind, step, len(stream), crc, zlib.crc32(old) if kind else 0, zlib.crc32(new))
    pair.ask(begin)
    size = max(len(stream) // CRUMBS, 1)
    pieces = [m.StageData(transfer, at, stream[at : at + size]) for at in range(0, len(stream), size)]
    while pieces:
        if pick.random() < 0.2 and len(pieces) > 1:
            pair.ask(pieces[1], ahead=1)
        if pick.random() < 0.97:
            pair.ask(pieces[0])
        pieces.pop(0)
    pair.ask(m.StageEnd())
    if pick.random() < 0.3:
        pair.ask(m.ReadChecked(0, b"\0\0\xff\0\0\x7d"))
    if pick.random() < 0.2:  # resumed where everything had arrived
        pair.ask(begin)
        pair.ask(m.StageEnd())
    if pick.random() < 0.7:
        pair.ask(m.Apply())


def _run(pair: Pair) -> None:
    pick = pair.random
    mode = pick.choice([0, 0, 1, 2, 3])
    inputs = pick.choice([1, 1, 2, 64, 65])
    tail = struct.pack("<BI", pick.choice([0, 1, 2]), pick.choice([100, 5000, 5001, 0, 2**32 - 1]))
    tail += struct.pack("<4H", 1, pick.choice([1, 16, 17, 0]), 1, 5) + bytes(pick.random() < 0.1)
    pair.ask(m.Run(pick.randrange(99), mode, pick.choice([0, 1, 63]), inputs, 0, pick.choice([0, 0, 1, 2]), 1, 2, tail))


def _inputs(pair: Pair) -> None:
    codes = struct.pack("<3H", 1, 4095, pair.random.choice([1, 2048, 0, 4096]))
    pair.ask(m.WriteInputs(pair.random.choice([0, 1000, 1021, 1022, 2**32 - 1]), codes))


def _read(pair: Pair) -> None:
    spans = pair.random.choice([b"\0\0\xff\0\0\x7d", b"\x05\0\1\x26\1\2", b"\0\0", b"\x7c\1\1", b""])
    kind = pair.random.choice([m.ReadImage, m.ReadChecked])
    pair.ask(kind(pair.random.choice([0, 5, 380, 2**31]), spans))


def _repeat(pair: Pair) -> None:
    pair.say(pair.random.choice(pair.sent[-34:]))


def _noise(pair: Pair) -> None:
    pair.say(pair.random.randbytes(pair.random.randrange(1, 40)) + b"\0")


def _cut_off(pair: Pair) -> None:
    wire = pair.random.choice(pair.sent[-3:])
    pair.say(wire[: len(wire) // 2] + b"\0")


def _greet(pair: Pair) -> None:
    pair.ask(pair.random.choice([m.Hello(1, pair.random.getrandbits(32)), m.Safe(pair.random.getrandbits(32))]))


def _wait(pair: Pair) -> None:
    pair.now += pair.random.choice([0.3, 1.0, 2.5])
    pair.library.clock(pair.now)
    pair.say(b"")


def _commit(pair: Pair) -> None:
    pair.ask(m.Commit(zlib.crc32(pair.random.choice(pair.images))))


def _small(pair: Pair) -> None:
    pair.ask(
        pair.random.choice([m.Status(), m.Stop(), m.Rollback(), m.Apply(), m.SelectStep(pair.random.randrange(3))])
    )


def _rate(pair: Pair) -> None:
    pair.ask(m.SetBaud(pair.random.choice([115200, 921600, 1])))


OFTEN = (_upload, _upload, _upload, _upload, _run, _run, _small, _small, _small, _small)
MOVES = (*OFTEN, _inputs, _read, _repeat, _noise, _cut_off, _greet, _wait, _commit, _rate)


@pytest.mark.parametrize("seed", range(20))
def test_both_answer_the_same(library16: FirmwareLibrary, jf16: BoardSpec, seed: int) -> None:
    pair = Pair(library16, jf16, seed)
    if seed % 2:
        _greet(pair)
    for _ in range(150):
        pair.random.choice(MOVES)(pair)
