"""Uploads over lines with faults: in this process on line time, and over the bridge's pseudo-terminal in wall time."""

import random
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

import numpy as np
from benchmarks._link_boards import link_row, new_board, random_image, same
from benchmarks._rows import Row

from jackfield.board import BoardSpec
from jackfield.device import Jackfield1Board
from jackfield.emulator import DigitalBoard
from jackfield.errors import LinkError
from jackfield.link import AbstractTransport, CableOptions, LineFaults, open_transport
from jackfield.link.bridge import Bridge
from jackfield.link.bridge_ends import InProcess
from jackfield.session import load_spec
from jackfield.testing import CableTransport, LoopbackTransport

__all__ = ["cable_uploads", "over_pty", "pty_uploads"]

KINDS = ("flip", "drop", "double", "hang_up", "mixed")
LOWEST, HIGHEST = 1e-5, 3e-3
THREADS = 8
VERIFIED, INTACT, UNSETTLED, WRONG = "verified", "given up, old image", "given up, new image, said so", "wrong"

Line = Callable[[DigitalBoard, CableOptions], AbstractContextManager[AbstractTransport]]


def cable_uploads(count: int) -> Row:
    """A cable in this process, on line time."""
    return _uploads("faulted_uploads", count, _over_cable, 1)


def _uploads(name: str, count: int, line: Line, threads: int) -> Row:
    """`count` seeds: verified, given up with the old image intact, or wrong."""
    upload = partial(_faulted_upload, line, load_spec("jf16"))
    with ThreadPoolExecutor(threads) as pool:
        found = Counter(pool.map(upload, range(count)))
    workload = f"{count} jf16 uploads, faults {LOWEST:g} to {HIGHEST:g} a byte: " + ", ".join(
        f"{number} {what}" for what, number in sorted(found.items())
    )
    wrong = count - found[VERIFIED] - found[INTACT]
    return link_row(name, workload, float(wrong), "wrong commits", "0", wrong == 0)


def pty_uploads(count: int) -> Row:
    """The bridge's loop, a real pty and wall time; most of it is waiting, so several at once."""
    with tempfile.TemporaryDirectory(prefix="jackfield-") as folder:
        return _uploads("faulted_uploads over a pty", count, partial(over_pty, Path(folder)), THREADS)


def _faulted_upload(line: Line, spec: BoardSpec, seed: int) -> str:
    """What became of one upload: the board's settings are looked at behind its own decoder, not over the line."""
    rng, chosen = np.random.default_rng(seed), random.Random(seed)
    old, new = random_image(spec, rng), random_image(spec, rng)
    share = LOWEST * (HIGHEST / LOWEST) ** chosen.random()
    faults = LineFaults.parse([f"{KINDS[seed % len(KINDS)]}={share}"])
    digital, analog = new_board(spec)
    Jackfield1Board(LoopbackTransport(digital), spec).apply(old)
    with line(digital, CableOptions(921_600, faults=faults, seed=seed)) as transport:
        try:
            verified = Jackfield1Board(transport, spec).apply(new).verified
        except LinkError as error:
            if same(analog.settings, old):
                return INTACT
            said = "it runs this image or the one before" in str(error)
            return UNSETTLED if said and same(analog.settings, new) else WRONG
    return VERIFIED if verified and same(analog.settings, new) else WRONG


def _over_cable(digital: DigitalBoard, options: CableOptions) -> AbstractContextManager[AbstractTransport]:
    return CableTransport(digital, options)


@contextmanager
def over_pty(folder: Path, digital: DigitalBoard, options: CableOptions) -> Iterator[AbstractTransport]:
    """Behind a name that follows the port through hang-ups."""
    bridge = Bridge(InProcess(digital), options, lambda port: None, path=folder / f"{options.seed}")
    thread = threading.Thread(target=bridge.run)
    thread.start()
    try:
        with open_transport(f"serial://{bridge.port}") as transport:
            yield transport
    finally:
        bridge.stop()
        thread.join()
        bridge.close()
