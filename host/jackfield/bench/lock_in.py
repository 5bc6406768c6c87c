"""Phasors of oscillating nodes from waveforms: a digital lock-in against the reference channel of the same record.

Of each slot the settling is dropped and whole periods are read. The window is a whole number of periods but rarely of
samples, so cosine, sine and offset are fitted by least squares: the lock-in without the leakage of cut samples.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from jackfield.bench.clock import fit_clock
from jackfield.bench.digitizer import Waveform
from jackfield.board import BoardSpec, OscillatorSpec, RunProgram, schedule
from jackfield.errors import DesignError, InstrumentError

__all__ = ["Phasors", "decode_phasors"]

_FEWEST = 8  # samples of a slot; three are fitted


@dataclass(frozen=True)
class Phasors:
    """Amplitude and phase of nodes, volt = Re(phasor exp(i 2 pi f t)), t such that the reference has phase 0.

    `phasor_V` complex [input, node]; `phase_se_rad` standard error of its phase; `clipped` [input, node].
    """

    nodes: tuple[int, ...]
    phasor_V: NDArray[np.complex128]
    phase_se_rad: NDArray[np.float64]
    clipped: NDArray[np.bool_]

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Batches of one scan, one after the other."""
        names = ("phasor_V", "phase_se_rad", "clipped")
        return cls(parts[0].nodes, *(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def decode_phasors(waveforms: Sequence[Waveform], spec: BoardSpec, program: RunProgram, reference_V: float) -> Phasors:
    """Phasors `[input, node]` of a scan whose lists all begin with the reference channel, which is left out.

    Each is divided by the reference of its own input and probe, so that gains and delays of the probe cancel.
    Raises DesignError where a list begins otherwise or the board has no resonators, InstrumentError as `decode`.
    """
    oscillator = spec.oscillator
    if oscillator is None or any(nodes[:1] != (spec.nodes.count,) for nodes in program.scan):
        raise DesignError(
            f"phasors are asked of board {spec.name}; that takes a board of kind 'oscillator' and scan lists that "
            f"begin with its reference channel, node {spec.nodes.count}"
        )
    plan = schedule(spec, program)
    clock = fit_clock(waveforms, plan, reference_V)
    parts = []
    for waveform, nodes in zip(waveforms, program.scan, strict=True):
        starts = plan.slot_start_s[:, 2 : 2 + len(nodes)] + spec.probe.settle_fraction * plan.slot_s
        samples = int(oscillator.cycles / oscillator.frequency_Hz * clock.ratio / waveform.step_s)
        first = np.ceil(clock.sample(waveform, starts)).astype(np.int64)
        if samples < _FEWEST or first.min() < 0 or first.max() + samples > len(waveform.volts):
            raise InstrumentError("the record is too short or too coarse for whole periods; choose more points")
        board_s = (waveform.start_s + first * waveform.step_s - clock.offset_s) / clock.ratio
        zero_s = plan.slot_start_s[:, :1]
        times = (board_s - zero_s)[..., None] + np.arange(samples) * (waveform.step_s / clock.ratio)
        index = first[..., None] + np.arange(samples)
        phasor, se = _fitted(waveform.volts[index].astype(np.float64), times, oscillator)
        clipped = np.zeros(first.shape, dtype=np.bool_)
        if waveform.clipped is not None:
            clipped |= waveform.clipped[index].any(axis=-1)
        parts.append(_related(phasor, se, clipped, oscillator.drive_V))
    nodes = tuple(node for scanned in program.scan for node in scanned[1:])
    return Phasors(nodes, *(np.concatenate(arrays, axis=1) for arrays in zip(*parts, strict=True)))


def _fitted(
    volts: NDArray[np.float64], times_s: NDArray[np.float64], oscillator: OscillatorSpec
) -> tuple[NDArray[np.complex128], NDArray[np.float64]]:
    """Phasors `[input, slot]` of volts `[input, slot, sample]` and the standard error of each of their parts."""
    angle = 2 * np.pi * oscillator.frequency_Hz * times_s
    design = np.stack([np.cos(angle), -np.sin(angle), np.ones_like(angle)], axis=-1)
    normal = np.einsum("...si,...sj->...ij", design, design)
    found = np.linalg.solve(normal, np.einsum("...si,...s->...i", design, volts)[..., None])[..., 0]
    rest = volts - np.einsum("...si,...i->...s", design, found)
    variance = float(np.mean(rest**2)) * volts.shape[-1] / (volts.shape[-1] - 3)  # one noise in all slots
    return found[..., 0] + 1j * found[..., 1], np.sqrt(2 * variance / volts.shape[-1]) * np.ones(found.shape[:-1])


def _related(
    phasor: NDArray[np.complex128], se: NDArray[np.float64], clipped: NDArray[np.bool_], drive_V: float
) -> tuple[NDArray[np.complex128], NDArray[np.float64], NDArray[np.bool_]]:
    reference = phasor[:, :1]
    error = np.hypot(se[:, 1:] / np.abs(phasor[:, 1:]), se[:, :1] / np.abs(reference))
    return phasor[:, 1:] / reference * drive_V, error, clipped[:, 1:] | clipped[:, :1]
