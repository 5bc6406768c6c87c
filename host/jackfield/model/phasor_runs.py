"""The same phasor network run in time, with no conversion step: by spikes, or by continuous waves.

Each layer of neurons answers a quarter period after its inputs: layer d's phases are counted from d/4. The bias is a
source of phase 0 in its layer's own frame.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jackfield.errors import DesignError
from jackfield.model.phasor_layers import PhasorConv, PhasorDense, PhasorMinPool
from jackfield.model.phasor_net import PhasorNet
from jackfield.physics import PhaseEncoding, Resonators, SpikeRule, exact_spikes, last_spikes, periodic_spikes

__all__ = [
    "largest_sums",
    "neurons_alike",
    "phasor_matrices",
    "run_continuous",
    "run_layers",
    "run_spikes",
    "spike_turns",
]

_Real = NDArray[np.float64]
_Complex = NDArray[np.complex128]
_QUARTER = 0.25


def neurons_alike(network: PhasorNet, decay: float) -> list[Resonators]:
    """Resonators of equal `decay` (a period, negative) for each layer that has neurons."""
    return [Resonators.alike(math.prod(layer.shape_out), decay) for layer in _weighted(network)]


def run_spikes(
    network: PhasorNet,
    phases: _Real,
    neurons: Sequence[Resonators],
    *,
    periods: float = 10.0,
    rule: SpikeRule | None = None,
    exact: bool = False,
    turns: Sequence[_Real] | None = None,
    jitter: float = 0.0,
    seed: int = 0,
) -> _Real:
    """Output phases [example, output] of encoded inputs [example, input] after `periods`, decoded from the last frame.

    `neurons` of each weighted layer; NaN where an output did not spike in that frame. `exact` takes the slow closed
    form for every layer, the reference of the fast ones. `turns` [neuron] of each weighted layer (`spike_turns`), in
    units of pi, are taken off its phases: by a delay of each neuron's spikes, of the outputs by the host. Each spike of
    a neuron is off by `jitter` periods, one standard deviation, drawn by `seed`. Raises DesignError where `periods`
    hold no frame.
    """
    trains = _trains(network, phases, neurons, periods, rule or SpikeRule(), exact, _Late(turns, jitter, seed))[-1]
    answers = _decoded(trains, PhaseEncoding(len(_weighted(network)) * _QUARTER), periods)
    return answers if turns is None else np.asarray(np.mod(answers - turns[-1] + 1, 2) - 1)


def spike_trains(
    network: PhasorNet, phases: _Real, neurons: Sequence[Resonators], *, periods: float = 10.0
) -> list[_Real]:
    """All spikes [example, source, slot] of encoded inputs [example, input] and of each layer, times in periods."""
    return _trains(network, phases, neurons, periods, SpikeRule(), True, _Late(None, 0.0, 0))


def _trains(
    network: PhasorNet,
    phases: _Real,
    neurons: Sequence[Resonators],
    periods: float,
    rule: SpikeRule,
    exact: bool,
    late: "_Late",
) -> list[_Real]:
    """Spikes of the inputs and of each layer; where not `exact`, the last layer's of the last frame alone."""
    layers = list(network.layers)
    last = max(place for place, layer in enumerate(layers) if not isinstance(layer, PhasorMinPool))
    found, depth = [PhaseEncoding().train(phases, periods)], 0
    for place, layer in enumerate(layers):
        encoding = PhaseEncoding(depth * _QUARTER)
        if isinstance(layer, PhasorMinPool):
            found.append(_earliest(found[-1], layer, encoding, periods))
            continue
        assert isinstance(layer, PhasorDense | PhasorConv)
        weights, cells, depth = layer.matrix().double().numpy(), neurons[depth], depth + 1
        if not exact and place == 0:
            spikes = periodic_spikes(_with_bias(phases, 0.0), weights, cells, periods, rule)
            found.append(late.of(spikes, depth - 1, place == last))
            continue
        fed = _joined(found[-1], encoding.train(np.zeros((len(phases), 1)), periods))
        if not exact and place == last:
            frame = PhaseEncoding(depth * _QUARTER).last_frame(periods)
            spikes = last_spikes(fed, weights, cells, frame, rule)[..., None]
        else:
            spikes = exact_spikes(fed, weights, cells, periods, rule)
        found.append(late.of(spikes, depth - 1, place == last))
    return found


@dataclass(frozen=True)
class _Late:
    """By how much spikes are moved: back by `turns` in units of pi, outputs not, and by jitter."""

    turns: Sequence[_Real] | None
    jitter: float
    seed: int

    def of(self, spikes: _Real, layer: int, last: bool) -> _Real:
        """The spikes [example, neuron, slot] of `layer` as they leave their neurons."""
        if self.turns is not None and not last:
            spikes = spikes - self.turns[layer][:, None] / 2
        if self.jitter:
            random = np.random.default_rng([self.seed, layer])
            spikes = spikes + self.jitter * random.standard_normal(spikes.shape)
        return spikes


def spike_turns(
    network: PhasorNet, phases: _Real, neurons: Sequence[Resonators], *, periods: float = 10.0
) -> list[_Real]:
    """By how much, in units of pi, the spikes of each neuron [neuron] come late after `periods`, a list by layer.

    Each layer is driven with the phases that the network without time has there for encoded inputs `phases`
    [example, input]; the mean direction is taken, strong sums counting more. 0 where a neuron never spikes.
    """
    weights, found = phasor_matrices(network), list[_Real]()
    begin, end = PhaseEncoding(_QUARTER).last_frame(periods)

    def weigh(number: int, fed: _Real) -> _Complex:
        sums = np.asarray(_drive(fed) @ weights[number].T)
        trains = periodic_spikes(_with_bias(fed, 0.0), weights[number], neurons[number], periods, SpikeRule())
        inside = np.where((trains >= begin) & (trains < end), trains, -np.inf).max(axis=2)
        seen = np.exp(1j * np.pi * PhaseEncoding(_QUARTER).phase(np.where(np.isfinite(inside), inside, np.nan)))
        found.append(np.asarray(np.angle(np.nansum(seen * sums.conj(), axis=0)) / np.pi))
        return sums

    run_layers(network, phases, weigh)
    return found


def run_continuous(network: PhasorNet, phases: _Real, neurons: Sequence[Resonators]) -> _Real:
    """Output phases [example, output] with settled sinusoids instead of spikes; uncorrected phases of the neurons.

    Exact at any Q up to one constant a neuron.
    """
    weights = phasor_matrices(network)
    return run_layers(network, phases, lambda number, fed: neurons[number].steady(_drive(fed) @ weights[number].T))


def run_layers(network: PhasorNet, phases: _Real, weigh: Callable[[int, _Real], _Complex]) -> _Real:
    """Output phases [example, output] with `weigh` in place of the layers' own sums.

    `weigh` takes the number of a layer with weights and its input phases [example, source] and returns phasors
    [example, neuron] of any length. Between layers the host takes the argument; pools are the host's, too.
    """
    number = 0
    for layer in network.layers:
        if isinstance(layer, PhasorMinPool):
            phases = _pooled(phases, layer)
        else:
            phases, number = np.angle(weigh(number, phases)) / np.pi, number + 1
    return phases


def largest_sums(network: PhasorNet, phases: _Real) -> list[_Real]:
    """Of each layer with weights the largest length [neuron] of its weighted sums over encoded inputs `phases`."""
    weights, largest = phasor_matrices(network), list[_Real]()

    def weigh(number: int, fed: _Real) -> _Complex:
        sums = np.asarray(_drive(fed) @ weights[number].T)
        largest.append(np.abs(sums).max(axis=0))
        return sums

    run_layers(network, phases, weigh)
    return largest


def phasor_matrices(network: PhasorNet) -> list[_Real]:
    """Weights [neuron, source + 1] of each layer that has some, the bias last; DesignError where none has."""
    return [layer.matrix().double().numpy() for layer in _weighted(network)]


def _drive(phases: _Real) -> _Complex:
    return np.asarray(np.exp(1j * np.pi * _with_bias(phases, 0.0)))


def _weighted(network: PhasorNet) -> list[PhasorDense | PhasorConv]:
    found = [layer for layer in network.layers if isinstance(layer, PhasorDense | PhasorConv)]
    if not found:
        raise DesignError("the network has no neurons; give it a layer with weights")
    return found


def _with_bias(phases: _Real, phase: float) -> _Real:
    return np.concatenate([phases, np.full((len(phases), 1), phase)], axis=1)


def _joined(trains: _Real, more: _Real) -> _Real:
    """Two sets of trains over the same examples, padded to one number of slots."""
    slots = max(trains.shape[2], more.shape[2])
    parts = [
        np.pad(part, ((0, 0), (0, 0), (0, slots - part.shape[2])), constant_values=np.nan) for part in (trains, more)
    ]
    return np.concatenate(parts, axis=1)


def _windows(values: _Real, layer: PhasorMinPool) -> _Real:
    """[example, source, ...] as [example, pooled source, member, ...]."""
    channels, rows, columns = layer.shape_out
    size, rest = layer.size, values.shape[2:]
    planes = values.reshape(len(values), *layer.shape_in, *rest)[:, :, : rows * size, : columns * size]
    split = planes.reshape(len(values), channels, rows, size, columns, size, *rest)
    return np.moveaxis(split, 4, 3).reshape(len(values), channels * rows * columns, size * size, *rest)


def _pooled(phases: _Real, layer: PhasorMinPool) -> _Real:
    return np.asarray(_windows(phases, layer).min(axis=2))


def _earliest(trains: _Real, layer: PhasorMinPool, encoding: PhaseEncoding, periods: float) -> _Real:
    """The first spike of each window in each frame."""
    members = _windows(trains, layer)
    frames = np.floor(members - encoding.delay)
    out = np.full((*members.shape[:2], int(np.ceil(periods)) + 2), np.nan)
    for slot in range(out.shape[2]):
        inside = np.where(frames == slot - 1, members, np.inf).min(axis=(2, 3))
        out[..., slot] = np.where(np.isfinite(inside), inside, np.nan)
    return out


def _decoded(trains: _Real, encoding: PhaseEncoding, periods: float) -> _Real:
    """The phase of the last spike in the last whole frame."""
    begin, end = encoding.last_frame(periods)
    inside = np.where((trains >= begin) & (trains < end), trains, -np.inf).max(axis=2)
    return encoding.phase(np.where(np.isfinite(inside), inside, np.nan))
