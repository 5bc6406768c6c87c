"""What follows from protocol.toml is up to date, and the worked frames are untouched."""

import hashlib
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
BY_HAND = "firmware_config/jackfield_boards/golden/by_hand/frames.txt"


def test_nothing_generated_is_stale() -> None:
    check = subprocess.run(
        [sys.executable, "firmware_config/generate.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (check.returncode, check.stdout, check.stderr) == (0, "", "")


def test_frames_worked_by_hand_are_never_regenerated() -> None:
    digest = hashlib.sha256((ROOT / BY_HAND).read_bytes()).hexdigest()
    assert digest == "4e000a770a83a14d5cdd7c680695816fe45e65e77debef6791dbb61e62e9c9b6"
