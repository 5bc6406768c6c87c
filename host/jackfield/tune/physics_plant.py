"""A plant in `physics`: ideal, or with the devices and the reading of a real one."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import ceil
from typing import final

import torch
from torch import Tensor

from jackfield.errors import DesignError
from jackfield.physics import Circuit, Slice, Waveform, integrate, jacobian, node_currents
from jackfield.tune.plant import Ability, Parameters, Settled

__all__ = ["PhysicsPlant", "Reading", "with_parameters"]

PATIENCE = 20  # durations of the slice that a plant is given to settle
NEAR_RAIL = 0.98


@dataclass(frozen=True)
class Reading:
    """A converter of `bits` over +-`full_scale` behind white noise of rms `noise`."""

    bits: int
    full_scale: float
    noise: float
    seed: int = 0


@final
class PhysicsPlant:
    """See Plant. `actual` turns the circuit that was asked for into the one that is there (mismatch, offsets);
    the slice lasts as long as one look at whether the state still moves, in `steps` steps.

    Raises DesignError on circuits of several slices, of other than float64 or of several boards.
    """

    def __init__(
        self,
        circuit: Circuit,
        *,
        actual: Callable[[Circuit], Circuit] = lambda circuit: circuit,
        reading: Reading | None = None,
        steps: int = 64,
    ) -> None:
        if len(circuit.slices) != 1 or circuit.dtype != torch.float64 or circuit.boards is not None:
            raise DesignError(
                f"a plant has one slice, float64 and one board; got {len(circuit.slices)} slices of {circuit.dtype}"
                + (f" for {circuit.boards} boards" if circuit.boards else "")
            )
        self._actual, self._reading, self._steps = actual, reading, steps
        self._noise = torch.Generator().manual_seed(reading.seed if reading else 0)
        self._circuit, self._there = circuit, actual(circuit)
        self.passes = self.reads = 0

    @property
    def circuit(self) -> Circuit:
        """See Plant."""
        return self._circuit

    @property
    def abilities(self) -> frozenset[Ability]:
        """See Plant."""
        return frozenset(Ability)

    def configure(self, parameters: Parameters) -> None:
        """See Plant."""
        self._circuit = with_parameters(self._circuit, parameters)
        self._there = self._actual(self._circuit)

    def settle(self, start: Tensor, injection: Tensor | None = None, driven: tuple[int, ...] = ()) -> Settled:
        """See Plant; a state at rest is the fixed point to rounding."""
        held = (*self._there.clamped, *(node for node in driven if node not in self._there.clamped))
        circuit = replace(self._there, slices=(self._slice(injection),), clamped=held)
        v, still = start, torch.zeros(len(start), dtype=torch.bool)
        for _ in range(PATIENCE):
            before, v = v, integrate(circuit, v, steps=self._steps)[-1]
            still = (v - before).abs().amax(-1) < 1e-4
            if bool(still.all()):
                break
        railed = _railed(circuit, v)
        inside = still & ~railed.any(-1)
        v = torch.where(inside[:, None], _at_rest(circuit, v), v)
        self._count(v)
        return Settled(self._read(v), still, railed)

    def transient(self, start: Tensor, points: int, duration: float, injection: Tensor | None = None) -> Tensor:
        """See Plant."""
        wave = None if injection is None else Waveform(injection)
        part = replace(self._there.slices[0], duration=duration, injection=_sum(self._there, wave))
        circuit = replace(self._there, slices=(part,))
        gaps = points - 1
        each = ceil(self._steps * duration / (self._there.slices[0].duration * gaps))
        run = torch.cat([start[None], integrate(circuit, start, steps=each * gaps, snapshots=gaps)])
        self._count(run)
        return self._read(run)

    def _slice(self, injection: Tensor | None) -> Slice:
        part = self._there.slices[0]
        if injection is None:
            return part
        have = part.injection
        assert not isinstance(have, Waveform)
        return replace(part, injection=injection if have is None else injection + have)

    def _count(self, values: Tensor) -> None:
        self.passes += values.shape[-2]
        self.reads += values.numel()

    def _read(self, values: Tensor) -> Tensor:
        if self._reading is None:
            return values
        step = 2 * self._reading.full_scale / 2**self._reading.bits
        noise = torch.randn(values.shape, generator=self._noise, dtype=values.dtype)
        return torch.mul(torch.round((values + self._reading.noise * noise) / step), step)


def with_parameters(circuit: Circuit, parameters: Parameters) -> Circuit:
    """`circuit` of one slice with other parameters of its edges."""
    (part,) = circuit.slices
    edges = tuple(replace(one, parameters=dict(values)) for one, values in zip(part.edges, parameters, strict=True))
    return replace(circuit, slices=(replace(part, edges=edges),))


def _sum(circuit: Circuit, wave: Waveform | None) -> Tensor | Waveform | None:
    have = circuit.slices[0].injection
    if wave is None or have is None:
        return wave if have is None else have
    assert not isinstance(have, Waveform)
    return Waveform(wave.points + have)


def _railed(circuit: Circuit, v: Tensor) -> Tensor:
    if circuit.rails is None:
        return torch.zeros_like(v, dtype=torch.bool)
    low, high = circuit.rails
    railed = (v < NEAR_RAIL * low) | (v > NEAR_RAIL * high)
    railed[:, [node - 1 for node in circuit.clamped]] = False
    return railed


def _at_rest(circuit: Circuit, v: Tensor) -> Tensor:
    """Newton's steps from a state that hardly moves any more."""
    free = [n for n in range(circuit.nodes) if n + 1 not in circuit.clamped]
    for _ in range(12):
        current = node_currents(circuit, 0, v)[:, 1:][:, free]
        slopes = jacobian(circuit, 0, v)[:, free][:, :, free]
        move = torch.linalg.solve(slopes, -current)
        v = v.index_add(1, torch.tensor(free), move)
        if float(move.abs().max()) < 1e-15:
            break
    return v
