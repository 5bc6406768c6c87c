"""A board, its instruments and the wiring between them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar, final, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from jackfield.bench.benchfile import BOARD_PATIENCE_S
from jackfield.bench.decode import Trace, decode, decode_watch
from jackfield.bench.digitizer import AbstractDigitizer, Acquisition, Waveform
from jackfield.bench.lock_in import Phasors, decode_phasors
from jackfield.bench.scanner import AbstractScanner
from jackfield.bench.source import AbstractSource
from jackfield.bench.voltmeter import AbstractVoltmeter
from jackfield.board import BoardSpec, Measurement, RunProgram, Schedule, schedule
from jackfield.errors import BoardError, DesignError, JackfieldError

__all__ = ["Bench", "PlayingBoard", "SelfReadingBoard", "Wiring", "record_samples"]

SAMPLES_PER_SLOT = 40
SAMPLES_PER_PERIOD = 20  # of nodes that oscillate
SHORTEST_RECORD = 10_000  # samples: as quickly read as fewer, and a short batch is read more precisely
CLOCK_MARGIN = 500e-6  # by how much the instrument's seconds may be longer than the board's
SCREEN_MARGIN = 1.05  # of rail and reference, for the gain and offset errors of an instrument
CLIP_REPEATS = 4
TRIGGER_PATIENCE_S = 5.0

Result = TypeVar("Result", Measurement, Phasors, Trace)
BoardType = TypeVar("BoardType", bound="PlayingBoard")


class PlayingBoard(Protocol):
    """What a bench needs of a board."""

    def load_inputs(self, codes: NDArray[np.int64], first: int = 0) -> None:
        """Write preset codes `[input, node]` to the input memory from entry `first` on."""

    def load_injection(self, codes: NDArray[np.int64], first: int = 0) -> None:
        """Write injection codes `[input, point, node]` to the injection memory from entry `first` on."""

    def start(self, program: RunProgram, run_number: int | None = None) -> None:
        """Begin a run; returns before it ends. `run_number` keys an emulated board's noise."""

    def finish(self, timeout_s: float) -> int:
        """Wait for DONE; the number of scans made."""

    def safe(self) -> None:
        """Bring the board into its safe state."""


@runtime_checkable
class SelfReadingBoard(Protocol):
    """What a board with converters of its own can do besides: read its nodes without any instrument."""

    def read_nodes(self, program: RunProgram, run_number: int | None = None) -> Measurement:
        """Play the inputs of the program and read the nodes of its scan lists at the end of each."""

    def watch_nodes(
        self, program: RunProgram, run_number: int | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Play one input; times in s and volts `[node, time]` of the nodes of the scan lists."""


@dataclass(frozen=True)
class Wiring:
    """Which oscilloscope channel each board probe (numbered from 1) is wired to."""

    channel_of_probe: Mapping[int, int]

    def channels(self, probes: int) -> tuple[int, ...]:
        """Channels of probes 1..`probes`; raises DesignError where one has no cable."""
        missing = [probe for probe in range(1, probes + 1) if probe not in self.channel_of_probe]
        if missing:
            raise DesignError(
                f"board probe {missing[0]} is on no oscilloscope channel; "
                "add a [[instruments.scope.channels]] table with its board_probe"
            )
        return tuple(self.channel_of_probe[probe] for probe in range(1, probes + 1))


@final
class Bench(Generic[BoardType]):
    """Plays inputs on the board and reads its nodes through the instruments.

    Without a digitizer the board reads its nodes itself; DesignError where it cannot.
    A run that takes `patience_s` longer than its schedule is given up. Given a `run_number`, the runs that a call makes
    are numbered from it on, so that a repeated call on an emulated board meets the same noise; a run repeated for a
    clipped record keeps its number.
    """

    def __init__(
        self,
        board: BoardType,
        digitizer: AbstractDigitizer | None,
        voltmeter: AbstractVoltmeter | None,
        wiring: Wiring,
        spec: BoardSpec,
        sources: Sequence[AbstractSource] = (),
        scanner: AbstractScanner | None = None,
        patience_s: float = BOARD_PATIENCE_S,
    ) -> None:
        self.board = board
        self._patience_s = patience_s
        self.digitizer = digitizer
        self.voltmeter = voltmeter
        self.spec = spec
        self.sources = tuple(sources)
        self.scanner = scanner
        self._channels = () if digitizer is None else wiring.channels(spec.probe.count)
        self._reference_V: float | None = None

    @property
    def identities(self) -> tuple[str, ...]:
        """`*IDN?` of the instruments, for the provenance of a record."""
        instruments = (self.digitizer, self.voltmeter, self.scanner)
        return tuple(instrument.identity for instrument in instruments if instrument is not None)

    def reference_V(self) -> float:
        """The board's reference in volts: the meter's reading, taken once; the spec's value without a meter."""
        if self._reference_V is None:
            meter = self.voltmeter
            self._reference_V = self.spec.probe.reference_V if meter is None else meter.read_volts()
        return self._reference_V

    def use_reference(self, volts: float) -> None:
        """Take `volts` for the board's reference and ask no meter: a resumed run goes on with what it began with."""
        self._reference_V = volts

    def measure(
        self,
        input_codes: NDArray[np.int64],
        program: RunProgram,
        run_number: int | None = None,
        injection_codes: NDArray[np.int64] | None = None,
    ) -> Measurement:
        """Node voltages `[input, node]` for preset codes `[input, node]`, however many inputs there are.

        `program` gives banks, scan, delays and driven nodes; its `first` and `count` follow from the codes, which are
        loaded in batches of what the input memory holds. `injection_codes` `[input, point, node]` are injected.
        """
        codes = np.asarray(input_codes)
        if codes.ndim != 2 or codes.shape[1] != self.spec.nodes.count or not len(codes):
            raise DesignError(
                f"input codes have shape {codes.shape}; board {self.spec.name} takes [input, {self.spec.nodes.count}]"
            )
        parts: list[Measurement] = []
        for start in range(0, len(codes), self.spec.run.inputs):
            batch = codes[start : start + self.spec.run.inputs]
            self.board.load_inputs(batch, first=0)
            if injection_codes is not None:
                self.board.load_injection(injection_codes[start : start + self.spec.run.inputs], first=0)
            step = program.step + start if program.step else 0
            part = replace(program, first=0, count=len(batch), step=step, inject=injection_codes is not None)
            parts += self._read_parts(part, run_number, len(parts))
        return Measurement.joined(parts)

    def read(self, program: RunProgram, run_number: int | None = None) -> Measurement:
        """Play inputs that are in the input memory already; node voltages `[input, node]`.

        Batches longer than one oscilloscope record are split. A clipped record is taken again one range
        higher, at most four times; what still clips is flagged. Raises InstrumentError, BoardError or
        LinkError where the board or an instrument fails.
        """
        return Measurement.joined(self._read_parts(program, run_number, 0))

    def phasors(self, input_codes: NDArray[np.int64], program: RunProgram, run_number: int | None = None) -> Phasors:
        """Amplitudes and phases `[input, node]` of a board of resonators for phase codes `[input, node]`.

        As `measure`; each scan list of `program` begins with the reference channel. In mode "spikes" they are those of
        the pulses' fundamental. DesignError on other boards.
        """
        codes, parts = np.asarray(input_codes), list[Phasors]()
        for start in range(0, len(codes), self.spec.run.inputs):
            batch = codes[start : start + self.spec.run.inputs]
            self.board.load_inputs(batch, first=0)
            whole = replace(program, first=0, count=len(batch))
            self._expect(whole, "run", "spikes")
            fits = self._inputs_a_record(whole)
            for first in range(0, len(batch), fits):
                number = None if run_number is None else run_number + len(parts)
                part = whole.part(first, min(fits, len(batch) - first))
                parts.append(self._acquire(part, number, decode_phasors))
        return Phasors.joined(parts)

    def watch(self, program: RunProgram, run_number: int | None = None) -> Trace:
        """Follow one node a probe live through the run of one input; errors as for `read`."""
        self._expect(program, "watch")
        if self.digitizer is None:
            t_s, volts = self._reading_board().watch_nodes(program, run_number)
            return Trace(t_s, volts, clipped=False)
        return self._acquire(program, run_number, decode_watch)

    def safe(self) -> None:
        """Sources off, then the board safe, whatever fails on the way; the first failure is raised at the end."""
        failures: list[JackfieldError] = []
        for step in (*(source.off for source in self.sources), self.board.safe):
            try:
                step()
            except JackfieldError as error:
                failures.append(error)
        if failures:
            raise failures[0]

    def _read_parts(self, program: RunProgram, run_number: int | None, runs_before: int) -> list[Measurement]:
        """One measurement for each record that the batch takes."""
        self._expect(program, "run")
        if self.digitizer is None:
            number = None if run_number is None else run_number + runs_before
            return [self._reading_board().read_nodes(program, number)]
        fits, stop = self._inputs_a_record(program), program.first + program.count
        parts: list[Measurement] = []
        for first in range(program.first, stop, fits):
            number = None if run_number is None else run_number + runs_before + len(parts)
            parts.append(self._acquire(program.part(first, min(fits, stop - first)), number, decode))
        return parts

    def _reading_board(self) -> SelfReadingBoard:
        if isinstance(self.board, SelfReadingBoard):
            return self.board
        raise DesignError(
            f"board {self.spec.name} has no converters of its own and the bench has no oscilloscope; "
            "add [instruments.scope] to the bench file"
        )

    def _scope(self) -> AbstractDigitizer:
        assert self.digitizer is not None  # a board that reads itself has not come this far
        return self.digitizer

    def _expect(self, program: RunProgram, *modes: str) -> None:
        program.check(self.spec)
        if program.mode not in modes:
            raise DesignError(f"a program of mode {program.mode!r} is given where {modes[0]!r} is read")

    def _inputs_a_record(self, program: RunProgram) -> int:
        most = self._scope().most_points
        one, whole = (_samples(self.spec, schedule(self.spec, replace(program, count=n))) for n in (1, program.count))
        if one > most:
            raise DesignError(
                f"one input takes {one} samples, the oscilloscope holds {most}; "
                "scan fewer nodes at a time or run for less time"
            )
        # `whole` counts the margins once and a part needs them again: a part never has more than its share.
        return program.count if whole <= most else max(1, program.count * (most - one) // whole)

    def _window(self, program: RunProgram, full_scale_V: float = 0.0) -> Acquisition:
        plan = schedule(self.spec, program)
        start = -plan.slot_s
        stop = plan.total_s * (1 + CLOCK_MARGIN) + plan.slot_s
        points = max(_samples(self.spec, plan), min(SHORTEST_RECORD, self._scope().most_points))
        return Acquisition(start, stop, points, full_scale_V)

    def _full_scales(self) -> list[float]:
        """Ranges to try, the first that should do, then one higher for each clipped record."""
        largest = max(abs(volts) for volts in (*self.spec.nodes.rail_V, self.spec.probe.reference_V))
        wide = [scale for scale in self._scope().full_scales if scale >= 2 * SCREEN_MARGIN * largest]
        if not wide:
            raise DesignError(f"the board's {largest:g} V are above the oscilloscope's ranges; use an attenuator")
        return wide[: 1 + CLIP_REPEATS]

    def _acquire(
        self,
        program: RunProgram,
        run_number: int | None,
        decoder: Callable[[Sequence[Waveform], BoardSpec, RunProgram, float], Result],
    ) -> Result:
        reference_V = self.reference_V()
        for full_scale_V in self._full_scales():
            result = decoder(self._record(program, run_number, full_scale_V), self.spec, program, reference_V)
            if not np.any(result.clipped):
                break
        return result

    def _record(self, program: RunProgram, run_number: int | None, full_scale_V: float) -> list[Waveform]:
        """Configure, arm, run, wait for DONE, wait for the record, read it."""
        self._scope().configure(self._window(program, full_scale_V))
        self._scope().arm()
        self.board.start(program, run_number)
        scans = self.board.finish(self._patience_s + schedule(self.spec, program).total_s)
        if program.mode != "watch" and scans != program.count:
            raise BoardError(f"the board reports {scans} scans of {program.count}; check its status, then repeat")
        self._scope().wait(TRIGGER_PATIENCE_S)
        waveforms = self._scope().read()
        return [waveforms[channel] for channel in self._channels]


def record_samples(spec: BoardSpec, program: RunProgram) -> int:
    """Samples a channel that the record of `program` takes on an oscilloscope with room for it."""
    return max(_samples(spec, schedule(spec, program)), SHORTEST_RECORD)


def _samples(spec: BoardSpec, plan: Schedule) -> int:
    """Least number of samples for a plan, the slot in front of it and the slot after it."""
    a_slot = float(SAMPLES_PER_SLOT)
    if spec.oscillator is not None:
        a_slot = max(a_slot, SAMPLES_PER_PERIOD * spec.oscillator.frequency_Hz * plan.slot_s)
    return int(np.ceil((plan.total_s / plan.slot_s * (1 + CLOCK_MARGIN) + 2) * a_slot))
