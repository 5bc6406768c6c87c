"""The link: faults, power cuts, garbage, how full the line is, and what travels twice.

Line time is the cable's own, counted and not waited for: the same on every machine.
"""

import random
import select
import tempfile
import time
from pathlib import Path

import numpy as np
from benchmarks._link_boards import CountingCable, link_row, new_board, random_image, same
from benchmarks._link_faults import cable_uploads, over_pty, pty_uploads
from benchmarks._rows import Parts, Row

from jackfield.board import BoardSpec, ConfigImage
from jackfield.device import Jackfield1Board
from jackfield.device.upload import Upload
from jackfield.errors import LinkError
from jackfield.link import CableOptions, Exchange, open_transport
from jackfield.link import messages as m
from jackfield.link.bridge_ends import BoardEnd, connected
from jackfield.link.framing import encode_request
from jackfield.session import load_spec
from jackfield.testing.firmware import (
    FirmwareLibrary,
    build_library,
    build_process,
    firmware_process,
    missing_tools,
)
from jackfield.testing.power_cuts import power_cuts

BAUDS = (115_200, 921_600, 12_000_000)
TURNAROUND_S = 4e-3
EFFICIENCY, OVER_THE_LINE, WITH_READBACK_S, DELTA_SHARE, BIG_S = 0.77, 1.03, 1.6, 0.03, 8.0
GARBAGE_PIECE = 1 << 16
STUCK_S = 10.0


def parts(quick: bool) -> Parts:
    """Quick ones do a tenth of the faults, garbage and pairs."""
    return {
        "cable": lambda: [cable_uploads(1_000 if quick else 10_000)],
        "pty": lambda: [pty_uploads(100 if quick else 1_000)],
        "firmware": lambda: _firmware_rows(200 if quick else 2_000, 10 if quick else 50),
        "efficiency": lambda: map(_efficiency, BAUDS),
        "jf96": _jf96_rows,
        "jf1024": lambda: [_jf1024_row()],
        "sent_twice": lambda: [_sent_twice(20 if quick else 100)],
    }


def _firmware_rows(pairs: int, megabytes: int) -> list[Row]:
    spec = load_spec("jf16")
    if missing := missing_tools("gcc"):
        return [link_row(name, missing, 0.0, "-", "a C compiler", False) for name in ("power_cuts", "garbage_MB")]
    with tempfile.TemporaryDirectory(prefix="jackfield-") as folder:
        library = FirmwareLibrary(build_library(spec, Path(folder)))
        found = power_cuts(library, spec, pairs, seed=1)
        workload = f"{found.operations} flash operations of a commit, {pairs} pairs: {found.cuts} cuts"
        wrong = len(found.wrong)
        cuts = link_row("power_cuts", workload, float(wrong), "wrong boards", "0", wrong == 0 and found.cuts >= pairs)
        return [cuts, _garbage(spec, build_process(spec, Path(folder)), megabytes)]


def _garbage(spec: BoardSpec, program: Path, megabytes: int) -> Row:
    rng, image = random.Random(5), random_image(spec, np.random.default_rng(5))
    begin, verified, why = time.monotonic(), False, ""
    try:
        with firmware_process(program) as port:
            line = connected(f"serial://{port}")
            for _ in range(megabytes * 1_000_000 // GARBAGE_PIECE + 1):
                _pour(line, rng.randbytes(GARBAGE_PIECE) if rng.random() < 0.5 else _mutated(rng))
            line.close()
            with Jackfield1Board(open_transport(f"serial://{port}"), spec) as board:
                verified = board.apply(image).verified
    except (LinkError, OSError) as error:
        verified, why = False, f": {error}"
    workload = f"noise and mutated frames into the sanitizer build, {time.monotonic() - begin:.0f} s, then upload{why}"
    return link_row("garbage_MB", workload, float(megabytes), "MB", "survives, then verifies", verified)


def _pour(line: BoardEnd, data: bytes) -> None:
    """Write all of it, and read what comes meanwhile: a board that may not answer stops listening."""
    line.write(data)
    while line.full:
        readable, writable, _ = select.select([line.descriptor], [line.descriptor], [], STUCK_S)
        if readable:
            line.read()
        if writable:
            line.write(b"")
        if not readable and not writable:
            raise LinkError(f"the board took nothing for {STUCK_S:g} s")


def _mutated(rng: random.Random) -> bytes:
    """Good frames of every message with random payloads, every third with a byte or two changed; no run, no commit."""
    numbers = [layout.number for kind, layout in m.LAYOUTS.items() if layout.number < 0x80 and kind is not m.Commit]
    data = bytearray()
    while len(data) < GARBAGE_PIECE:
        frame = bytearray(encode_request(rng.choice(numbers), rng.randrange(64), rng.randbytes(rng.randrange(60))))
        for _ in range(rng.choice((0, 0, 1, 2))):
            frame[rng.randrange(len(frame))] = rng.randrange(256)
        data += frame
    return bytes(data)


def _efficiency(baud: int) -> Row:
    spec = load_spec("jf96")
    image = random_image(spec, np.random.default_rng(1))
    size = spec.payload_bytes
    shares = []
    for upload in (_windowed, _stop_and_wait):
        cable = CountingCable(new_board(spec)[0], CableOptions(baud, TURNAROUND_S))
        upload(cable, spec, image)
        assert cable.data_begin is not None
        shares.append(8 * size / ((cable.data_end - cable.data_begin) * baud))
    ours, theirs = shares
    row = link_row(
        f"efficiency at {baud}",
        f"payload bits / line bits of the data phase, jf96 image, {1000 * TURNAROUND_S:g} ms turnaround",
        ours,
        "share",
        f"at least {EFFICIENCY:g}",
        ours >= EFFICIENCY,
    )
    return row | {"against": "stop_and_wait", "theirs": theirs, "ratio": ours / theirs}


def _windowed(cable: CountingCable, spec: BoardSpec, image: ConfigImage) -> None:
    Jackfield1Board(cable, spec).apply(image)


def _stop_and_wait(cable: CountingCable, spec: BoardSpec, image: ConfigImage) -> None:
    """The same frames, each sent when the one before it has been acknowledged."""
    exchange, upload = Exchange(cable), Upload(None, image.payload(spec), spec.link.frame_bytes)
    exchange.start(lambda nonce: m.Hello(1, nonce))
    transfer = exchange.next_sequence
    for request in (upload.begin, *upload.data(transfer, 0), m.StageEnd(), m.Apply()):
        exchange.ask([request])


def _jf96_rows() -> list[Row]:
    spec, baud, rng = load_spec("jf96"), 921_600, np.random.default_rng(2)
    image = random_image(spec, rng)
    cable = CountingCable(new_board(spec)[0], CableOptions(baud, TURNAROUND_S))
    board = Jackfield1Board(cable, spec)
    begin = cable.now()
    board.apply(image)
    everything, whole = cable.now() - begin, cable.sent
    upload = Upload(None, image.payload(spec), spec.link.frame_bytes)
    frames = [encode_request(0x11, 300, m.LAYOUTS[m.StageData].pack(data)) for data in upload.data(300, 0)]
    assert cable.data_begin is not None
    over = (cable.data_end - cable.data_begin) / (sum(map(len, frames)) * 10 / baud)
    report = board.apply(random_image(spec, rng, share=0.01, base=image))
    staged = report.bytes / spec.payload_bytes
    workload = f"jf96 image at {baud} baud, {1000 * TURNAROUND_S:g} ms turnaround"
    return [
        link_row("jf96 data phase", workload, over, "of the line", f"at most {OVER_THE_LINE:g}", over <= OVER_THE_LINE),
        link_row(
            "jf96 line time", workload, everything, "s", f"under {WITH_READBACK_S:g}", everything < WITH_READBACK_S
        ),
        link_row(
            "delta bytes",
            f"1 % of the cells of both banks: {report.bytes} bytes staged; line {(cable.sent - whole) / whole:.4f}",
            staged,
            "share",
            f"at most {DELTA_SHARE:g}",
            report.kind == "delta" and staged <= DELTA_SHARE,
        ),
    ]


def _jf1024_row() -> Row:
    spec = load_spec("jf1024")
    image = random_image(spec, np.random.default_rng(3))
    digital, analog = new_board(spec)
    with (
        tempfile.TemporaryDirectory(prefix="jackfield-") as folder,
        over_pty(Path(folder), digital, CableOptions()) as transport,
        Jackfield1Board(transport, spec) as board,
    ):
        begin = time.perf_counter()
        report = board.apply(image)
        seconds = time.perf_counter() - begin
    right = report.verified and same(analog.settings, image)
    workload = f"2 banks x 262,144 settings, {report.bytes} bytes over a pty, wall time"
    return link_row("jf1024 upload", workload, seconds, "s", f"under {BIG_S:g}, verified", right and seconds < BIG_S)


def _sent_twice(count: int) -> Row:
    spec, worst = load_spec("jf96"), 0
    image = random_image(spec, np.random.default_rng(4))
    for seed in range(count):
        cable = CountingCable(new_board(spec)[0], CableOptions(921_600, TURNAROUND_S))
        board = Jackfield1Board(cable, spec)
        cable.pull_in(random.Random(seed).uniform(0.01, 1.4))
        assert board.apply(image).verified
        worst = max(worst, cable.staged - spec.payload_bytes)
    bar = (spec.link.window + 1) * spec.link.frame_bytes
    workload = f"jf96 upload or readback, cable pulled once, {count} places"
    return link_row("sent_twice", workload, float(worst), "bytes", f"at most {bar}", worst <= bar)
