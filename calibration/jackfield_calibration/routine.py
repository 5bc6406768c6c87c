"""What a calibration asks of the board: settings to make and records to read, each read once and kept."""

import zlib
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from jackfield.bench import Phasors, Trace
from jackfield.board import BoardSpec, ConfigImage, Measurement, RunProgram, hold_times

__all__ = ["Bench", "Journal", "Reading", "Routine", "Setting", "scan_lists", "scans_of_all"]

_REQUEST_BYTES = 64  # of a frame: header, run, a step or two, the counts of the scan lists

Array = NDArray[Any]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]


class _Board(Protocol):
    def apply(self, image: ConfigImage) -> object: ...

    def load_inputs(self, codes: Integers, first: int = 0) -> None: ...


class Bench(Protocol):
    """What calibration needs of a bench: a board that takes images, records of its nodes, its reference."""

    @property
    def board(self) -> _Board: ...

    def measure(self, input_codes: Integers, program: RunProgram, run_number: int | None = None) -> Measurement: ...

    def phasors(self, input_codes: Integers, program: RunProgram, run_number: int | None = None) -> Phasors: ...

    def watch(self, program: RunProgram, run_number: int | None = None) -> Trace: ...

    def reference_V(self) -> float: ...


class Journal(Protocol):
    """What calibration needs of a run folder: every reading on disk before it is used."""

    def store(self, key: str, arrays: Mapping[str, Array]) -> None: ...

    def reading(self, key: str) -> Mapping[str, Array] | None: ...


@dataclass(frozen=True)
class Setting:
    """One image, the preset codes `inputs[input, node]` and the program of one record, under one name."""

    key: str
    image: ConfigImage
    inputs: Integers
    program: RunProgram

    @property
    def reads(self) -> int:
        """Settled slots that this record reads."""
        return len(self.inputs) * sum(len(nodes) for nodes in self.program.scan)

    @property
    def digest(self) -> Integers:
        """A check number of all that is set, `[1]`: kept with the reading, compared when a run is resumed."""
        image = self.image
        arrays = (image.enable, image.source, image.destination, *image.codes.values(), image.trim, self.inputs)
        number = zlib.crc32(repr(self.program).encode())
        for array in arrays:
            number = zlib.crc32(np.ascontiguousarray(array).data, number)
        return np.array([number], dtype=np.int64)


@dataclass(frozen=True)
class Reading:
    """Node voltages `[input, node]` of all nodes of the board (NaN where not scanned), volts at the reference.

    `se` from the scatter within a slot, `usable` where neither clipped nor railed; `held_s[node]` is the time
    from HOLD to when the node was read (`jackfield.board.hold_times`). `ground` and `reference` are `[input, probe]`;
    `scan` lists the nodes of each probe, slot after slot.
    """

    values: Floats
    se: Floats
    usable: Flags
    held_s: Floats
    ground: Floats
    reference: Floats
    scan: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, spec: BoardSpec, program: RunProgram, arrays: Mapping[str, Array]) -> "Reading":
        """The reading that the journal holds as `arrays`."""
        at = arrays["nodes"] - 1
        shape = (len(arrays["values_V"]), spec.nodes.count)
        values, se, usable = np.full(shape, np.nan), np.full(shape, np.nan), np.zeros(shape, dtype=np.bool_)
        values[:, at], se[:, at] = arrays["values_V"], arrays["se_V"]
        bad = arrays["clipped"] | arrays["railed"] | ~np.isfinite(arrays["values_V"])
        usable[:, at] = ~bad
        held = hold_times(spec, program)
        return cls(values, se, usable, held, arrays["ground_V"], arrays["reference_V"], program.scan)


class Routine(ABC):
    """One step of a calibration: the settings it makes, in order, all known before its first reading."""

    name: str

    @abstractmethod
    def settings(self) -> Iterator[Setting]:
        """The records to read, each under a key of its own."""


def scan_lists(
    spec: BoardSpec, nodes: Integers, stuck: Collection[tuple[int, int]] = ()
) -> tuple[tuple[int, ...], ...]:
    """`nodes` dealt out to the board's probes, in turn, none through a switch `stuck` (probe and node from 0) if it
    can take its turn with a node of another probe.
    """
    lists = [[int(node) for node in nodes[probe :: spec.probe.count]] for probe in range(spec.probe.count)]
    for probe, node in sorted(stuck):
        if node + 1 in lists[probe]:
            here = lists[probe].index(node + 1)
            turns = [
                (abs(slot - here), other, slot)
                for other, scanned in enumerate(lists)
                for slot, theirs in enumerate(scanned)
                if (other, node) not in stuck and (probe, theirs - 1) not in stuck
            ]
            if turns:
                _, other, slot = min(turns)
                lists[probe][here], lists[other][slot] = lists[other][slot], lists[probe][here]
    return tuple(tuple(scanned) for scanned in lists)


def scans_of_all(spec: BoardSpec, nodes: Integers) -> list[tuple[tuple[int, ...], ...]]:
    """`scan_lists` of `nodes`, in as many parts as it takes for each to fit one run request.

    Parts hold a multiple of the probes: whose turn a node is follows from its place among all.
    """
    probes, most = spec.probe.count, (spec.link.frame_bytes - _REQUEST_BYTES) // 2
    parts = -(-len(nodes) // (most // probes * probes))
    size = -(-len(nodes) // (parts * probes)) * probes
    return [scan_lists(spec, nodes[first : first + size]) for first in range(0, len(nodes), size)]


def arrays_of(measurement: Measurement) -> dict[str, Array]:
    """What the journal keeps of one record."""
    return {
        "nodes": np.asarray(measurement.nodes, dtype=np.int64),
        "values_V": np.asarray(measurement.values_V, dtype=np.float64),
        "se_V": np.asarray(measurement.se_V, dtype=np.float64),
        "clipped": np.asarray(measurement.clipped, dtype=np.bool_),
        "railed": np.asarray(measurement.railed, dtype=np.bool_),
        "ground_V": np.asarray(measurement.ground_V, dtype=np.float64),
        "reference_V": np.asarray(measurement.reference_V, dtype=np.float64),
        "clock_ratio": np.array([measurement.clock_ratio], dtype=np.float64),
    }
