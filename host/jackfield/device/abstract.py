"""What every board can do, whatever it speaks."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from jackfield.board import BoardSpec, ConfigImage, RunProgram
from jackfield.errors import DesignError
from jackfield.link import AbstractTransport

__all__ = ["AbstractBoard", "BoardStatus", "CommitReport", "Hello", "UploadReport"]


@dataclass(frozen=True)
class Hello:
    """Who a board says it is, and its limits.

    `features` among "flash", "sequence", "baud", "drive"; `frame_bytes` before COBS, `window` frames in flight,
    `inputs` vectors of input memory, times in seconds; `image_crc` of the active image (0: none), `staged_offset` bytes
    held of the transfer with `staged_crc`, `run_number` of the last run.
    """

    board_id: str
    spec_name: str
    spec_digest: str
    firmware: str
    features: tuple[str, ...]
    frame_bytes: int
    window: int
    inputs: int
    sequence_depth: int
    reply_s: float
    flash_s: float
    watchdog_s: float
    image_bytes: int
    image_crc: int
    staged_crc: int
    staged_offset: int
    run_number: int


@dataclass(frozen=True)
class BoardStatus:
    """State of a board: `state` safe, idle, running or holding; why it is safe, or "none".

    `temperature_C` is None where the board cannot tell; `run_number`, `scans`, `outcome` of the last run;
    `slot` of the flash that the board started from, A or B, or ""; `erases` of the flash in its life;
    `broken_frames` since power-up.
    """

    state: str
    safe_reason: str
    temperature_C: float | None
    run_number: int
    scans: int
    outcome: str
    image_crc: int
    slot: str
    erases: int
    broken_frames: int

    @property
    def safe(self) -> bool:
        """Whether the board is in the safe state."""
        return self.state == "safe"


@dataclass(frozen=True)
class UploadReport:
    """What was sent: `kind` whole, delta, steps or none (the board had the image), staged `bytes`, `seconds`.

    `verified`: every code that was sent has been read back and compared.
    """

    kind: str
    bytes: int
    seconds: float
    verified: bool


@dataclass(frozen=True)
class CommitReport:
    """Where an image is kept: flash slot "A" or "B", and how often flash has been erased in the board's life."""

    slot: str
    erases: int


class AbstractBoard(ABC):
    """One connected board. As a context manager it leaves the board safe and the port closed.

    LinkError where the line fails, BoardError where the board refuses, DesignError where the request does
    not fit the board; in each case the board keeps the configuration it had. Only where the line ends for good
    right behind the last request of an apply it may be the new one, all of it and checked: the LinkError says so.
    """

    @classmethod
    @abstractmethod
    def identify(cls, transport: AbstractTransport) -> Hello:
        """Ask who is there, without knowing the board's type; changes nothing."""

    @classmethod
    @abstractmethod
    def make_safe(cls, transport: AbstractTransport) -> None:
        """Safe state at once, without knowing the board's type."""

    @abstractmethod
    def __init__(self, transport: AbstractTransport, spec: BoardSpec) -> None:
        """Connect; BoardError where the board is not of type `spec`. Owns the transport from then on."""

    @property
    @abstractmethod
    def hello(self) -> Hello:
        """What the board said when it was greeted last."""

    @property
    @abstractmethod
    def spec(self) -> BoardSpec:
        """The type of this board."""

    @abstractmethod
    def apply(self, image: ConfigImage) -> UploadReport:
        """Make `image` the configuration, in RAM; only changes travel where the board has an image already."""

    @abstractmethod
    def rollback(self) -> None:
        """Back to the configuration before the last apply."""

    @abstractmethod
    def commit(self) -> CommitReport:
        """Keep the active image in flash for the next power-up. Flash wears out: only for what a person wants kept."""

    @abstractmethod
    def hold_steps(self, images: Sequence[ConfigImage]) -> UploadReport:
        """Have the board hold these images as steps 0, 1, .. from the image applied last on, which stays active.

        A run whose program names a step plays one after the other between its inputs, without the line. The next
        apply forgets them.
        """

    @abstractmethod
    def select_step(self, step: int) -> None:
        """Make a held step the active configuration; rollback brings back the image that was applied last."""

    @abstractmethod
    def read_image(self) -> ConfigImage:
        """The active configuration, read back from the board."""

    @abstractmethod
    def load_inputs(self, codes: NDArray[np.int64], first: int = 0) -> None:
        """Preset codes `[input, node]` into the input memory from vector `first` on."""

    def load_injection(self, codes: NDArray[np.int64], first: int = 0) -> None:
        """Injection codes `[input, point, node]` into the injection memory from input `first` on.

        For runs whose program injects. Raises DesignError on a board without injection DACs.
        """
        raise DesignError(f"currents are to be injected; board {self.spec.name} has no injection DACs")

    @abstractmethod
    def start(self, program: RunProgram, run_number: int | None = None) -> None:
        """Start a run; returns when the board has started. `run_number` keys repeatable noise (None: the next)."""

    @abstractmethod
    def finish(self, timeout: float) -> int:
        """Wait up to `timeout` seconds for the end of the last run; how many inputs were scanned."""

    @abstractmethod
    def status(self) -> BoardStatus:
        """State, temperature and last run; feeds the watchdog."""

    @abstractmethod
    def stop(self) -> None:
        """End a run, then safe state."""

    @abstractmethod
    def safe(self) -> None:
        """Safe state at once; also right after an exchange that was cut off."""

    @abstractmethod
    def reconnect(self, patience_s: float = 10.0) -> None:
        """After the line was gone, find the same board again; the next apply goes on where the last one stopped.

        Waits up to `patience_s` seconds for the port. Raises LinkError where it does not come back, BoardError where
        another board is there.
        """

    @abstractmethod
    def close(self) -> None:
        """Safe state, then give the port back, also where the line is gone (the error is raised afterwards)."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
