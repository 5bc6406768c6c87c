from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from numpy.typing import NDArray

from jackfield.board import BoardSpec, ConfigImage, RunProgram
from jackfield.device import Jackfield1Board
from jackfield.emulator.digital import DigitalBoard
from jackfield.emulator.settings import Settings
from jackfield.testing import LoopbackTransport


@dataclass
class Analog:
    """Notes what the digital half tells it."""

    settings: Settings | None = None
    runs: list[tuple[RunProgram, NDArray[np.int64], int, int]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    steps: tuple[Settings, ...] = ()

    def configure(self, settings: Settings) -> None:
        self.settings = settings
        self.calls.append("configure")

    def run(
        self,
        program: RunProgram,
        inputs: NDArray[np.int64],
        image_crc: int,
        run_number: int,
        steps: Sequence[Settings] = (),
        injection: NDArray[np.int64] | None = None,
    ) -> None:
        self.steps = tuple(steps)
        self.runs.append((program, inputs, image_crc, run_number))
        self.calls.append("run")

    def safe(self) -> None:
        self.calls.append("safe")


@dataclass
class Clock:
    """Time that goes on when told."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


class Line(LoopbackTransport):
    """A loopback that can be cut: after `frames_left` more frames nothing reaches the board, or an interrupt comes.

    While `deaf`, answers are lost, until a session is opened.
    """

    closed = False
    frames_left: int | None = None
    interrupt = False
    deaf = False

    def read(self, timeout_s: float) -> bytes:
        data = super().read(timeout_s)
        return b"" if self.deaf else data

    def write(self, data: bytes) -> None:
        self.deaf = self.deaf and not data.startswith(b"\0")
        if self.frames_left is None:
            return super().write(data)
        frames = data.split(b"\0")[: self.frames_left]
        self.frames_left = max(self.frames_left - data.count(0), 0)
        super().write(b"\0".join([*frames, b""]) if frames else b"")
        if self.frames_left == 0 and self.interrupt:
            self.frames_left, self.interrupt = None, False
            raise KeyboardInterrupt
        return None

    def close(self) -> None:
        self.closed = True


class Rig:
    """A driver, a line and the digital half of an emulated board."""

    def __init__(self, spec: BoardSpec) -> None:
        self.spec = spec
        self.analog, self.clock = Analog(), Clock()
        self.line = Line(self.new_board())
        self.board = Jackfield1Board(self.line, spec)
        self.board._exchange.reply_s = 0.02

    def new_board(self) -> DigitalBoard:
        self.digital = DigitalBoard(self.spec, self.analog, self.clock, "5A31-0007", lambda: 31.25)
        return self.digital

    def power_cycle(self) -> None:
        self.line._board = self.new_board()

    def image(self, seed: int, cells: int | None = None) -> ConfigImage:
        """A random image, or the safe one with `cells` random changes in bank 0."""
        return random_image(self.spec, seed, cells)

    def program(self, count: int = 1, mode: str = "run") -> RunProgram:
        return RunProgram(((0, 100), (1, 50)), ((1,), (2,)), count=count, mode=mode)


def random_image(spec: BoardSpec, seed: int, cells: int | None = None) -> ConfigImage:
    rng = np.random.default_rng(seed)
    image = ConfigImage.safe(spec).copy()
    for bank in range(spec.run.banks if cells is None else 1):
        for group in spec.groups:
            chosen = rng.permutation(group.count)[:cells]
            at = bank, group.first + chosen
            image.enable[at] = True
            image.source[at] = group.reach.decode("source", rng.integers(0, 3, group.count))[chosen]
            image.destination[at] = group.reach.decode("destination", rng.integers(0, 3, group.count))[chosen]
            for name, scale in group.parameters.items():
                image.codes[name][at] = rng.integers(*scale.code_range, endpoint=True, size=chosen.size)
        image.trim[bank] = rng.integers(*spec.nodes.trim.code_range, endpoint=True, size=spec.nodes.count)
    return image


def assert_holds(settings: Settings | None, image: ConfigImage) -> None:
    """What the board's own decoder made of the bytes is what the host meant, code by code."""
    assert settings is not None
    for name in ("enable", "source", "destination", "trim"):
        np.testing.assert_array_equal(getattr(settings, name), getattr(image, name), err_msg=name)
    assert settings.codes.keys() == image.codes.keys()
    for name, codes in image.codes.items():
        np.testing.assert_array_equal(settings.codes[name], codes, err_msg=name)


@pytest.fixture
def holds() -> Callable[[Settings | None, ConfigImage], None]:
    return assert_holds


@pytest.fixture
def rig(jf16: BoardSpec) -> Rig:
    return Rig(jf16)


@pytest.fixture
def rig96(jf96: BoardSpec) -> Rig:
    return Rig(jf96)
