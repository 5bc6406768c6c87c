"""The analog half of the emulated board: presets, runs, hold, and what the probes show of it."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from jackfield.board import BoardSpec, RunProgram, Schedule, schedule
from jackfield.emulator.draws import DEFECTS, NodeDraws, Planted, ProbeDraws, draw_cells
from jackfield.emulator.drift import NOMINAL_C, STILL, Drift, Moved
from jackfield.emulator.drive import Drive
from jackfield.emulator.plant import SINGLE_FROM, Plant, steps_for
from jackfield.emulator.profiles import Profile
from jackfield.emulator.randomness import Randomness
from jackfield.emulator.settings import Settings
from jackfield.emulator.trace import Levels, Live, ProbeTrace
from jackfield.physics import Circuit, EdgeSet, Imperfection, Slice, integrate

__all__ = ["AnalogBoard"]

Floats = NDArray[np.float64]

NOTHING = Planted()
NOISY_V = 0.02  # rms step that a noisy cell gives both its nodes in a run


class AnalogBoard:
    """One particular board of `spec`: who it is follows from profile and seed alone.

    `listener` gets a ProbeTrace at the trigger pulse of each batch. `time_s` is emulated time: what runs
    took, plus `clock_s` at the start.
    """

    def __init__(
        self,
        spec: BoardSpec,
        profile: str,
        seed: int,
        *,
        temperature_C: float = NOMINAL_C,
        clock_s: float = 0.0,
        planted: Planted = NOTHING,
        moved: Moved = STILL,
        listener: Callable[[ProbeTrace], None] = lambda trace: None,
    ) -> None:
        self.spec = spec
        self.randomness = Randomness(spec.name, profile, seed)
        self.profile = Profile.of(spec, profile)
        self.probes = ProbeDraws.draw(spec, self.profile, self.randomness, planted.stuck_probes)
        self.plant = Plant(
            spec,
            self.profile,
            draw_cells(spec, self.profile, self.randomness, planted),
            NodeDraws.draw(spec, self.profile, self.randomness),
            Drift(self.profile, self.randomness, temperature_C, moved),
        )
        self.time_s = clock_s
        self.listener = listener
        self.key = "power up"
        self._driven_V = np.zeros(spec.probe.count)
        self._settings: Settings | None = None
        self._circuits: dict[tuple[int, int, int], tuple[Circuit, int]] = {}

    def configure(self, settings: Settings) -> None:
        """Take new codes; nothing runs."""
        self._settings = settings
        self._circuits.clear()

    def warm_up(self) -> None:
        """Compile (or load) the integrator's kernels, so that the first run answers as fast as the others."""
        large = self.spec.cell_count > SINGLE_FROM
        for dtype in (torch.float64, torch.float32) if large else (torch.float64,):
            self._warm_up(torch.ones(1, dtype=dtype))

    def _warm_up(self, one: torch.Tensor) -> None:
        ends = torch.tensor([1]), torch.tensor([0])
        for group in self.spec.groups:
            edges = EdgeSet(group.law, *ends, dict.fromkeys(group.parameters, one), self._imperfection(one))
            node = one.expand(self.spec.nodes.count)
            circuit = Circuit(self.spec.nodes.count, (Slice(1.0, (edges,)),), node, node, self.spec.nodes.rail_V)
            with torch.no_grad():
                integrate(circuit, node[None], steps=1)

    def _imperfection(self, one: torch.Tensor) -> Imperfection | None:
        return None if self.profile.knee_V == 0 else Imperfection(one[0], one[0], one)

    def safe(self) -> None:
        """Probes at ground, nothing driven; the configuration stays."""
        self.key = "safe"
        self._driven_V = np.zeros(self.spec.probe.count)

    def reference(self) -> tuple[float, str]:
        """Volts on the reference jack, and the run that they belong to."""
        return self.probes.reference_V, self.key

    def probe(self, number: int) -> tuple[float, str]:
        """Volts on a probe jack between runs, ground or the node that HOLD-PRESET drives, and the run."""
        if not 1 <= number <= self.spec.probe.count:
            return 0.0, self.key
        draws, index = self.probes, number - 1
        return float(draws.gain[index] * self._driven_V[index] + draws.offset_V[index]), self.key

    def run(
        self,
        program: RunProgram,
        inputs: NDArray[np.int64],
        image_crc: int,
        run_number: int,
        steps: Sequence[Settings] = (),
        injection: NDArray[np.int64] | None = None,
    ) -> None:
        """Play `inputs[count, node]` (preset codes) through `program` and let the listener see the probes.

        With `steps` each input is played with settings of its own; the last ones stay. `injection` `[count, point,
        node]` are injection codes.
        """
        self.key = f"{image_crc:08x} {run_number}"
        nodes = self.plant.nodes
        start = nodes.preset_gain * self.spec.nodes.preset.value(inputs) + nodes.preset_offset_V
        start = np.clip(start, *self.spec.nodes.rail_V)
        shown = [scanned[0] - 1 for scanned in program.scan if scanned]
        self._driven_V = np.zeros(self.spec.probe.count)
        if program.mode == "hold_preset":
            for settings in steps:
                self.configure(settings)
            self._driven_V[: len(shown)] = start[0, shown]
            return
        plan = schedule(self.spec, program)
        with torch.no_grad():
            drive = Drive(program.clamp, self.plant.injected(injection))
            states = self._stepped(program, start, steps, drive) if steps else self._states(program, start, drive)
            trace = (
                self._watched(program, plan, *states)
                if program.mode == "watch"
                else self._held(program, plan, states[1])
            )
        self.time_s += plan.total_s
        self.listener(trace)

    # Running

    def _circuit(self, bank: int, ticks: int) -> tuple[Circuit, int]:
        assert self._settings is not None, "the board was never configured"
        epoch = self.plant.drift.epoch(self.time_s)
        key = (bank, ticks, epoch)
        if key not in self._circuits:
            duration_s = ticks * self.spec.run.tick_s
            circuit = self.plant.circuit(self._settings, bank, duration_s, epoch)
            self._circuits[key] = circuit, steps_for(circuit)
        return self._circuits[key]

    def _stepped(
        self, program: RunProgram, start: Floats, steps: Sequence[Settings], drive: Drive
    ) -> tuple[Floats, Floats]:
        """As `_states`, with settings for each input."""
        parts = []
        for number, settings in enumerate(steps):
            self.configure(settings)
            times, states = self._states(program, start[number : number + 1], drive.part(number))
            parts.append(states)
        return times, np.concatenate(parts, axis=1)

    def _states(self, program: RunProgram, start: Floats, drive: Drive) -> tuple[Floats, Floats]:
        """Times `[i]` from RUN on and states `[i, input, node]`: every tick in mode watch, else the last alone."""
        live = program.mode == "watch"
        times, states, now, volts = [np.zeros(1)], [start[None]], 0.0, start
        for number, (bank, ticks) in enumerate(program.steps):
            if number:
                volts, now = self._switch(bank, volts, drive), now + self.spec.run.bank_switch_s
                times, states = [*times, np.array([now])], [*states, volts[None]]
            circuit, steps = self._circuit(bank, ticks)
            circuit = drive.on(circuit)
            pieces = ticks if live else 1
            pieces_least = pieces if live else drive.intervals
            steps = -(-max(steps, drive.intervals) // pieces_least) * pieces_least
            start_V = torch.from_numpy(volts).to(circuit.dtype)
            part = integrate(circuit, start_V, steps=steps, snapshots=pieces).double().numpy()
            duration_s = circuit.slices[0].duration
            times = [*times, now + duration_s * np.arange(1, pieces + 1) / pieces]
            states, volts, now = [*states, part], np.ascontiguousarray(part[-1]), now + duration_s
        return np.concatenate(times), np.concatenate(states)

    def _switch(self, bank: int, volts: Floats, drive: Drive) -> Floats:
        """While banks change, cells are off: leak, trim and offset go on, and each node gets its charge."""
        nodes, spec = self.plant.nodes, self.spec
        assert self._settings is not None
        current = self.plant.injection(self._settings, bank) - nodes.leak_S * volts
        moved = volts + (current + drive.constant) / nodes.capacitance_F * spec.run.bank_switch_s
        return drive.held(volts, np.clip(moved + nodes.switch_V, *spec.nodes.rail_V))

    # What the probes show

    def _held(self, program: RunProgram, plan: Schedule, states: Floats) -> ProbeTrace:
        last = states[-1]
        noise = self.randomness.normals(f"node noise {self.key}", last.size).reshape(last.shape)
        held = last + self.profile.node_noise_V * noise + self._restless(program, len(last))
        slots = plan.slot_start_s.shape[1]
        volts, droop = (np.zeros((len(program.scan), program.count, slots + 1)) for _ in range(2))
        volts[:, :, 1] = self.probes.reference_V
        hold_s = plan.slot_start_s[0, 0] - program.hold_ticks * self.spec.run.tick_s
        for probe, scanned in enumerate(program.scan):
            index, here = np.array(scanned, dtype=np.int64) - 1, slice(2, 2 + len(scanned))
            since_s = plan.slot_start_s[0, here] - hold_s
            rate, slope = self.plant.nodes.droop_per_s[index], self.spec.nodes.hold_droop_V_per_s
            volts[probe, :, here] = held[:, index] * np.exp(-rate * since_s) - slope * since_s
            droop[probe, :, here] = rate * volts[probe, :, here] + slope
            for slot in 2 + np.flatnonzero(self.probes.stuck[probe, index]):
                volts[probe, :, slot], droop[probe, :, slot] = volts[probe, :, slot - 1], droop[probe, :, slot - 1]
        starts = np.concatenate([plan.slot_start_s, plan.slot_start_s[:, -1:] + plan.slot_s], axis=1)
        flat = (len(program.scan), -1)
        return self._trace(plan, Levels(starts.ravel(), volts.reshape(flat), droop.reshape(flat)), None)

    def _restless(self, program: RunProgram, count: int) -> Floats:
        """Volts `[input, node]` by which noisy cells move their nodes, another charge in each run."""
        moved = np.zeros((count, self.spec.nodes.count + 1))
        assert self._settings is not None
        bank = program.steps[-1][0]
        for draws in self.plant.cells:
            for cell in np.flatnonzero(draws.defect == DEFECTS.index("noisy")) + draws.group.first:
                if self._settings.enable[bank, cell]:
                    step = NOISY_V * self.randomness.normals(f"noisy cell {cell} {self.key}", count)
                    moved[:, self._settings.source[bank, cell]] -= step
                    moved[:, self._settings.destination[bank, cell]] += step
        return moved[:, 1:]

    def _watched(self, program: RunProgram, plan: Schedule, times: Floats, states: Floats) -> ProbeTrace:
        index = np.array([scanned[0] for scanned in program.scan], dtype=np.int64) - 1
        shown = states[:, 0, :][:, index].T
        preset_s = 2 * plan.slot_s  # from here to RUN the probes already show the driven nodes
        t = np.concatenate([[preset_s], plan.watch_start_s + times])
        live = Live(t, np.concatenate([shown[:, :1], shown], axis=1))
        reference = np.array([0.0, self.probes.reference_V, 0.0])
        levels = Levels(
            np.array([0.0, plan.slot_s, preset_s]),
            np.tile(reference, (len(program.scan), 1)),
            np.zeros((len(program.scan), 3)),
        )
        return self._trace(plan, levels, live)

    def _trace(self, plan: Schedule, levels: Levels, live: Live | None) -> ProbeTrace:
        noise_V = self.profile.readout_noise_V
        return ProbeTrace(self.spec, self.probes, self.randomness, noise_V, self.key, plan.total_s, levels, live)
