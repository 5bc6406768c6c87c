"""A whole bench in this process: the emulated board and oscilloscope without serial line, sockets or processes.

The driver talks SCPI to the instrument's own core and the decoder reads its waveforms, so that readings are as on the
emulated bench; only the wire to the board is left out. Truth is at hand, for scoring alone.
"""

import zlib
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jackfield.bench import Bench, ChannelEntry, KeysightInfiniiVision, ScopeEntry, TriggerEntry, Wiring
from jackfield.board import BoardSpec, ConfigImage, RunProgram
from jackfield.emulator import AnalogBoard, KeysightScope, Settings, truth

__all__ = ["Memory", "open_here"]


class Memory:
    """A run folder that forgets."""

    def __init__(self) -> None:
        self._kept: dict[str, Mapping[str, NDArray[Any]]] = {}

    def store(self, key: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Keep one reading."""
        self._kept[key] = arrays

    def reading(self, key: str) -> Mapping[str, NDArray[Any]] | None:
        """The reading under `key`."""
        return self._kept.get(key)


class _Board:
    """What a bench and a calibration need of a board, straight on the analog half."""

    def __init__(self, analog: AnalogBoard) -> None:
        self._analog = analog
        self.hello = SimpleNamespace(board_id=f"HERE-{analog.randomness.profile}-{analog.randomness.seed}")
        self._inputs = np.zeros((analog.spec.run.inputs, analog.spec.nodes.count), dtype=np.int64)
        injection = analog.spec.nodes.injection
        points = injection.points if injection else 0
        self._injection = np.zeros((analog.spec.run.inputs, points, analog.spec.nodes.count), dtype=np.int64)
        self._crc = self._scans = self._run = 0

    @property
    def busy_s(self) -> float:
        """What the board's runs and scans took so far."""
        return self._analog.time_s

    def apply(self, image: ConfigImage) -> None:
        arrays = (image.enable, image.source, image.destination, *image.codes.values(), image.trim)
        self._crc = 0
        for array in arrays:
            self._crc = zlib.crc32(np.ascontiguousarray(array).data, self._crc)
        routes = image.source.astype(np.int64), image.destination.astype(np.int64)
        self._analog.configure(Settings(image.enable.copy(), *routes, dict(image.codes), image.trim.copy()))

    def load_inputs(self, codes: NDArray[np.int64], first: int = 0) -> None:
        self._inputs[first : first + len(codes)] = codes

    def load_injection(self, codes: NDArray[np.int64], first: int = 0) -> None:
        self._injection[first : first + len(codes)] = codes

    def start(self, program: RunProgram, run_number: int | None = None) -> None:
        here = slice(program.first, program.first + program.count)
        injection = self._injection[here] if program.inject else None
        self._run = self._run + 1 if run_number is None else run_number  # noise of its own in each run, as on the wire
        self._analog.run(program, self._inputs[here], self._crc, self._run, (), injection)
        self._scans = program.count

    def finish(self, timeout_s: float) -> int:
        return self._scans

    def safe(self) -> None:
        self._analog.safe()


class _Session:
    """The part of a VISA session that the driver uses, on the instrument's own core."""

    generation, timeout_s = 1, 5.0

    def __init__(self, scope: KeysightScope) -> None:
        self._core = scope.core
        self.identity = ""

    def identify(self, pattern: str) -> str:
        self.identity = self.query("*IDN?")
        return self.identity

    def write(self, command: str) -> None:
        self._core.execute(command)

    def configure(self, *commands: str) -> None:
        for command in commands:
            self._core.execute(command)

    def query(self, command: str) -> str:
        answer = self._core.execute(command)
        assert answer is not None, command
        return answer.decode().strip()

    def query_number(self, command: str) -> float:
        return float(self.query(command))

    def query_block(self, command: str) -> bytes:
        answer = self._core.execute(command)
        assert answer is not None, command
        digits = int(answer[1:2])
        return answer[2 + digits : 2 + digits + int(answer[2 : 2 + digits])]

    def close(self) -> None:
        return


class _Meter:
    def __init__(self, analog: AnalogBoard) -> None:
        self._analog = analog
        self.identity = "emulated"

    def read_volts(self) -> float:
        return self._analog.reference()[0]


def open_here(
    spec: BoardSpec, profile: str, seed: int, *, mode: str = "high-resolution", **options: Any
) -> tuple[Bench[Any], dict[str, Any]]:
    """The bench of one board and its truth; `options` go to AnalogBoard."""
    wire: list[KeysightScope] = []
    analog = AnalogBoard(spec, profile, seed, listener=lambda trace: wire[0].trigger(trace), **options)
    wire.append(KeysightScope(analog.randomness))
    channels = tuple(ChannelEntry(n, n, 1.0, "DC", 1e6, True) for n in range(1, spec.probe.count + 1))
    pulse = spec.probe.trigger
    entry = ScopeEntry(
        "keysight-infiniivision", "here", "@py", 5.0, mode, channels, TriggerEntry("EXT", pulse.level_V, pulse.edge)
    )
    digitizer = KeysightInfiniiVision(_Session(wire[0]), entry)  # type: ignore[arg-type]
    wiring = Wiring({n: n for n in range(1, spec.probe.count + 1)})
    return Bench(_Board(analog), digitizer, _Meter(analog), wiring, spec), truth(analog)  # type: ignore[arg-type]
