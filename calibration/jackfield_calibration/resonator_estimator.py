"""From records of resonators to what they are: a free decay's frequency and Q; answers and gains by least squares."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jackfield.errors import CalibrationError

__all__ = ["DriveFit", "RingDown", "fit_drive", "fit_ring_down"]

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]

GAIN_PRIOR = 0.1  # how far gains are thought to be from nominal, one standard deviation
DRIVE_ITERATIONS = 4
FARTHEST, STARTS = 0.15, 61  # detunings that a ring-down is searched over, relative
NEWTON_STEPS = 12


@dataclass(frozen=True)
class RingDown:
    """Decay rate (1/s, positive) and frequency of a free decay, with standard errors."""

    rate_per_s: float
    frequency_Hz: float
    rate_se: float
    frequency_se: float

    @property
    def quality(self) -> float:
        """Q = omega / (2 rate)."""
        return float(np.pi * self.frequency_Hz / self.rate_per_s)


def fit_ring_down(t_s: Floats, volts: Floats, frequency_Hz: float, quality: float) -> RingDown:
    """The best volt = Re(a exp((-rate + i omega) t)) + b through samples `volts` at `t_s`, near nominal values.

    Amplitude and offset are eliminated (variable projection); what is left, two numbers, goes by Gauss-Newton from
    the best of a row of frequencies. Neighbouring samples may share noise: the errors count what is left over in
    stretches of half a period. Raises CalibrationError where no decay is found.
    """
    t = t_s - t_s[0]
    rate = np.pi * frequency_Hz / quality
    tried = 2 * np.pi * frequency_Hz * (1 + np.linspace(-FARTHEST, FARTHEST, STARTS))
    at = np.array([rate, min(tried, key=lambda omega: float(np.sum(_rest(t, volts, rate, omega)[0] ** 2)))])
    for _ in range(NEWTON_STEPS):
        rest, slopes = _rest(t, volts, at[0], at[1])
        at = at - np.linalg.lstsq(slopes, rest, rcond=None)[0]
        at[0] = max(at[0], rate / 20)
    rest, slopes = _rest(t, volts, at[0], at[1])
    if not np.isfinite(at).all() or float(np.var(rest)) > 0.1 * float(np.var(volts)):
        raise CalibrationError(
            f"no free decay near {frequency_Hz:g} Hz is in the record; check that the resonator is driven at first"
        )
    half = max(1, round(0.5 / frequency_Hz / float(t[1])))
    whole = len(rest) // half * half
    shared = float(np.mean(rest[:whole].reshape(-1, half).mean(axis=1) ** 2)) * half  # a sample's, were they apart
    variance = max(shared, float(np.mean(rest**2)))
    se = np.sqrt(variance * np.diag(np.linalg.inv(slopes.T @ slopes)))
    return RingDown(float(at[0]), float(at[1] / 2 / np.pi), float(se[0]), float(se[1] / 2 / np.pi))


def _rest(t: Floats, volts: Floats, rate: float, omega: float) -> tuple[Floats, Floats]:
    """What the best amplitude and offset leave, and its slopes with rate and omega, what they mend taken out."""
    wave = np.exp((-rate + 1j * omega) * t)
    basis = np.stack([wave.real, -wave.imag, np.ones_like(t)], axis=1)
    unit, triangle = np.linalg.qr(basis)
    real, imaginary, offset = np.linalg.solve(triangle, unit.T @ volts)
    shown = (real + 1j * imaginary) * wave
    slopes = np.stack([-(t * shown).real, (1j * t * shown).real], axis=1)
    rest = shown.real + offset - volts
    return rest, slopes - unit @ (unit.T @ slopes)


@dataclass(frozen=True)
class DriveFit:
    """`answer` [neuron], volts a siemens; `gain_scale` [neuron, channel], mean 1 a neuron; standard errors of both.

    `misfit` [neuron] is the rms of what is left, over the rms of the phasors.
    """

    answer: Complexes
    answer_se: Floats
    gain_scale: Floats
    gain_se: Floats
    misfit: Floats


def fit_drive(drive: Complexes, phasor_V: Complexes, centre: Floats | None, *, gains: bool) -> DriveFit:
    """Answers of all neurons, phasors `phasor_V` [input, neuron], to nominal currents `drive` [input, channel], S.

    phasor = answer * sum of gain_scale * drive. Without `gains` those stay at `centre` [neuron, channel] (None: 1);
    with them they are found by least squares, a prior about `centre` filling up what the inputs do not tell. One
    matrix serves all neurons, which share codes and inputs; each complex reading counts as two.
    """
    channels, neurons = drive.shape[1], phasor_V.shape[1]
    scale = np.ones((neurons, channels)) if centre is None else centre
    nominal = drive @ scale.T
    answer = np.asarray((nominal.conj() * phasor_V).sum(axis=0) / (np.abs(nominal) ** 2).sum(axis=0))
    se = np.zeros_like(scale)
    if gains:
        scale, answer, spread = _gains(drive, phasor_V, scale, answer)
        se = np.tile(np.sqrt(np.diag(spread)[:-1]), (neurons, 1))
    rest = phasor_V - drive @ scale.T * answer
    misfit = np.sqrt(np.mean(np.abs(rest) ** 2, axis=0) / np.mean(np.abs(phasor_V) ** 2, axis=0))
    # An answer's length is that of the mean gain, its phase the last unknown; the less sure of both counts.
    relative = np.sqrt(max(spread[-1, -1], spread[:-1, :-1].mean())) if gains else misfit / np.sqrt(len(drive))
    return DriveFit(answer, np.abs(answer) * relative, scale, se, misfit)


def _gains(
    drive: Complexes, phasor_V: Complexes, centre: Floats, answer: Complexes
) -> tuple[Floats, Complexes, Floats]:
    """Gains, answers, and the covariance of a neuron's unknowns: its gains, then its answer's phase.

    The phase is fitted beside the gains: those could take up most of an error of it, so that taking turns would
    not end.
    """
    unknowns = np.concatenate([drive, 1j * drive.sum(axis=1, keepdims=True)], axis=1)
    whole = np.concatenate([unknowns.real, unknowns.imag])
    normal, prior = whole.T @ whole, np.zeros(whole.shape[1])
    scale, noise = centre.copy(), 1e-3
    power = float(np.mean(np.abs(drive.sum(axis=1)) ** 2))
    for _ in range(DRIVE_ITERATIONS):
        prior[:-1] = noise**2 * power / 2 / GAIN_PRIOR**2
        solved = np.linalg.inv(normal + np.diag(prior))
        rest = phasor_V / answer - drive @ scale.T
        right = whole.T @ np.concatenate([rest.real, rest.imag]) + prior[:, None] * _pull(centre - scale)
        step = solved @ right
        scale, answer = scale + step[:-1].T, answer * np.exp(1j * step[-1])
        mean = scale.mean(axis=1, keepdims=True)
        scale, answer = scale / mean, answer * mean[:, 0]
        rest = phasor_V / answer - drive @ scale.T
        told = float(np.trace(normal @ solved))
        left = float(np.mean(np.abs(rest) ** 2)) * 2 * len(drive) / max(2 * len(drive) - told, 1.0)
        noise = float(np.clip(np.sqrt(left / power), 1e-5, 0.1))
    return scale, answer, noise**2 * power / 2 * solved


def _pull(away: Floats) -> Floats:
    return np.concatenate([away, np.zeros((len(away), 1))], axis=1).T
