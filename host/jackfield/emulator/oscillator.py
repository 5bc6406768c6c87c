"""The analog half of an emulated board of resonators: drive, settle, and what the probes show of it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jackfield.board import BoardSpec, RunProgram, Schedule, schedule
from jackfield.emulator.draws import ProbeDraws
from jackfield.emulator.oscillator_draws import OscillatorDraws, OscillatorProfile
from jackfield.emulator.oscillator_trace import OscillatorTrace, Pieces
from jackfield.emulator.randomness import Randomness
from jackfield.emulator.settings import Settings
from jackfield.physics import Resonators, SpikeRule, periodic_spikes

__all__ = ["OscillatorBoard"]

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]


@dataclass(frozen=True)
class Segment:
    """One step of a run: Im z [input, neuron] = Re(steady exp(i 2 pi p)) + Re(fading exp(k p)).

    p counts periods from the drive's start; `start` and `stop` do, too.
    """

    start: float
    stop: float
    neurons: Resonators
    steady: Complexes
    fading: Complexes


class OscillatorBoard:
    """One particular board of resonators: who it is follows from profile and seed alone.

    `listener` gets an OscillatorTrace at the trigger pulse of each batch. With each input the resonators are reset and
    the drive starts anew at its phases.
    """

    def __init__(
        self,
        spec: BoardSpec,
        profile: str,
        seed: int,
        listener: Callable[[OscillatorTrace], None] = lambda trace: None,
    ) -> None:
        assert spec.oscillator is not None, "a board without resonators"
        self.spec = spec
        self.randomness = Randomness(spec.name, profile, seed)
        self.profile = OscillatorProfile.of(spec, profile)
        self.probes = ProbeDraws.draw(spec, self.profile, self.randomness)
        self.draws = OscillatorDraws.draw(spec, self.profile, self.randomness)
        self.listener = listener
        self.key = "power up"
        self._oscillator = spec.oscillator
        self._settings: Settings | None = None

    def configure(self, settings: Settings) -> None:
        """Take new codes; nothing runs."""
        self._settings = settings

    def safe(self) -> None:
        """Probes at ground, nothing driven; the configuration stays."""
        self.key = "safe"

    def reference(self) -> tuple[float, str]:
        """Volts on the reference jack, and the run that they belong to."""
        return self.probes.reference_V, self.key

    def probe(self, number: int) -> tuple[float, str]:
        """Volts on a probe jack between runs, and the run: a node that oscillates has none for a slow meter."""
        known = 1 <= number <= self.spec.probe.count
        return float(self.probes.offset_V[number - 1]) if known else 0.0, self.key

    def run(
        self,
        program: RunProgram,
        inputs: NDArray[np.int64],
        image_crc: int,
        run_number: int,
        steps: Sequence[Settings] = (),
        injection: NDArray[np.int64] | None = None,
    ) -> None:
        """Drive with `inputs[count, node]` (phase codes) through `program` and let the listener see the probes.

        With `steps` each input is played with settings of its own; the last ones stay. There is nothing to inject.
        """
        self.key = f"{image_crc:08x} {run_number}"
        if program.mode == "hold_preset":
            for settings in steps[-1:]:
                self.configure(settings)
            return
        plan = schedule(self.spec, program)
        phases = self.spec.nodes.preset.value(inputs)
        pieces = (self._by_spikes if program.mode == "spikes" else self._by_waves)(program, plan, phases, steps)
        noise_V = self.profile.readout_noise_V
        self.listener(OscillatorTrace(self.spec, self.probes, self.randomness, noise_V, self.key, plan.total_s, pieces))

    def _by_waves(self, program: RunProgram, plan: Schedule, phases: Floats, steps: Sequence[Settings]) -> Pieces:
        phasors = np.exp(1j * np.pi * phases) * self._oscillator.drive_V
        parts = []
        for settings, row in zip(steps, phasors, strict=True) if steps else ():
            self.configure(settings)
            parts.append(self._segments(program, row[None]))
        segments = [_joined(rows) for rows in zip(*parts, strict=True)] if steps else self._segments(program, phasors)
        return (self._scanned if program.mode == "run" else self._watched)(program, plan, segments, phasors)

    def _by_spikes(self, program: RunProgram, plan: Schedule, phases: Floats, steps: Sequence[Settings]) -> Pieces:
        parts = []
        for settings, row in zip(steps, phases, strict=True) if steps else ():
            self.configure(settings)
            parts.append(self._spikes(program, plan, row[None]))
        spikes = np.concatenate(parts) if steps else self._spikes(program, plan, phases)
        jitter = self.randomness.normals(f"comparator jitter {self.key}", spikes.size).reshape(spikes.shape)
        return self._pulsed(program, plan, spikes + self.profile.comparator_jitter * jitter, phases)

    def _segments(self, program: RunProgram, phasors: Complexes) -> list[Segment]:
        """The steps of the program one after the other, from rest on."""
        frequency_Hz, run = self._oscillator.frequency_Hz, self.spec.run
        segments: list[Segment] = []
        z, now = np.zeros((len(phasors), self._oscillator.neurons), dtype=np.complex128), 0.0
        for number, (bank, ticks) in enumerate(program.steps):
            neurons = self._neurons(bank)
            if number:
                idle = run.bank_switch_s * frequency_Hz
                z, now = neurons.settled(0 * z, z, idle), now + idle
            drive = phasors[:, self._oscillator.neurons :] @ self._couplings(bank).T
            ahead, behind = neurons.steady(drive / 2), neurons.counter(drive / 2)
            turn = np.exp(2j * np.pi * now)
            fading = (z - ahead * turn - behind / turn) * np.exp(-neurons.k * now)
            stop = now + ticks * run.tick_s * frequency_Hz
            phase = np.exp(1j * self.draws.phase_rad)
            segments.append(Segment(now, stop, neurons, neurons.heard(drive) * phase, -1j * fading * phase))
            turn = np.exp(2j * np.pi * stop)
            z, now = ahead * turn + behind / turn + fading * np.exp(neurons.k * stop), stop
        return segments

    def _spikes(self, program: RunProgram, plan: Schedule, phases: Floats) -> Floats:
        """When each comparator's pulses begin [input, neuron, slot], in periods from the drive's start on."""
        oscillator, ((bank, _),) = self._oscillator, program.steps
        periods = (plan.total_s / program.count - self.spec.nodes.preset_settle_s) * oscillator.frequency_Hz
        half = oscillator.pulse_s * oscillator.frequency_Hz / 2
        rule = SpikeRule(half, oscillator.threshold_V, oscillator.refractory_s * oscillator.frequency_Hz)
        drive = self._couplings(bank) * oscillator.drive_V
        found = periodic_spikes(phases[:, oscillator.neurons :], drive, self._neurons(bank), periods, rule)
        # In the model a current lies around its spike, on the board behind it: everything comes half a pulse later.
        return found + half - self.draws.phase_rad[:, None] / (2 * np.pi)

    def _neurons(self, bank: int) -> Resonators:
        assert self._settings is not None, "the board was never configured"
        tuned = self.spec.nodes.trim.value(self._settings.trim[bank, : self._oscillator.neurons])
        return self.draws.resonators(self.spec, tuned)

    def _couplings(self, bank: int) -> Floats:
        """Volts a period [neuron, channel] that a volt of a channel drives into a resonator."""
        assert self._settings is not None
        gain = self.spec.groups[0].parameters["gain"].value(self._settings.codes["gain"][bank])
        on = (gain * self._settings.enable[bank]).reshape(self._oscillator.neurons, -1)
        per_S = 1 / self.spec.nodes.capacitance_F / self._oscillator.frequency_Hz
        return np.asarray(on * self.draws.gain_scale * per_S)

    # What the probes show

    def _node(self, nodes: NDArray[np.int64], segment: Segment, phasors: Complexes) -> tuple[Complexes, ...]:
        """Steady and fading phasors [input, node] and rates [node] of node numbers, channels among them."""
        neuron = nodes <= self._oscillator.neurons
        index = np.where(neuron, nodes - 1, 0)
        steady = np.where(neuron, segment.steady[:, index], phasors[:, nodes - 1])
        return steady, np.where(neuron, segment.fading[:, index], 0), segment.neurons.k[index]

    def _slots(self, program: RunProgram, plan: Schedule) -> tuple[Floats, Floats, Floats]:
        """Of a scan the starts of slots and of their drive [input, slot], s, and the volts [probe, input, slot].

        Slots of nodes are at 0 V; one more slot of ground follows.
        """
        level = np.zeros((len(program.scan), program.count, plan.slot_start_s.shape[1] + 1))
        level[:, :, 1] = self.probes.reference_V
        starts = np.concatenate([plan.slot_start_s, plan.slot_start_s[:, -1:] + plan.slot_s], axis=1)
        run, tick_s = self.spec.run, self.spec.run.tick_s
        run_s = sum(ticks for _, ticks in program.steps) * tick_s + (len(program.steps) - 1) * run.bank_switch_s
        zero = plan.slot_start_s[:, :1] - program.hold_ticks * tick_s - run_s + 0 * starts
        return starts, zero, level

    def _scanned(self, program: RunProgram, plan: Schedule, segments: list[Segment], phasors: Complexes) -> Pieces:
        starts, zero, level = self._slots(program, plan)
        steady, fading, rate = (np.zeros(level.shape, dtype=np.complex128) for _ in range(3))
        for probe, scanned in enumerate(program.scan):
            here = slice(2, 2 + len(scanned))
            found = self._node(np.array(scanned, dtype=np.int64), segments[-1], phasors)
            steady[probe, :, here], fading[probe, :, here], rate[probe, :, here] = found
        flat = (len(level), -1)
        waves = steady.reshape(flat), fading.reshape(flat), rate.reshape(flat)
        return Pieces(starts.ravel(), zero.ravel(), level.reshape(flat), *waves)

    def _pulsed(self, program: RunProgram, plan: Schedule, spikes: Floats, phases: Floats) -> Pieces:
        """A scan of the pulses of comparators [input, neuron, slot], ascending, and of channels with `phases`."""
        starts, zero, level = self._slots(program, plan)
        begin = (starts - zero)[0] * self._oscillator.frequency_Hz
        seen = np.arange(math.ceil(plan.slot_s * self._oscillator.frequency_Hz) + 2)
        pulses = np.full((*level.shape, len(seen)), np.nan)
        for probe, scanned in enumerate(program.scan):
            for slot, node in enumerate(scanned, start=2):
                if node > self._oscillator.neurons:
                    within = np.floor(begin[slot]) - 1 + seen
                    pulses[probe, :, slot] = (phases[:, node - 1, None] + 1) / 2 + within
                else:
                    train = spikes[:, node - 1]
                    first = np.sum(train < begin[slot] - 1, axis=1)
                    place = np.minimum(first[:, None] + seen, train.shape[1] - 1)
                    pulses[probe, :, slot] = np.take_along_axis(train, place, axis=1)
        flat, none = level.reshape(len(level), -1), np.zeros((len(level), starts.size), dtype=np.complex128)
        return Pieces(starts.ravel(), zero.ravel(), flat, none, none, none, pulses.reshape(*flat.shape, -1))

    def _watched(self, program: RunProgram, plan: Schedule, segments: list[Segment], phasors: Complexes) -> Pieces:
        frequency_Hz, start_s = self._oscillator.frequency_Hz, plan.watch_start_s
        nodes = np.array([scanned[0] for scanned in program.scan], dtype=np.int64)
        live = [start_s + segment.start / frequency_Hz for segment in segments]
        starts = np.array([0.0, plan.slot_s, 2 * plan.slot_s, *live, plan.watch_stop_s])
        level = np.zeros((len(nodes), len(starts)))
        level[:, 1] = self.probes.reference_V
        steady, fading, rate = (np.zeros(level.shape, dtype=np.complex128) for _ in range(3))
        for column, segment in enumerate(segments, start=3):
            found = self._node(nodes, segment, phasors)
            steady[:, column], fading[:, column], rate[:, column] = found[0][0], found[1][0], found[2]
        return Pieces(starts, np.full(len(starts), start_s), level, steady, fading, rate)


def _joined(rows: Sequence[Segment]) -> Segment:
    """One step of several inputs that were played with settings of their own."""
    steady, fading = (np.concatenate([getattr(row, name) for row in rows]) for name in ("steady", "fading"))
    return Segment(rows[0].start, rows[0].stop, rows[0].neurons, steady, fading)
