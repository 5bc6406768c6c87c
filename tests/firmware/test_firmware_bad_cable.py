"""Uploads from process to process: driver, pty, the bridge with faults, pty, the firmware with its sanitizers."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from jackfield.board import BoardSpec, ConfigImage
from jackfield.device import Jackfield1Board
from jackfield.errors import LinkError
from jackfield.link import open_transport
from jackfield.testing.firmware import firmware_process

UPLOADS = 3


def _image(spec: BoardSpec, gain: int) -> ConfigImage:
    image = ConfigImage.safe(spec).copy()
    image.codes["gain"][:] = gain
    return image


def _verified(port: Path, spec: BoardSpec, image: ConfigImage) -> bool:
    try:
        with open_transport(f"serial://{port}") as line:
            return Jackfield1Board(line, spec).apply(image).verified
    except LinkError:
        return False


@pytest.mark.parametrize("kind", ["flip", "drop", "double", "hang_up", "mixed"])
def test_verified_or_the_old_configuration(kind: str, process16: Path, jf16: BoardSpec, tmp_path: Path) -> None:
    verified = 0
    with firmware_process(process16) as direct:
        for seed in range(UPLOADS):
            old, new = _image(jf16, 10 + seed), _image(jf16, 100 + seed)
            with Jackfield1Board(open_transport(f"serial://{direct}?baud=115200"), jf16) as board:
                board.apply(old)
            port = tmp_path / f"port{seed}"
            words = [sys.executable, "-m", "jackfield.link.bridge", "--board", f"serial://{direct}"]
            words += ["--path", str(port), "--seed", str(seed), "--fault", f"{kind}=1e-3"]
            with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as bridge:
                assert bridge.stdout is not None
                assert json.loads(bridge.stdout.readline())["url"] == f"serial://{port}"
                done = _verified(port, jf16, new)
                bridge.terminate()
            verified += done
            with Jackfield1Board(open_transport(f"serial://{direct}?baud=115200"), jf16) as board:
                assert board.read_image().payload(jf16) == (new if done else old).payload(jf16)
    assert verified
