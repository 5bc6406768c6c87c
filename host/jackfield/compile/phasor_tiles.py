"""A layer of a phasor network in tiles on a board of resonators.

Tiles split the neurons over passes, as many as the board has resonators; they split the sources, too, where there are
more of them than drive channels: sums are linear, so that the host adds what the passes give. The reference channel
carries the bias. Each neuron's weights are scaled to the codes by a factor of its own, since only phases count.
By spikes there is no such adding: a tile takes all sources, and each resonator is tuned by its trim.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jackfield.board import BoardSpec, CalibrationRecord, ConfigImage, RunProgram
from jackfield.compile.resonators_known import KnownResonators
from jackfield.errors import DesignError
from jackfield.model import PhasorNet, largest_sums, phasor_matrices

__all__ = ["PhasorTile", "compile_phasors"]

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]

HEADROOM = 0.8  # of the rail for the largest sum seen: others may be larger, resonators stronger
SILENT = 0.5  # of a pulse in every period, below which a comparator is taken to have given none
SETTLED = 5e-3  # what a run leaves of the start; the slots of ground and reference that follow take more of it away


@dataclass(frozen=True)
class PhasorTile:
    """One pass: `neurons` of the layer on the resonators `nodes`, fed by `sources`, from `bank` of `image`.

    A weighted sum of 1 shows as a phasor of `factor` [neuron] volts; with `spikes` only its angle counts.
    """

    image: ConfigImage
    bank: int
    neurons: range
    nodes: tuple[int, ...]
    sources: range
    factor: Complexes
    spikes: bool

    def input_codes(self, spec: BoardSpec, phases: Floats) -> NDArray[np.int64]:
        """Phase codes [example, node] of the layer's input phases [example, source] in units of pi."""
        assert spec.oscillator is not None
        wanted = np.zeros((len(phases), spec.nodes.count))
        first = spec.oscillator.neurons
        wanted[:, first : first + len(self.sources)] = phases[:, self.sources.start : self.sources.stop]
        return spec.nodes.preset.code(wanted)

    def program(self, spec: BoardSpec) -> RunProgram:
        """Settle, then read reference and neurons, dealt out to the probes."""
        assert spec.oscillator is not None
        periods = math.ceil(-math.log(SETTLED) * spec.oscillator.quality(spec.nodes) / math.pi)
        ticks = round(periods / spec.oscillator.frequency_Hz / spec.run.tick_s)
        probes = spec.probe.count
        scan = tuple((spec.nodes.count, *self.nodes[probe::probes]) for probe in range(probes))
        return RunProgram(((self.bank, ticks),), scan, mode="spikes" if self.spikes else "run")

    def sums(self, spec: BoardSpec, nodes: Sequence[int], phasor_V: Complexes) -> Complexes:
        """Weighted sums [example, neuron] from phasors [example, node] as read.

        By spikes they have no length, and are 0 where a neuron gave none.
        """
        assert spec.oscillator is not None
        order = [list(nodes).index(node) for node in self.nodes]
        read = phasor_V[:, order]
        if self.spikes:  # a larger phase is a later pulse, an earlier wave
            read = np.where(np.abs(read) > SILENT * spec.oscillator.drive_V, read.conj(), 0)
        return np.asarray(read / self.factor)


def compile_phasors(
    network: PhasorNet,
    spec: BoardSpec,
    phases: Floats,
    record: CalibrationRecord | None = None,
    *,
    spikes: bool = False,
) -> list[tuple[PhasorTile, ...]]:
    """The tiles of each layer with weights; encoded inputs `phases` [example, input] say how large its sums become.

    With `record` gains are refitted, the board's own answers divided out, and resonators that are not good avoided.
    With `spikes` channels and comparators give pulses. Raises DesignError where the board has no resonators or none
    that is good, or a layer to be run by spikes has more sources than the board channels.
    """
    known = KnownResonators.from_record(spec, record)
    if not known.usable.any():
        raise DesignError(f"the record calls no resonator of board {spec.name} good; calibrate the board again")
    matrices, channels = phasor_matrices(network), known.gain_scale.shape[1] - 1
    wide = max(weights.shape[1] - 1 for weights in matrices)
    if spikes and wide > channels:
        raise DesignError(
            f"a layer has {wide} sources, board {spec.name} {channels} channels besides the reference; spikes of parts "
            "cannot be added, run it by continuous waves"
        )
    return [
        _tiles(weights, largest, spec, known, spikes)
        for weights, largest in zip(matrices, largest_sums(network, phases), strict=True)
    ]


def _tiles(
    weights: Floats, largest: Floats, spec: BoardSpec, known: KnownResonators, spikes: bool
) -> tuple[PhasorTile, ...]:
    """Tiles of one layer of `weights` [neuron, source + 1] whose sums reach `largest` [neuron]."""
    resonators, channels = np.flatnonzero(known.usable), known.gain_scale.shape[1] - 1
    places = [
        (range(first, min(first + len(resonators), len(weights))), range(start, min(start + channels, last)))
        for last in (weights.shape[1] - 1,)
        for start in range(0, last, channels)
        for first in range(0, len(weights), len(resonators))
    ]
    tiles, banks = list[PhasorTile](), spec.run.banks
    image = ConfigImage.safe(spec)
    for number, (neurons, sources) in enumerate(places):
        if number % banks == 0:
            image = ConfigImage.safe(spec).copy()
        part = np.zeros((len(neurons), channels + 1))
        part[:, : len(sources)] = weights[neurons.start : neurons.stop, sources.start : sources.stop]
        if sources.start == 0:
            part[:, -1] = weights[neurons.start : neurons.stop, -1]
        at = resonators[: len(neurons)]
        factor = _set(image, number % banks, at, part, largest[neurons.start : neurons.stop], spec, known)
        if spikes:
            factor = _tune(image, number % banks, at, spec, known)
        nodes = tuple(int(neuron) + 1 for neuron in at)
        tiles.append(PhasorTile(image, number % banks, neurons, nodes, sources, factor, spikes))
    return tuple(tiles)


def _set(
    image: ConfigImage,
    bank: int,
    at: NDArray[np.int64],
    weights: Floats,
    largest: Floats,
    spec: BoardSpec,
    known: KnownResonators,
) -> Complexes:
    """Write the codes of `weights` [neuron, channel] on resonators `at` (from 0) and return their factors."""
    scale, (group,) = known.gain_scale[at], spec.groups
    gain, rail_V = group.parameters["gain"], max(abs(volts) for volts in spec.nodes.rail_V)
    wanted = weights / scale
    # Siemens of a weight of 1: as many as range and rail allow.
    with np.errstate(divide="ignore"):
        siemens = np.minimum(
            gain.hi / np.abs(wanted).max(axis=1), HEADROOM * rail_V / (largest * np.abs(known.answer[at]))
        )
    siemens = np.where(np.isfinite(siemens), siemens, gain.hi)
    cells = (at[:, None] * scale.shape[1] + np.arange(scale.shape[1])).ravel()
    image.codes["gain"][bank, cells] = gain.code(wanted * siemens[:, None]).ravel()
    image.enable[bank, cells] = weights.ravel() != 0
    return np.asarray(known.answer[at] * siemens)


def _tune(image: ConfigImage, bank: int, at: NDArray[np.int64], spec: BoardSpec, known: KnownResonators) -> Complexes:
    """Trim resonators `at` (from 0) to the drive and return what the pulses' phasors of sums of phase 0 are.

    One further off than the trim reaches is moved as far as it goes; its answer keeps the rest of the turn. A pulse
    into a resonator lies behind its spike, so that answers come half of it later.
    """
    assert spec.oscillator is not None
    trim = spec.nodes.trim
    codes = trim.code(trim.clip(-known.detuning))
    image.trim[bank, at] = codes[at]
    answer = known.tuned(trim.value(codes))[at]
    late = np.pi * spec.oscillator.pulse_s * spec.oscillator.frequency_Hz
    return np.asarray(answer.conj() / np.abs(answer) * np.exp(1j * late))
