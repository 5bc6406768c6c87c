"""What a patched machine really computes: effective coefficients, offsets and initial values, from logged runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from jackfield.board import CalibrationRecord, PatchedMachine, PatchList, Table
from jackfield.compile import PatchTwin
from jackfield.device import CHANNEL_S, HybridLog
from jackfield.errors import CalibrationError
from jackfield_calibration.lane_estimator import jacobian_of

__all__ = ["PatchFit", "calibrate_patch", "fit_patch", "gains_of"]

Floats = NDArray[np.float64]
POINTS = 32  # of the trajectory that are fitted: each the mean of the samples around it
ITERATIONS = 3
GAIN_PRIOR, OFFSET_PRIOR, START_PRIOR = 0.1, 0.03, 0.3
FIXED = 1e-9
OVERLOAD = 1.1  # full scales: beyond, the machine does not compute


@dataclass(frozen=True)
class PatchFit:
    """`gain[pot]` over what the dial says, `offset[node]`, `start[node]` as read in the first log's IC, each with its
    standard error.

    `misfit`: rms of what is left over what converter and noise explain, 1 where the equations hold.
    """

    gain: Mapping[int, tuple[float, float]]
    offset: tuple[Floats, Floats]
    start: tuple[Floats, Floats]
    misfit: float
    samples: int


def fit_patch(patch: PatchList, starts: Sequence[Sequence[HybridLog]]) -> PatchFit:
    """One joint fit, through the twin of `patch`, to logs `starts[start][repetition]`.

    The first start is the one that `patch` asks for; for the others the knobs at IC stood anywhere, which is fitted.
    Raises CalibrationError where a log shows an overload or is too short.
    """
    twin, seen = PatchTwin.of(patch), _Seen.of(starts)
    lanes = [lane for lane, pot in enumerate(twin.pots) if pot]
    counts = [len(lanes), patch.nodes, patch.nodes * len(starts)]
    shown = torch.tensor(patch.shown) - 1
    begin = torch.tensor(patch.start).double().repeat(len(starts), 1)
    begin[:, shown] = seen.mean[0]
    centre = torch.cat([torch.ones(counts[0]), torch.zeros(counts[1]), begin.reshape(-1)]).double()
    priors = (GAIN_PRIOR, OFFSET_PRIOR, START_PRIOR)
    prior = torch.cat([torch.full((n,), width) for n, width in zip(counts, priors, strict=True)]).double()
    # Where a constant comes in already, an offset is part of what its potentiometer gives: readings tell the sum only.
    prior[[counts[0] + node for node in twin.steady_nodes]] = FIXED

    def residual(theta: Tensor) -> Tensor:
        gain, offset, start = theta.split(counts)  # type: ignore[no-untyped-call]
        every = gain.new_ones(len(twin.pots)).index_put((torch.tensor(lanes),), gain)
        start = start.view(-1, patch.nodes)
        states = twin.states(every, offset, start, seen.step_s * (POINTS + 1), POINTS + 1)[:, :, shown]
        late = torch.arange(len(shown)).double() * CHANNEL_S / seen.step_s
        read = states[1:-1] + late * (states[2:] - states[1:-1])
        return (read - seen.mean) / seen.sigma

    theta = centre.clone()
    for _ in range(ITERATIONS):
        jacobian = jacobian_of(residual, theta)
        misses = residual(theta).reshape(-1)
        normal = jacobian.T @ jacobian + torch.diag(prior**-2)
        theta = theta - torch.linalg.solve(normal, jacobian.T @ misses + (theta - centre) / prior**2)
    misfit = float(residual(theta).square().mean().sqrt())
    se = (torch.linalg.inv(normal).diagonal().sqrt() * max(1.0, misfit)).numpy()
    return _found(patch, twin, theta.numpy(), se, misfit, sum(log.values.size for logs in starts for log in logs))


def _found(patch: PatchList, twin: PatchTwin, theta: Floats, se: Floats, misfit: float, samples: int) -> PatchFit:
    pots = [pot for pot in twin.pots if pot]
    at = np.cumsum([len(pots), patch.nodes, patch.nodes])
    gain, offset, start = ((theta[a:b], se[a:b]) for a, b in zip([0, *at], at, strict=False))
    gains = {pot: (float(gain[0][row]), float(gain[1][row])) for row, pot in enumerate(pots)}
    for cable in patch.cables:
        if cable.destination.startswith("IC of integrator "):
            node = int(cable.destination.rsplit(" ", 1)[1]) - 1
            gains[cable.pot] = (float(abs(start[0][node])) / cable.dial, float(start[1][node]) / cable.dial)
    return PatchFit(dict(sorted(gains.items())), offset, start, misfit, samples)


@dataclass(frozen=True)
class _Seen:
    """Means `mean[point, start, channel]` of samples of equal logs around equally spaced times, `step_s` apart."""

    mean: Tensor
    sigma: Tensor
    step_s: float

    @classmethod
    def of(cls, starts: Sequence[Sequence[HybridLog]]) -> "_Seen":
        first, repetitions = starts[0][0], min(len(logs) for logs in starts)
        samples = min(len(log.values) for logs in starts for log in logs)
        values = np.array([[log.values[:samples] for log in logs[:repetitions]] for logs in starts])
        if np.abs(values).max() > OVERLOAD:
            raise CalibrationError(
                f"a node reached {np.abs(values).max():.2f} full scales, 1 is possible; take fewer volts a unit"
            )
        width = (samples - 1) // (POINTS + 1)
        width -= 1 - width % 2  # odd, so that a sample lies in the middle
        if width < 1:
            raise CalibrationError(
                f"{samples} samples were logged, {POINTS + 2} or more are needed; take more seconds a unit"
            )
        half = width // 2
        middles = np.arange(1, POINTS + 1) * width - 1
        windows = np.stack([values[:, :, m - half : m + half + 1] for m in middles])
        # Samples scatter by noise about a slope: what neighbours differ by tells the noise, the code the rest.
        noise = np.diff(values, axis=2).std() / 2**0.5
        sigma = np.hypot(noise, first.lsb / 12**0.5) / (width * repetitions) ** 0.5
        return cls(
            torch.from_numpy(windows.mean(axis=(2, 3))),
            torch.tensor(float(sigma), dtype=torch.float64),
            width * first.interval_s,
        )


def calibrate_patch(
    patch: PatchList,
    machine: PatchedMachine,
    starts: Sequence[Sequence[HybridLog]],
    provenance: Mapping[str, Any],
) -> CalibrationRecord:
    """The record of a machine as it was wired: every second run of each start is fitted, the others verify it.

    Raises CalibrationError where a start was logged once only, or as `fit_patch` does.
    """
    if min((len(logs) for logs in starts), default=0) < 2:
        raise CalibrationError("a start was logged once; log each twice or more, so that half of the runs verify")
    fit, again = (fit_patch(patch, [logs[half::2] for logs in starts]) for half in range(2))
    given = {
        **provenance,
        "spec": machine.name,
        "spec_digest": machine.digest,
        "gauge": "volts in full scales as the hybrid port reads them, speeds nominal",
        "starts": len(starts),
        "runs": sum(len(logs) for logs in starts),
        "misfit": fit.misfit,
        "tolerance": machine.tolerance,
    }
    tables = {
        "gain_scale": _table([f"P{pot}" for pot in fit.gain], _columns(fit), _columns(again), machine, fit.samples),
        "node_offset_A": _table(_nodes(patch), fit.offset, again.offset, machine, fit.samples),
        "preset_offset_V": _table(
            _nodes(patch),
            (fit.start[0] - np.array(patch.start), fit.start[1]),
            (again.start[0] - np.array(patch.start), again.start[1]),
            machine,
            fit.samples,
        ),
    }
    return CalibrationRecord(given, tables)


def _columns(fit: PatchFit) -> tuple[Floats, Floats]:
    values, se = zip(*fit.gain.values(), strict=True)
    return np.array(values), np.array(se)


def _nodes(patch: PatchList) -> list[str]:
    return [str(node) for node in range(1, patch.nodes + 1)]


def _table(
    index: list[str], fit: tuple[Floats, Floats], again: tuple[Floats, Floats], machine: PatchedMachine, samples: int
) -> Table:
    value, se = fit
    residual, sure = again[0] - value, se <= machine.tolerance / 2
    good = (np.abs(residual) <= machine.tolerance) & sure
    reason = tuple(
        "ok" if fine else "out_of_range" if known else "noisy" for fine, known in zip(good, sure, strict=True)
    )
    reads = np.full(len(index), samples // len(index), dtype=np.int64)
    return Table(tuple(index), value, residual, se, reads, good, reason)


def gains_of(record: CalibrationRecord) -> dict[int, float]:
    """What each potentiometer gives over its dial, by its number."""
    table = record.tables["gain_scale"]
    return {int(name.removeprefix("P")): float(value) for name, value in zip(table.index, table.value, strict=True)}
