"""Waveforms and a schedule make a measurement.

Every slot is known from the board's timing; only the instrument's clock has to be found, from the edges
between the ground and the reference slot. Of each slot the first `settle_fraction` is dropped and the rest
averaged. Ground and reference are the same two quantities throughout a batch, so their mean over the
batch corrects every reading of that probe.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jackfield.bench.clock import Clock, fit_clock
from jackfield.bench.digitizer import Waveform
from jackfield.bench.slots import GUARD, SlotReadings, read_slots
from jackfield.board import BoardSpec, Measurement, RunProgram, Schedule, schedule
from jackfield.errors import InstrumentError

__all__ = ["Trace", "decode", "decode_watch"]

RAILED = 0.98
ENOUGH_RECORDS = 8  # below this many, the scatter between records is too uncertain to be used


@dataclass(frozen=True)
class Trace:
    """Node voltages `[probe, sample]` during RUN at times `t_s` after its start, in volts at the reference."""

    t_s: NDArray[np.float64]
    volts: NDArray[np.float64]
    clipped: bool


@dataclass(frozen=True)
class _Probe:
    """What one probe's waveform says about its own offset and gain."""

    slots: SlotReadings
    ground_V: float
    span_V: float
    ground_se: float
    reference_se: float

    def corrected(self, raw: NDArray[np.float64], reference_V: float) -> NDArray[np.float64]:
        """Raw volts at the instrument as volts at the reference."""
        return (raw - self.ground_V) * (reference_V / self.span_V)


def decode(waveforms: Sequence[Waveform], spec: BoardSpec, program: RunProgram, reference_V: float) -> Measurement:
    """Node voltages `[input, node]` at HOLD, nodes in the order of the scan lists, probe after probe.

    `waveforms` has one entry a board probe, `reference_V` is the voltage behind slot 1. Raises
    InstrumentError where a waveform does not cover the schedule or shows no reference edges.
    """
    plan = schedule(spec, program)
    clock = fit_clock(waveforms, plan, reference_V)
    probes = [_probe(waveform, plan, clock, spec, p) for p, waveform in enumerate(waveforms)]
    values, errors, clipped = [], [], []
    for probe, nodes in zip(probes, program.scan, strict=True):
        scanned = slice(2, 2 + len(nodes))
        value = probe.corrected(probe.slots.mean_V[:, scanned], reference_V)
        share = value / reference_V
        variance = probe.slots.se_V[:, scanned] ** 2
        variance += ((1 - share) * probe.ground_se) ** 2 + (share * probe.reference_se) ** 2
        values.append(value)
        errors.append(np.sqrt(variance) * abs(reference_V / probe.span_V))
        clipped.append(probe.slots.clipped[:, scanned] | probe.slots.clipped[:, :2].any())
    values_V = np.concatenate(values, axis=1)
    low, high = spec.nodes.rail_V
    return Measurement(
        nodes=tuple(node for nodes in program.scan for node in nodes),
        values_V=values_V,
        se_V=np.concatenate(errors, axis=1),
        clipped=np.concatenate(clipped, axis=1),
        railed=(values_V > RAILED * high) | (values_V < RAILED * low),
        ground_V=np.stack([probe.slots.mean_V[:, 0] for probe in probes], axis=1),
        reference_V=np.stack([probe.slots.mean_V[:, 1] for probe in probes], axis=1),
        clock_ratio=1.0 / clock.ratio,
    )


def decode_watch(waveforms: Sequence[Waveform], spec: BoardSpec, program: RunProgram, reference_V: float) -> Trace:
    """The live trace of a WATCH record; arguments and errors as for `decode`."""
    plan = schedule(spec, program)
    clock = fit_clock(waveforms, plan, reference_V)
    probes = [_probe(waveform, plan, clock, spec, p) for p, waveform in enumerate(waveforms)]
    start, stop = (clock.sample(waveforms[0], np.array(t)) for t in (plan.watch_start_s, plan.watch_stop_s))
    guard = GUARD * plan.slot_s / waveforms[0].step_s
    live = np.arange(int(np.ceil(start + guard)), int(np.floor(stop - guard)) + 1)
    if live[0] < 0 or live[-1] >= len(waveforms[0].volts):
        raise InstrumentError("the record ends before the watched run does; choose a longer window")
    traces = [
        probe.corrected(waveform.volts[live].astype(np.float64), reference_V)
        for probe, waveform in zip(probes, waveforms, strict=True)
    ]
    clipped = any(waveform.clipped is not None and waveform.clipped[live].any() for waveform in waveforms)
    clipped |= any(bool(probe.slots.clipped.any()) for probe in probes)
    return Trace((live - start) * (waveforms[0].step_s / clock.ratio), np.stack(traces), bool(clipped))


def _probe(waveform: Waveform, plan: Schedule, clock: Clock, spec: BoardSpec, number: int) -> _Probe:
    slots = read_slots(waveform, plan, clock, spec.probe.settle_fraction, number + 1)
    records = len(slots.mean_V)
    means = slots.mean_V[:, :2].mean(axis=0)
    variances = (slots.se_V[:, :2] ** 2).mean(axis=0)
    if records >= ENOUGH_RECORDS:
        # What varies from slot to slot does not show in the scatter within one: it is added to every slot.
        between = slots.mean_V[:, :2].var(axis=0, ddof=1)
        excess = max(float((between - variances).mean()), 0.0)
        variances = variances + excess
        slots = SlotReadings(slots.mean_V, np.sqrt(slots.se_V**2 + excess), slots.clipped)
    errors = np.sqrt(variances / records)
    return _Probe(slots, float(means[0]), float(means[1] - means[0]), float(errors[0]), float(errors[1]))
