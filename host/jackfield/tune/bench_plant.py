"""A plant on a bench: a circuit of one slice on a board that drives and injects, read by instruments alone."""

from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from jackfield.bench import Bench
from jackfield.board import BoardSpec, ConfigImage, RunProgram
from jackfield.compile import KnownBoard
from jackfield.errors import DesignError
from jackfield.physics import LAWS, Circuit
from jackfield.tune.plant import Ability, Parameters, Settled

__all__ = ["BenchPlant"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

UNSETTLED_V = 4e-3  # of four samples that are read again after three quarters of the time to rest
CHECKED, LOOKS = 4, 6
SURE = 4.0  # standard deviations of noise that no node out of many passes by chance
GAUGE_SHARE, GAUGE_V = 0.5, 0.4  # of the injection DACs' range; of the rail, that a node is charged to


@dataclass(frozen=True)
class _Units:
    """SI over machine units; `farads` a machine unit of capacitance."""

    volts: float
    seconds: float
    farads: float

    @property
    def amperes(self) -> float:
        return self.farads * self.volts / self.seconds

    def factor(self, law: str, name: str) -> float:
        parameter = next(item for item in LAWS[law].parameters if item.name == name)
        return float(self.volts**parameter.volts * self.amperes**parameter.amperes)


@final
class BenchPlant:
    """`circuit`, in machine units, on the board of `bench` at `volts_per_unit` and `seconds_per_unit`.

    Edges take the first cells of their law's group; a run to rest takes `settle` units of time. With `known` codes and
    presets are corrected by what a record says of the board; else they are nominal. `injection_gain` `[node]` corrects
    the injection DACs (`measure_injection`). Raises DesignError where circuit and board do not fit.
    """

    def __init__(
        self,
        bench: Bench[Any],
        circuit: Circuit,
        *,
        volts_per_unit: float,
        seconds_per_unit: float,
        settle: float,
        known: KnownBoard | None = None,
        injection_gain: Floats | None = None,
    ) -> None:
        self._bench, self._spec = bench, bench.spec
        farads = bench.spec.nodes.capacitance_F / float(circuit.capacitance[0])
        self._units = _Units(volts_per_unit, seconds_per_unit, farads)
        self._ticks = round(settle * seconds_per_unit / bench.spec.run.tick_s)
        self._known = known or KnownBoard.as_specified(bench.spec)
        count = bench.spec.nodes.count
        self.injection_gain = np.ones(count) if injection_gain is None else np.asarray(injection_gain)
        self._cells = _placed(circuit, bench.spec, self._known)
        self._circuit, self._settled = circuit, False
        self.passes = self.reads = 0
        self._check(circuit)
        self.configure(tuple(edges.parameters for edges in circuit.slices[0].edges))

    def _check(self, circuit: Circuit) -> None:
        spec = self._spec
        leak = circuit.leak.double().numpy() * self._units.farads / self._units.seconds
        if len(circuit.slices) != 1 or circuit.nodes > spec.nodes.count:
            raise DesignError(
                f"a circuit of {len(circuit.slices)} slices and {circuit.nodes} nodes is asked; board {spec.name} "
                f"settles one slice of at most {spec.nodes.count} nodes"
            )
        if circuit.clamped and not spec.nodes.clamp:
            raise DesignError(
                f"node {circuit.clamped[0]} is to stay driven; board {spec.name} presets nodes before a run alone: "
                "choose jf16s or jf96s"
            )
        free = [node - 1 for node in range(1, circuit.nodes + 1) if node not in circuit.clamped]
        if len(free) and np.abs(leak[free] - spec.nodes.leak_S).max() > 0.01 * max(spec.nodes.leak_S, 1e-7):
            raise DesignError(
                f"the circuit's nodes leak {leak[free].min():.3g} to {leak[free].max():.3g} S at this scale, those of "
                f"board {spec.name} {spec.nodes.leak_S:.3g} S; give the circuit that leak or change seconds_per_unit"
            )

    @property
    def circuit(self) -> Circuit:
        """What was asked, rounded to codes."""
        return self._circuit

    @property
    def image(self) -> ConfigImage:
        """The codes that are on the board for `circuit`."""
        return self._image

    @property
    def abilities(self) -> frozenset[Ability]:
        injection = self._spec.nodes.injection
        if injection is None:
            return frozenset()
        return frozenset({Ability.SETTLE} if injection.points == 1 else {Ability.SETTLE, Ability.WAVEFORM})

    def configure(self, parameters: Parameters) -> None:
        """Apply the nearest codes (RAM only; changes alone travel)."""
        image, sets = ConfigImage.safe(self._spec), []
        for edges, cells, given in zip(self._circuit.slices[0].edges, self._cells, parameters, strict=True):
            image.enable[0, cells] = True
            image.source[0, cells], image.destination[0, cells] = edges.source.numpy(), edges.destination.numpy()
            rounded = {name: self._coded(image, edges.law, cells, name, value) for name, value in given.items()}
            sets.append(replace(edges, parameters=rounded))
        self._trim(image)
        self._image = image
        self._bench.board.apply(image)
        part = replace(self._circuit.slices[0], edges=tuple(sets))
        self._circuit, self._settled = replace(self._circuit, slices=(part,)), False

    def _coded(self, image: ConfigImage, law: str, cells: Integers, name: str, value: Tensor) -> Tensor:
        dac = next(group for group in self._spec.groups if group.law == law).parameters[name]
        factor = self._units.factor(law, name)
        wanted = value.detach().double().numpy() * factor
        codes = dac.code(dac.clip(self._known.to_nominal(name, cells, wanted)))
        image.codes[name][0, cells] = codes
        return torch.from_numpy(np.asarray(self._known.to_actual(name, cells, dac.value(codes)) / factor))

    def _trim(self, image: ConfigImage) -> None:
        """Take away what the record says flows whatever the voltages."""
        cells = np.flatnonzero(image.enable[0])
        offsets = self._known.node_offsets(image.source[0, cells], image.destination[0, cells], cells)
        dac = self._spec.nodes.trim
        image.trim[0] = dac.code(dac.clip(-offsets / self._known.trim_gain))

    def settle(self, start: Tensor, injection: Tensor | None = None, driven: tuple[int, ...] = ()) -> Settled:
        """See `Plant`. After each `configure` four samples are read again, until once they are seen to rest."""
        codes, clamp = self.preset_codes(start), tuple(dict.fromkeys((*self._circuit.clamped, *driven)))
        injected = None if injection is None else self._injected(injection[None].transpose(0, 1))
        volts, railed = self._read(codes, injected, self._ticks, clamp)
        if not self._settled:
            few = slice(CHECKED)
            self._settled = self._rests(codes[few], None if injected is None else injected[few], clamp, volts[few])
        flags = torch.full((len(volts),), self._settled)
        return Settled(torch.from_numpy(volts / self._units.volts), flags, torch.from_numpy(railed))

    def _rests(self, codes: Integers, injected: Integers | None, clamp: tuple[int, ...], seen: Floats) -> bool:
        """Whether three quarters of the time give the voltages that were `seen`, to what the readings' noise can tell.

        Noise is that of driven nodes, which cannot move; a few looks average it.
        """
        moved: list[Floats] = []
        driven, late = [node - 1 for node in clamp], seen
        for look in range(1, LOOKS + 1):
            moved.append(late - self._read(codes, injected, max(1, round(0.75 * self._ticks)), clamp)[0])
            noise_V = float(np.sqrt(np.mean(np.square(moved)[..., driven]) / look)) if driven else 0.0
            if np.abs(np.mean(moved, axis=0)).max() <= UNSETTLED_V + SURE * noise_V:
                return True
            late = self._read(codes, injected, self._ticks, clamp)[0]
        return False

    def _read(
        self, codes: Integers, injected: Integers | None, ticks: int, clamp: tuple[int, ...]
    ) -> tuple[Floats, NDArray[np.bool_]]:
        """Volts and rail flags `[sample, node]` of the circuit's nodes after a run."""
        nodes = np.array_split(np.arange(1, self._circuit.nodes + 1), self._spec.probe.count)
        scan = tuple(tuple(int(node) for node in share) for share in nodes)
        program = RunProgram(((0, ticks),), scan, clamp=clamp)
        measured = self._bench.measure(codes, program, injection_codes=injected)
        self.passes += len(codes)
        self.reads += measured.values_V.size
        order = [measured.nodes.index(node) for node in range(1, self._circuit.nodes + 1)]
        return measured.values_V[:, order], measured.railed[:, order]

    def transient(self, start: Tensor, points: int, duration: float, injection: Tensor | None = None) -> Tensor:
        """See `Plant`; the probes follow a few nodes a pass, so that a sample takes one pass for each of these."""
        ticks = round(duration * self._units.seconds / self._spec.run.tick_s)
        codes = self.preset_codes(start)
        injected = None if injection is None else self._injected(self._resampled(injection).transpose(0, 1))
        found = np.empty((points, len(codes), self._circuit.nodes))
        moments = np.linspace(0.0, ticks * self._spec.run.tick_s, points)
        probes = self._spec.probe.count
        for sample in range(len(codes)):
            self._bench.board.load_inputs(codes[sample : sample + 1])
            if injected is not None:
                self._bench.board.load_injection(injected[sample : sample + 1])
            for first in range(0, self._circuit.nodes, probes):
                shown = [min(first + probe, self._circuit.nodes - 1) for probe in range(probes)]
                scan = tuple((node + 1,) for node in shown)
                drive = {"clamp": self._circuit.clamped, "inject": injected is not None}
                trace = self._bench.watch(RunProgram(((0, ticks),), scan, mode="watch", **drive))  # type: ignore[arg-type]
                for probe, node in enumerate(shown):
                    found[:, sample, node] = _at(moments, trace.t_s, trace.volts[probe])
                self.passes += 1
                self.reads += points * len(shown)
        return torch.from_numpy(found / self._units.volts)

    def measure_injection(self) -> Floats:
        """The gain `[node]` of each injection DAC over its node's capacitance, relative to nominal; kept for further
        runs. All cells are off: the current alone charges the nodes, once up and once down."""
        injection, nodes = self._spec.nodes.injection, self._spec.nodes
        if injection is None:
            raise DesignError(f"injection is to be measured; board {self._spec.name} has no injection DACs")
        amperes = GAUGE_SHARE * injection.dac.hi
        ticks = max(round(GAUGE_V * nodes.rail_V[1] * nodes.capacitance_F / amperes / self._spec.run.tick_s), 1)
        ticks = max(ticks, round(self._spec.run.min_s / self._spec.run.tick_s))
        self._bench.board.apply(ConfigImage.safe(self._spec))
        code = injection.dac.code(np.array([amperes, -amperes]))
        codes = np.broadcast_to(code[:, None, None], (2, injection.points, nodes.count))
        rest = np.full((2, nodes.count), nodes.preset.middle)
        every = np.array_split(np.arange(1, nodes.count + 1), self._spec.probe.count)
        program = RunProgram(((0, ticks),), tuple(tuple(map(int, share)) for share in every))
        measured = self._bench.measure(rest, program, injection_codes=np.ascontiguousarray(codes))
        order = [measured.nodes.index(node) for node in range(1, nodes.count + 1)]
        volts = measured.values_V[:, order]
        self.passes += 2
        rate, seconds = nodes.leak_S / nodes.capacitance_F, ticks * self._spec.run.tick_s
        charged_s = seconds if rate == 0 else -np.expm1(-rate * seconds) / rate
        nominal = float(injection.dac.value(int(code[0]))) * charged_s / nodes.capacitance_F
        self.injection_gain = (volts[0] - volts[1]) / 2 / nominal
        self.configure(tuple(edges.parameters for edges in self._circuit.slices[0].edges))
        return self.injection_gain

    def preset_codes(self, start: Tensor) -> Integers:
        """Codes `[sample, board node]` of presets `[sample, node]` in machine units."""
        dac, known = self._spec.nodes.preset, self._known
        volts = np.zeros((len(start), self._spec.nodes.count))
        volts[:, : self._circuit.nodes] = start.detach().double().numpy() * self._units.volts
        return dac.code(dac.clip((volts - known.preset_offset_V) / known.preset_gain))

    def _injected(self, currents: Tensor) -> Integers:
        """Codes `[sample, point, node]` of currents in machine units; a constant fills a waveform's points."""
        injection = self._spec.nodes.injection
        if injection is None:
            raise DesignError(f"currents are to be injected; board {self._spec.name} has no injection DACs")
        amperes = np.zeros((*currents.shape[:2], self._spec.nodes.count))
        amperes[..., : self._circuit.nodes] = currents.detach().double().numpy() * self._units.amperes
        codes = injection.dac.code(injection.dac.clip(amperes / self.injection_gain))
        return np.ascontiguousarray(np.broadcast_to(codes, (len(codes), injection.points, codes.shape[2])))

    def _resampled(self, injection: Tensor) -> Tensor:
        """`[point, sample, node]` at as many points as the board's waveforms have."""
        wanted = self._spec.nodes.injection.points if self._spec.nodes.injection else len(injection)
        if len(injection) == wanted:
            return injection
        at = torch.linspace(0, len(injection) - 1, wanted, dtype=injection.dtype)
        low = at.floor().long().clamp(max=len(injection) - 2)
        share = (at - low)[:, None, None]
        return injection[low] * (1 - share) + injection[low + 1] * share


def _placed(circuit: Circuit, spec: BoardSpec, known: KnownBoard) -> tuple[Integers, ...]:
    """Cells of each edge set: the first ones of its law's group that the record does not call bad."""
    taken: dict[str, int] = {}
    cells = []
    for edges in circuit.slices[0].edges:
        groups = [group for group in spec.groups if group.law == edges.law and group.reach.kind == "crossbar"]
        if not groups:
            have = ", ".join(group.law for group in spec.groups)
            raise DesignError(f"edges of law {edges.law} are asked, board {spec.name} has a crossbar of {have}")
        fit = groups[0].first + np.flatnonzero(~known.bad[groups[0].members])
        first = taken.get(edges.law, 0)
        if first + len(edges) > len(fit):
            raise DesignError(
                f"{first + len(edges)} cells of law {edges.law} are asked, board {spec.name} has {len(fit)} usable ones"
            )
        cells.append(fit[first : first + len(edges)])
        taken[edges.law] = first + len(edges)
    return tuple(cells)


def _at(moments: Floats, t_s: Floats, volts: Floats) -> Floats:
    """The mean of the readings about each of the equally spaced `moments`: straight lines through half a step on both
    sides, so that noise is averaged and slopes pass."""
    half = (moments[1] - moments[0]) / 2
    found = np.empty(len(moments))
    for number, moment in enumerate(moments):
        near = np.abs(t_s - moment) <= half
        if np.count_nonzero(near) < 3:
            found[number] = np.interp(moment, t_s, volts)
            continue
        found[number] = np.polyval(np.polyfit(t_s[near] - moment, volts[near], 1), 0.0)
    return found
