"""LUCIDAC over USB or TCP (port 5732): JSON lines of the firmware of 2024, or protobuf of the current one.

What each speaks, and where that is written, stands in json_lines.py and lucidac_proto.py.
"""

import time
from collections.abc import Sequence
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from jackfield.board import BoardSpec, ConfigImage, Measurement, RunProgram
from jackfield.device.abstract import AbstractBoard, BoardStatus, CommitReport, Hello, UploadReport
from jackfield.device.lucidac_config import adc_channels, carrier_config, differing_part, integrators
from jackfield.device.lucidac_proto import ProtoTalk
from jackfield.device.lucidac_run import RunPlan
from jackfield.device.lucidac_talk import JsonTalk, Talk
from jackfield.errors import BoardError, DesignError
from jackfield.link import AbstractTransport

__all__ = ["LucidacBoard", "LucidacProtoBoard"]

SAMPLES: Final = 16  # enough to see on the way that a node leaves its range
WATCHED: Final = 1000
READING_SE_V: Final = 1e-3 / 12**0.5  # readings travel with three decimals
CONVERTER_V: Final = 1.25
RAILED: Final = 0.98


class LucidacBoard(AbstractBoard):
    """A LUCIDAC that speaks JSON lines. It reads its nodes itself: `read_nodes` instead of an oscilloscope."""

    talks: ClassVar[type[JsonTalk] | type[ProtoTalk]] = JsonTalk
    usual_spec: ClassVar[str] = "lucidac-2024"  # of a board that was only asked who it is

    def __init__(self, transport: AbstractTransport, spec: BoardSpec) -> None:
        self._transport = transport
        self._spec = spec
        self._image = self._before = ConfigImage.safe(spec)
        self._steps: list[ConfigImage] = []
        self._inputs = np.full((spec.run.inputs, spec.nodes.count), spec.nodes.preset.middle, dtype=np.int64)
        self._held: Any = None  # what the board is known to hold
        self._readings: list[NDArray[np.float64]] = []
        self._program: RunProgram | None = None
        self._run_number = 0
        try:
            self._talk = type(self).talks(transport, spec)
            self._hello = _hello(self._talk, spec, spec.name)
        except BaseException:
            transport.close()
            raise

    @classmethod
    def identify(cls, transport: AbstractTransport) -> Hello:
        return _hello(cls.talks(transport, None), None, cls.usual_spec)

    @classmethod
    def make_safe(cls, transport: AbstractTransport) -> None:
        cls.talks(transport, None).quiet()

    @property
    def hello(self) -> Hello:
        return self._hello

    @property
    def spec(self) -> BoardSpec:
        return self._spec

    def apply(self, image: ConfigImage) -> UploadReport:
        image.payload(self._spec)  # refuses what is of another spec or out of range
        self._before, self._steps = self._image, []
        return self._take(image, list(range(self._spec.probe.count)))

    def _take(self, image: ConfigImage, channels: list[int]) -> UploadReport:
        """Have the board hold `image` with its converters on outputs `channels`, and read it back."""
        started = time.monotonic()
        config = carrier_config(image, self._inputs[0], channels, self._spec)
        self._held = None
        self._talk.configure(self._hello.board_id, config)
        wrong = differing_part(config, self._talk.held())
        if wrong:
            raise BoardError(
                f"board {self._hello.board_id} holds another {wrong} than was sent; send it again, or check the line"
            )
        self._image, self._held = image, config
        return UploadReport("whole", len(str(config)), time.monotonic() - started, True)

    def rollback(self) -> None:
        self._take(self._before, list(range(self._spec.probe.count)))

    def commit(self) -> CommitReport:
        raise BoardError("a LUCIDAC keeps no image without power; upload it again after power-up, without --keep")

    def hold_steps(self, images: Sequence[ConfigImage]) -> UploadReport:
        if len(images) > self._spec.run.sequence_depth:
            raise DesignError(f"{len(images)} steps are asked, {self._spec.run.sequence_depth} are held; split them")
        for image in images:
            carrier_config(image, self._inputs[0], [0], self._spec)
        self._steps = list(images)  # held here: the board itself has no memory for them
        return UploadReport("steps", 0, 0.0, True)

    def select_step(self, step: int) -> None:
        if not 0 <= step < len(self._steps):
            raise DesignError(f"step {step} is asked, {len(self._steps)} are held; hold them first")
        self._take(self._steps[step], list(range(self._spec.probe.count)))

    def read_image(self) -> ConfigImage:
        if self._held is None:
            raise BoardError("the board's configuration is not known; apply an image first")
        wrong = differing_part(self._held, self._talk.held())
        if wrong:
            raise BoardError(f"the board holds another {wrong} than was sent; apply the image again")
        return self._image.copy()

    def load_inputs(self, codes: NDArray[np.int64], first: int = 0) -> None:
        array = np.asarray(codes, dtype=np.int64)
        last = first + len(array)
        if array.ndim != 2 or array.shape[1] != self._spec.nodes.count or not 0 <= first <= last <= len(self._inputs):
            raise DesignError(
                f"inputs of shape {array.shape} from {first} on are given; the board takes {len(self._inputs)} of "
                f"{self._spec.nodes.count} nodes"
            )
        low, high = self._spec.nodes.preset.code_range
        if array.size and (array.min() < low or array.max() > high):
            raise DesignError(f"preset codes {array.min()}..{array.max()} are given; {low}..{high} are possible")
        self._inputs[first:last] = array

    def start(self, program: RunProgram, run_number: int | None = None) -> None:
        program.check(self._spec)
        if program.mode == "hold_preset":
            raise DesignError("a LUCIDAC holds no preset for a meter; read its nodes with its own converters")
        self._run_number = self._run_number + 1 if run_number is None else run_number
        self._program, self._readings = program, []

    def finish(self, timeout: float) -> int:
        """Plays what `start` has got ready, one input after the other: the board knows one initial value at a time."""
        program = self._program
        if program is None:
            raise BoardError("no run was started; start one first")
        self._program = None
        nodes = [node for probe in program.scan for node in probe]
        channels = adc_channels(nodes, self._spec)
        deadline = time.monotonic() + timeout * program.count
        for number in range(program.count):
            if time.monotonic() > deadline:
                raise BoardError(f"{number} of {program.count} inputs were played in time; allow more")
            if program.step:
                self._take(self._steps[program.step - 1 + number], channels)
            samples = self._play(program, channels, program.first + number)
            self._readings.append(samples[:, [channels.index(node - 1) for node in nodes]])
        return program.count

    def _play(self, program: RunProgram, channels: list[int], entry: int) -> NDArray[np.float64]:
        if self._held is None or self._held["adc_channels"] != channels:
            self._take(self._image, channels)
        elements = integrators(self._image, self._inputs[entry], self._spec)
        if elements != self._held["/0"]["/M0"]:
            self._talk.start_from(self._hello.board_id, elements)
            self._held["/0"]["/M0"] = elements
        slow = any(element["k"] < 1000 for element in elements["elements"])
        op_s = sum(ticks for _, ticks in program.steps) * self._spec.run.tick_s
        samples = WATCHED if program.mode == "watch" else SAMPLES
        return self._talk.play(RunPlan.of(op_s, slow, len(channels), samples))

    def read_nodes(self, program: RunProgram, run_number: int | None = None) -> Measurement:
        """Play inputs that are loaded, and what the board's converters read at the end of each run."""
        self.start(program, run_number)
        count = self.finish(20.0)
        ends = np.array([samples[-1] for samples in self._readings])
        largest = np.array([np.abs(samples).max(axis=0) for samples in self._readings])
        rail = max(abs(volts) for volts in self._spec.nodes.rail_V)
        probes = (count, self._spec.probe.count)
        return Measurement(
            nodes=tuple(node for probe in program.scan for node in probe),
            values_V=ends,
            se_V=np.full(ends.shape, READING_SE_V),
            clipped=np.abs(ends) >= CONVERTER_V - 2e-3,
            railed=largest > RAILED * rail,
            ground_V=np.zeros(probes),
            reference_V=np.full(probes, self._spec.probe.reference_V),
            clock_ratio=1.0,
        )

    def watch_nodes(
        self, program: RunProgram, run_number: int | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Times in s and volts `[node, time]` of one run, from its begin to its end."""
        self.start(program, run_number)
        self.finish(20.0)
        samples = self._readings[0]
        op_s = sum(ticks for _, ticks in program.steps) * self._spec.run.tick_s
        return np.linspace(0.0, op_s, len(samples)), np.ascontiguousarray(samples.T)

    def status(self) -> BoardStatus:
        self._talk.who()
        state = "safe" if self._held is None else "idle"
        reason = "none" if self._held else "nothing is configured"
        return BoardStatus(
            state, reason, None, self._run_number, len(self._readings), "complete", 0, "", 0, self._talk.unreadable
        )

    def stop(self) -> None:
        self.safe()

    def safe(self) -> None:
        self._held = None
        self._talk.quiet()

    def reconnect(self, patience_s: float = 10.0) -> None:
        known = self._hello.board_id
        self._transport.reconnect(patience_s)
        self._talk = type(self).talks(self._transport, self._spec)
        self._held = None
        self._hello = _hello(self._talk, self._spec, self._spec.name)
        if self._hello.board_id != known:
            raise BoardError(f"board {known} was connected, board {self._hello.board_id} is now; connect the former")

    def close(self) -> None:
        try:
            self.safe()
        finally:
            self._transport.close()


class LucidacProtoBoard(LucidacBoard):
    """A LUCIDAC with the current firmware, which speaks protobuf over TCP."""

    talks = ProtoTalk
    usual_spec = "lucidac-2025"


def _hello(talk: Talk, spec: BoardSpec | None, spec_name: str) -> Hello:
    """The board is named by its network address."""
    address, firmware = talk.who()
    return Hello(
        board_id=address,
        spec_name=spec_name,
        spec_digest=spec.digest if spec else "",
        firmware=firmware,
        features=(),
        frame_bytes=4096,
        window=1,
        inputs=spec.run.inputs if spec else 0,
        sequence_depth=spec.run.sequence_depth if spec else 0,
        reply_s=2.0,
        flash_s=0.0,
        watchdog_s=0.0,
        image_bytes=spec.payload_bytes if spec else 0,
        image_crc=0,
        staged_crc=0,
        staged_offset=0,
        run_number=0,
    )
