"""Calibrates a board of resonators: frequency and Q by ring-down, each neuron's answer, the matrix of gains."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jackfield.board import BoardSpec, CalibrationRecord, Table
from jackfield.compile import nominal_answer
from jackfield_calibration.plan import Plan, RecordTime, planned_step
from jackfield_calibration.reader import Reader
from jackfield_calibration.resonator_estimator import DriveFit, RingDown, fit_drive, fit_ring_down
from jackfield_calibration.resonator_routines import DriveRoutine, RingDownRoutine
from jackfield_calibration.routine import Routine

__all__ = ["calibrate_resonators", "plan_resonators"]

Floats = NDArray[np.float64]

FEWEST_INPUTS, INPUTS_A_CHANNEL = 128, 0.65
"""Inputs of random phases: what each neuron's answer takes, and what each channel's gains take, whose readings count
twice; as many again to verify."""
RAILED = 0.98  # of the rail
SAME_FREQUENCY, SAME_QUALITY = 5e-4, 0.02  # within what two ring-downs agree
TAGS = ("measure", "verify")


def plan_resonators(spec: BoardSpec, level: str, record_s: RecordTime) -> Plan:
    """What `calibrate_resonators` will set and read."""
    assert spec.oscillator is not None
    routines: list[Routine] = [RingDownRoutine(spec, tag) for tag in TAGS]
    routines += [DriveRoutine(spec, tag, _memories(spec, level), 0) for tag in TAGS]
    steps = tuple(planned_step(spec, routine, record_s) for routine in routines)
    return Plan(steps, spec.cell_count if level == "cells" else 4 * spec.oscillator.neurons)


def calibrate_resonators(
    spec: BoardSpec, reader: Reader, level: str, seed: int, given: Mapping[str, Any], plan: Plan
) -> CalibrationRecord:
    """The record of a board; each value is verified on fresh runs, with other codes where it is about cells."""
    rung, rung_again = (_ring_downs(spec, reader, tag) for tag in TAGS)
    gains = level == "cells"
    fit = fit_drive(
        *_driven(spec, reader, DriveRoutine(spec, "measure", _memories(spec, level), seed)), None, gains=gains
    )
    fresh = _driven(spec, reader, DriveRoutine(spec, "verify", _memories(spec, level), seed))
    again = fit_drive(*fresh, fit.gain_scale, gains=gains)
    provenance = {
        **given,
        "spec": spec.name,
        "spec_digest": spec.digest,
        "gauge": "gains of a neuron's cells 1 on average, phases against the reference channel",
        "planned_settings": plan.settings,
        "planned_reads": plan.reads,
        "settings": reader.settings,
        "reads": reader.reads,
        "reads_per_parameter": reader.reads / plan.parameters,
        "misfit": float(np.sqrt(np.mean(fit.misfit**2))),
        "tolerance": {"gain_lsb": spec.tolerance.gain_lsb, "preset_lsb": spec.tolerance.preset_lsb},
    }
    tables = _ring_tables(spec, rung, rung_again) | _answer_tables(spec, fit, again)
    return CalibrationRecord(provenance, tables | (_gain_table(spec, fit, again) if gains else {}))


def _memories(spec: BoardSpec, level: str) -> int:
    """Memories full of inputs."""
    assert spec.oscillator is not None
    channels = spec.nodes.count - spec.oscillator.neurons
    inputs = max(FEWEST_INPUTS, INPUTS_A_CHANNEL * channels if level == "cells" else 0.0)
    return math.ceil(inputs / spec.run.inputs)


def _ring_downs(spec: BoardSpec, reader: Reader, tag: str) -> list[RingDown]:
    oscillator = spec.oscillator
    assert oscillator is not None
    found: dict[int, RingDown] = {}
    for setting in RingDownRoutine(spec, tag).settings():
        t_s, volts = reader.watch("ring-down", setting)
        let_go = setting.program.steps[0][1] * spec.run.tick_s + spec.run.bank_switch_s
        free = t_s > let_go + 0.5 / oscillator.frequency_Hz  # past the switch itself
        for probe, (node,) in enumerate(setting.program.scan):
            found[node] = fit_ring_down(
                t_s[free], volts[probe, free], oscillator.frequency_Hz, oscillator.quality(spec.nodes)
            )
    return [found[node] for node in sorted(found)]


def _driven(
    spec: BoardSpec, reader: Reader, routine: DriveRoutine
) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
    """Nominal currents [input, channel] for a volt of drive, S, and the phasors [input, neuron] that they made."""
    assert spec.oscillator is not None
    neurons, drives, phasors = spec.oscillator.neurons, [], []
    for setting in routine.settings():
        read, usable = reader.phasors(routine.name, setting)
        usable &= np.abs(read) < RAILED * spec.nodes.rail_V[1]
        channels = setting.inputs[:, neurons:]
        siemens = spec.groups[0].parameters["gain"].value(setting.image.codes["gain"][0, : channels.shape[1]])
        kept = usable.all(axis=1)
        drives.append(np.exp(1j * np.pi * spec.nodes.preset.value(channels))[kept] * siemens)
        phasors.append(read[kept])
    return np.concatenate(drives), np.concatenate(phasors)


@dataclass(frozen=True)
class _Column:
    """One quantity's numbers, rows alike: `limit` is what residual and, halved, the error must be within."""

    value: Floats
    residual: Floats
    se: Floats
    limit: float
    reads: int

    def table(self, index: tuple[str, ...]) -> Table:
        sure = self.se <= self.limit / 2
        good = sure & (np.abs(self.residual) <= self.limit)
        reason = tuple(
            "ok" if fine else "out_of_range" if known else "noisy" for fine, known in zip(good, sure, strict=True)
        )
        reads = np.full(len(index), self.reads, dtype=np.int64)
        return Table(index, self.value, self.residual, self.se, reads, good, reason)


def _ring_tables(spec: BoardSpec, rung: list[RingDown], again: list[RingDown]) -> dict[str, Table]:
    oscillator = spec.oscillator
    assert oscillator is not None
    hertz, quality = oscillator.frequency_Hz, oscillator.quality(spec.nodes)
    detuning, fresh = (np.array([ring.frequency_Hz / hertz - 1 for ring in rings]) for rings in (rung, again))
    ratio, ratio_again = (np.array([ring.quality / quality for ring in rings]) for rings in (rung, again))
    detuning_se = np.array([ring.frequency_se / hertz for ring in rung])
    ratio_se = ratio * np.array([ring.rate_se / ring.rate_per_s for ring in rung])
    index = tuple(str(node + 1) for node in range(len(rung)))
    return {
        "detuning": _Column(detuning, fresh - detuning, detuning_se, SAME_FREQUENCY, 2).table(index),
        "quality_ratio": _Column(ratio, ratio_again - ratio, ratio_se, SAME_QUALITY, 2).table(index),
    }


def _answer_tables(spec: BoardSpec, fit: DriveFit, again: DriveFit) -> dict[str, Table]:
    ratio, fresh = fit.answer / nominal_answer(spec), again.answer / fit.answer
    limit, index = _gain_limit(spec), tuple(str(node + 1) for node in range(len(ratio)))
    se = fit.answer_se / np.abs(fit.answer)
    size, reads = np.abs(ratio), 2 * len(fit.misfit)
    return {
        "neuron_gain": _Column(size, size * (np.abs(fresh) - 1), size * se, limit, reads).table(index),
        "neuron_phase_rad": _Column(np.angle(ratio), np.angle(fresh), se, limit, reads).table(index),
    }


def _gain_table(spec: BoardSpec, fit: DriveFit, again: DriveFit) -> dict[str, Table]:
    residual = (again.gain_scale - fit.gain_scale).ravel()
    index = tuple(str(cell) for cell in spec.cells)
    column = _Column(fit.gain_scale.ravel(), residual, fit.gain_se.ravel(), _gain_limit(spec), 2)
    return {"gain_scale": column.table(index)}


def _gain_limit(spec: BoardSpec) -> float:
    """The tolerance of a gain, relative to the largest; an answer's, too, whose phase turns by as many radians."""
    gain = spec.groups[0].parameters["gain"]
    return spec.tolerance.gain_lsb * gain.lsb / gain.hi
