"""A third party's board in one file: copy it, name your board, fill in your lines; acme-2.toml beside it is the spec.

In your package's pyproject.toml:

    [project.entry-points."jackfield.dialect"]
    acme-lines = "acme_board:AcmeBoard"
    [project.entry-points."jackfield.board"]
    acme = "acme_board:spec_folder"

Then `jackfield boards list` shows it, `jackfield conformance --board acme-2 --port /dev/ttyUSB0` says whether it keeps
its promises, and every verb and script works on it.
"""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jackfield.board import BoardSpec, ConfigImage, RunProgram
from jackfield.device import AbstractBoard, BoardStatus, CommitReport, Hello, UploadReport
from jackfield.errors import BoardError, DesignError, LinkError
from jackfield.link import AbstractTransport

REPLY_S = 1.0


def spec_folder() -> Path:
    """Where the board specs of this package are."""
    return Path(__file__).parent


class AcmeBoard(AbstractBoard):
    """Text lines, one answer each: `ID?`, `SET hex`, `GET?`, `IN n hex`, `RUN first count ticks scan`, `SAFE`."""

    def __init__(self, transport: AbstractTransport, spec: BoardSpec) -> None:
        self._transport, self._spec = transport, spec
        self._before = self._image = ConfigImage.safe(spec)
        self._steps: list[ConfigImage] = []
        self._is_safe, self._started, self._run_number = True, 0, 0
        try:
            self._hello = _hello(_ask(transport, "ID?"), spec)
        except BaseException:
            transport.close()
            raise

    @classmethod
    def identify(cls, transport: AbstractTransport) -> Hello:
        return _hello(_ask(transport, "ID?"), None)

    @classmethod
    def make_safe(cls, transport: AbstractTransport) -> None:
        _ask(transport, "SAFE")

    @property
    def hello(self) -> Hello:
        return self._hello

    @property
    def spec(self) -> BoardSpec:
        return self._spec

    def apply(self, image: ConfigImage) -> UploadReport:
        started, payload = time.monotonic(), image.payload(self._spec)  # refuses what does not fit the spec
        self._send(payload)
        self._before, self._image = self._image, image.copy()
        return UploadReport("whole", len(payload), time.monotonic() - started, verified=True)

    def _send(self, payload: bytes) -> None:
        _ask(self._transport, f"SET {payload.hex()}")
        if _ask(self._transport, "GET?") != payload.hex():
            raise BoardError(f"board {self._hello.board_id} holds other codes than were sent; send them again")
        self._is_safe = False

    def rollback(self) -> None:
        self._send(self._before.payload(self._spec))
        self._image = self._before

    def commit(self) -> CommitReport:
        raise BoardError("this board keeps no image without power; upload it again after power-up")

    def hold_steps(self, images: Sequence[ConfigImage]) -> UploadReport:
        if len(images) > self._spec.run.sequence_depth:
            raise DesignError(
                f"{len(images)} steps are asked, {self._spec.run.sequence_depth} are possible; split them"
            )
        self._steps = [image.copy() for image in images]
        return UploadReport("steps", 0, 0.0, verified=True)

    def select_step(self, step: int) -> None:
        self._send(self._steps[step].payload(self._spec))

    def read_image(self) -> ConfigImage:
        return ConfigImage.from_payload(self._spec, bytes.fromhex(_ask(self._transport, "GET?")))

    def load_inputs(self, codes: NDArray[np.int64], first: int = 0) -> None:
        nodes, memory = self._spec.nodes, self._spec.run.inputs
        if codes.ndim != 2 or codes.shape[1] != nodes.count or not 0 <= first <= memory - len(codes):
            raise DesignError(f"inputs {codes.shape} from {first} on; {memory} of {nodes.count} nodes are possible")
        low, high = nodes.preset.code_range
        if codes.min() < low or codes.max() > high:
            raise DesignError(f"preset codes {codes.min()}..{codes.max()}; {low}..{high} are possible")
        for number, row in enumerate(codes, start=first):
            _ask(self._transport, f"IN {number} {bytes(row.tolist()).hex()}")

    def start(self, program: RunProgram, run_number: int | None = None) -> None:
        program.check(self._spec)
        ticks = sum(ticks for _, ticks in program.steps)
        scan = ",".join(str(node) for node in program.scan[0])
        _ask(self._transport, f"RUN {program.first} {program.count} {ticks} {scan}")
        self._started = program.count
        self._run_number = self._run_number + 1 if run_number is None else run_number

    def finish(self, timeout: float) -> int:
        return int(_ask(self._transport, "DONE?", timeout))

    def status(self) -> BoardStatus:
        _ask(self._transport, "ID?")
        state = "safe" if self._is_safe else "idle"
        return BoardStatus(state, "none", None, self._run_number, self._started, "complete", 0, "", 0, 0)

    def stop(self) -> None:
        self.safe()

    def safe(self) -> None:
        _ask(self._transport, "SAFE")
        self._is_safe = True

    def reconnect(self, patience_s: float = 10.0) -> None:
        self._transport.reconnect(patience_s)
        self._hello = _hello(_ask(self._transport, "ID?"), self._spec)

    def close(self) -> None:
        try:
            self.safe()
        finally:
            self._transport.close()


def _ask(transport: AbstractTransport, line: str, timeout_s: float = REPLY_S) -> str:
    """The answer to one line; BoardError where it begins with `ERR`, LinkError where none comes in time."""
    transport.write(line.encode() + b"\n")
    deadline, answer = transport.now() + timeout_s, bytearray()
    while not answer.endswith(b"\n"):
        left = deadline - transport.now()
        if left <= 0:
            raise LinkError(f"{transport.name} did not answer {line!r} within {timeout_s:g} s; check cable and power")
        answer += transport.read(left)
    text = answer.decode("ascii", "replace").strip()
    if text.startswith("ERR"):
        raise BoardError(f"the board refuses {line.split()[0]}: {text}")
    return text


def _hello(identity: str, spec: BoardSpec | None) -> Hello:
    """From `acme-2,serial number,firmware`; BoardError where the board is of another type than `spec`."""
    name, _, rest = identity.partition(",")
    board_id, _, firmware = rest.partition(",")
    if spec is not None and name != spec.name:
        raise BoardError(f"a board {name!r} is connected, {spec.name} is asked; name its spec")
    run = spec.run if spec else None
    return Hello(
        board_id, name, spec.digest if spec else "", firmware, (), 256, 1, run.inputs if run else 0,
        run.sequence_depth if run else 0, REPLY_S, 0.0, 0.0, spec.payload_bytes if spec else 0, 0, 0, 0, 0,
    )  # fmt: skip
