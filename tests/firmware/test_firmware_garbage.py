"""The build with sanitizers survives anything, and then a normal upload through the driver.

10 MB, or JACKFIELD_GARBAGE_MB.
"""

import os
from pathlib import Path

from jackfield.board import BoardSpec, ConfigImage
from jackfield.device import Jackfield1Board
from jackfield.link import AbstractTransport, open_transport
from jackfield.testing.firmware import firmware_process
from jackfield.testing.garbage import garbage

MEGABYTES = float(os.environ.get("JACKFIELD_GARBAGE_MB", "10"))


def _drain(line: AbstractTransport, quiet_s: float) -> None:
    while line.read(quiet_s):
        pass


def test_garbage_then_a_normal_upload(process16: Path, jf16: BoardSpec) -> None:
    sent, image = 0, ConfigImage.safe(jf16).copy()
    image.codes["threshold"][0, 7] = 4095
    with firmware_process(process16) as port:
        with open_transport(f"serial://{port}?baud=115200") as line:
            for chunk in garbage(seed=1, chunks=1 << 30):
                line.write(chunk)
                _drain(line, 0.0)
                sent += len(chunk)
                if sent > MEGABYTES * 1e6:
                    break
            _drain(line, 0.5)
        with Jackfield1Board(open_transport(f"serial://{port}?baud=115200"), jf16) as board:
            assert board.apply(image).verified
            assert board.read_image().codes["threshold"][0, 7] == 4095
            assert board.status().broken_frames > 1000 * MEGABYTES
