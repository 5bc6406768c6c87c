"""Calibrations that are killed with SIGKILL at seeded moments and resumed, in forked children of one process."""

import os
import random
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from jackfield.journal import Run

__all__ = ["killed_and_resumed"]

Work = Callable[[Path, Callable[[], None]], None]
"""Goes on with the calibration in a run folder, leaves `board.record` in it, and tells of each setting read."""


def killed_and_resumed(root: Path, work: Work, kills: int, seed: int) -> tuple[int, int]:
    """Of `kills` calibrations under `root`, each killed once and then resumed: how many were killed in the midst, and
    how many left the same bytes as one that was left alone.
    """
    with Run.create(root, "calibrate", "whole", details={}) as run:
        whole = run.folder
    settings = _child(whole, work, None)
    moments = random.Random(seed)
    killed = same = 0
    for number in range(kills):
        folder = root / f"killed-{number}"
        folder.mkdir()
        shutil.copy(whole / "run.toml", folder)
        killed += _child(folder, work, moments.randint(1, settings - 1)) < 0
        _child(folder, work, None)
        same += _files(folder) == _files(whole)
        shutil.rmtree(folder)
    return killed, same


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "board.record").iterdir()}


def _child(folder: Path, work: Work, kill_at: int | None) -> int:
    """Settings that a child read; -1 where it was killed as it had told of number `kill_at`."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        try:
            work(folder, lambda: os.write(writing, b".") and None)
            os._exit(0)
        except BaseException as error:
            sys.stderr.write(f"{error!r}\n")
            os._exit(1)
    os.close(writing)
    seen = 0
    while (kill_at is None or seen < kill_at) and (told := os.read(reading, 1)):
        seen += len(told)
    if seen == kill_at:
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    os.close(reading)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise RuntimeError(f"a calibration in {folder} failed")
    return seen if os.WIFEXITED(status) else -1
