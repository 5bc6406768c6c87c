"""Injection memory and the drive part of a run in the C core, beside the emulator's digital half."""

import zlib
from pathlib import Path

import numpy as np
import pytest

from jackfield.board import BoardSpec, RunProgram
from jackfield.device.run_request import run_request
from jackfield.link import messages as m
from jackfield.testing.firmware import FirmwareLibrary, build_library, missing_tools

from .test_firmware_beside_emulator import Pair

PARTS = [
    bytes([0, 0, 1]),
    bytes([2, 0, 1, 0, 16, 0, 1]),
    bytes([2, 0, 1, 0, 1, 0, 0]),
    bytes([1, 0, 0, 0, 0]),
    bytes([1, 0, 17, 0, 0]),
    bytes([0, 0, 2]),
    bytes([0, 0]),
    bytes([3, 0, 1, 0, 2, 0]),
    bytes([0, 0, 1, 0]),
]


@pytest.mark.skipif(bool(missing_tools("gcc")), reason=missing_tools("gcc"))
@pytest.mark.parametrize("name", ["jf16", "jf16s", "jf16w"])
def test_both_say_the_same(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    spec: BoardSpec = request.getfixturevalue(name)
    pair = Pair(FirmwareLibrary(build_library(spec, tmp_path)), spec, 3)
    pair.ask(m.Hello(1, 7))
    image = pair.images[0]
    for message in _whole(image, pair):
        pair.ask(message)
    points = spec.nodes.injection.points if spec.nodes.injection else 1
    size = spec.run.inputs * points * spec.nodes.count
    codes = np.random.default_rng(1).integers(1, 4096, 100).astype("<u2").tobytes()
    for start, data in ((0, codes), (size - 100, codes), (size - 99, codes), (5, codes[:-1]), (3, b"\0\0")):
        pair.ask(m.WriteInjection(start, data))
    plain = run_request(RunProgram(((0, 100),), ((1,), (2,))), 5, 1024)
    two = run_request(RunProgram(((0, 100), (1, 50)), ((1,), (2,))), 6, 1024)
    for run in (plain, two):
        for part in PARTS:
            pair.ask(run._replace(program=run.program + part))


def _whole(image: bytes, pair: Pair) -> list[tuple[object, ...]]:
    crc, transfer = zlib.crc32(image), pair.sequence
    pieces = [m.StageData(transfer, start, image[start : start + 512]) for start in range(0, len(image), 512)]
    return [m.StageBegin(0, 0, len(image), crc, 0, crc), *pieces, m.StageEnd(), m.Apply()]
