"""The largest board: 1,024 nodes, 262,144 cells, 2 banks, 2.6 MB of image; benchmark link times it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest

from jackfield.board import BoardSpec, ConfigImage
from jackfield.device import Jackfield1Board
from jackfield.link import open_transport
from jackfield_boards import spec_folder

pytestmark = pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals are a POSIX thing")


@pytest.fixture
def url() -> Iterator[str]:
    file = spec_folder() / "jf1024.toml"
    command = [sys.executable, "-m", "jackfield.emulator", str(file), "--profile", "ideal", "--until-eof"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["board"]["url"]
        process.kill()


def test_a_whole_image_is_uploaded_and_read_back(jf1024: BoardSpec, url: str) -> None:
    spec = jf1024
    rng = np.random.default_rng(1)
    image = ConfigImage.safe(spec).copy()
    shape = image.enable.shape
    image.enable[:] = rng.random(shape) < 0.5
    image.source[:], image.destination[:] = rng.integers(0, 1025, (2, *shape))
    for codes in image.codes.values():
        codes[:] = rng.integers(1, 256, shape)
    with Jackfield1Board(open_transport(url), spec) as board:
        report = board.apply(image)
        assert (report.kind, report.bytes, report.verified) == ("whole", spec.payload_bytes, True)
        assert spec.payload_bytes > 2.5e6
        image.codes["gain"][:, ::200] = 77
        assert board.apply(image).kind == "delta"
