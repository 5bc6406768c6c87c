"""Compiled loops behind `spikes`: closed forms between the edges of box currents.

In a stretch of constant S: z(h) = z e^(k h) + S (e^(k h) - 1)/k and z'(h) = (k z + S) e^(k h), so that Im z has at
most one maximum in less than a period: where the angle of z' passes pi.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numba.extending import register_jitable
from numpy.typing import NDArray

_Real = NDArray[np.float64]
_Complex = NDArray[np.complex128]
_F = TypeVar("_F", bound=Callable[..., Any])
_NEWTON_STEPS = 8
_CLOSE = 1e-3  # periods; the next move would be about its square
_LOOKED_THROUGH = 1.25  # the first periods, where a spike may have no predecessor a period before
_STEP, _FINE_STEP = 0.125, 0.02  # between looks; the fine one where a period may have several maxima: 0.05 missed a few
_FAIR = 0.5  # of the fundamental's slope, what the harmonics' may sum to where one maximum a period is expected


def _compiled(function: _F) -> _F:
    return cast(_F, numba.njit(nogil=True, cache=True, error_model="numpy")(function))


@register_jitable
def _sorted_edges(trains: _Real, begin: float, end: float, half: float) -> tuple[Any, Any, Any]:
    """Times, sources and signs of the edges of all currents strictly inside begin..end, in order."""
    most = 2 * trains.size
    times, sources, signs, count = np.empty(most), np.empty(most, np.int64), np.empty(most), 0
    for source in range(trains.shape[0]):
        for at in trains[source]:
            for sign in (1.0, -1.0):
                edge = at - sign * half
                if begin < edge < end:  # NaN is neither
                    times[count], sources[count], signs[count] = edge, source, sign
                    count += 1
    order = np.argsort(times[:count], kind="mergesort")
    return times[:count][order], sources[:count][order], signs[:count][order]


@register_jitable
def _current_at(trains: _Real, weights: _Real, time: float, half: float) -> float:
    """The current just after `time`."""
    total = 0.0
    for source in range(trains.shape[0]):
        for at in trains[source]:
            if at - half <= time < at + half:
                total += weights[source]
    return total


@register_jitable
def _peak(slope: complex, k: complex, step: float, next_slope: complex) -> float:
    """When within `step` Im z has its maximum, -1 where it has none; a jump of z' downwards at the end is one, too."""
    if slope.imag > 0:
        at = (np.pi - np.angle(slope)) / k.imag
        if at < step:
            return at
        if next_slope.imag <= 0:
            return step
    return -1.0


@register_jitable
def _search(
    start: tuple[complex, float, float, float],
    k: complex,
    weights: _Real,
    edges: tuple[Any, Any, Any],
    limits: tuple[float, float],
    out: _Real,
) -> int:
    """Follow one neuron from start (z, current, begin, end) along the edges; peaks go to `out`, their count returns."""
    (z, current, now, end), (times, sources, signs), (threshold, refractory) = start, edges, limits
    count, last = 0, -np.inf
    for number in range(len(times) + 1):
        until = times[number] if number < len(times) else end
        step = until - now
        grow = np.exp(k * step)
        slope = k * z + current
        following = current
        if number < len(times):
            following += signs[number] * weights[sources[number]]
        after = z * grow + current * (grow - 1) / k
        at = _peak(slope, k, step, k * after + following)
        if at >= 0.0 and now + at - last >= refractory:
            bent = np.exp(k * at)
            if (z * bent + current * (bent - 1) / k).imag > threshold and count < len(out):
                last = now + at
                out[count] = last
                count += 1
        z, current, now = after, following, until
    return count


@_compiled
def exact(
    trains: _Real,
    weights: _Real,
    k: _Complex,
    periods: float,
    half: float,
    threshold: float,
    refractory: float,
    out: _Real,
) -> None:
    """All spikes [example, neuron, slot] from 0 to `periods`."""
    for example in range(trains.shape[0]):
        edges = _sorted_edges(trains[example], 0.0, periods, half)
        for neuron in range(len(k)):
            w = weights[neuron]
            start = (0j, _current_at(trains[example], w, 0.0, half), 0.0, periods)
            _search(start, k[neuron], w, edges, (threshold, refractory), out[example, neuron])


@_compiled
def last(
    trains: _Real,
    weights: _Real,
    k: _Complex,
    begin: float,
    end: float,
    half: float,
    threshold: float,
    refractory: float,
    out: _Real,
) -> None:
    """The last spike [example, neuron] in begin..end; the search starts one refractory time earlier."""
    early = max(begin - refractory, 0.0)
    found = np.empty(int((end - early) / refractory) + 2)
    for example in range(trains.shape[0]):
        edges = _sorted_edges(trains[example], early, end, half)
        past = np.empty(trains.shape[1], np.complex128)
        on = np.empty(trains.shape[1])
        for neuron in range(len(k)):
            if neuron == 0 or k[neuron] != k[neuron - 1]:
                _remember(trains[example], k[neuron], early, half, past, on)
            w = weights[neuron]
            z, current = 0j, 0.0
            for source in range(len(past)):
                z += w[source] * past[source]
                current += w[source] * on[source]
            count = _search((z, current, early, end), k[neuron], w, edges, (threshold, refractory), found)
            if count and found[count - 1] >= begin:
                out[example, neuron] = found[count - 1]


@register_jitable
def _remember(trains: _Real, k: complex, time: float, half: float, past: _Complex, on: _Real) -> None:
    """What a weight of 1 from each source has left in z at `time`, and its current just after."""
    whole = (1 - np.exp(-2 * half * k)) / k
    for source in range(trains.shape[0]):
        total, flowing = 0j, 0.0
        for at in trains[source]:
            first = at - half
            if first < 0.0 < at + half:  # cut off by the start of the run
                total += (np.exp(k * time) - np.exp(k * max(time - at - half, 0.0))) / k
            elif 0.0 <= first < time:
                if at + half <= time:
                    total += np.exp(k * (time - first)) * whole
                else:
                    total += (np.exp(k * (time - first)) - 1) / k
            if first <= time < at + half:
                flowing += 1.0
        past[source], on[source] = total, flowing


@_compiled
def periodic(series: _Complex, k: _Complex, periods: float, threshold: float, refractory: float, out: _Real) -> None:
    """Spikes [example, neuron, slot] of periodic currents, Fourier terms [order, example, neuron], that begin at 0."""
    orders = series.shape[0]
    even, odd = np.empty(orders), np.empty(orders)
    for example in range(series.shape[1]):
        for neuron in range(len(k)):
            rate, start = k[neuron], 0j
            for order in range(orders):
                turn = 2j * np.pi * order
                ahead = series[order, example, neuron] / (turn - rate)
                behind = series[order, example, neuron].conjugate() / (-turn - rate) if order else 0j
                start += ahead + behind
                even[order], odd[order] = ahead.imag + behind.imag, ahead.real - behind.real
            _cycles(even, odd, start, rate, (periods, threshold, refractory), out[example, neuron])


@register_jitable
def _cycles(even: _Real, odd: _Real, start: complex, k: complex, run: tuple[float, float, float], out: _Real) -> None:
    """Maxima of Im z: the first cycles are looked through, then one a cycle from where the one before it was.

    Where the harmonics' slopes together can outdo the fundamental's, all cycles are looked through.
    """
    periods, threshold, refractory = run
    fundamental, harmonics = np.hypot(even[1], odd[1]), 0.0
    for order in range(2, len(even)):
        harmonics += order * np.hypot(even[order], odd[order])
    manifold = harmonics > _FAIR * fundamental
    settled = np.arctan2(odd[1], even[1]) / (2 * np.pi) % 1.0
    count, last, before, slope_before = 0, -np.inf, 0.0, 0.0
    step, end = (_FINE_STEP, periods) if manifold else (_STEP, min(_LOOKED_THROUGH, periods))
    at = step / 2
    while before < end and count < len(out):
        _, slope, _ = _derivatives(even, odd, start, k, at)
        if slope_before > 0.0 >= slope:
            guess = before + (at - before) * slope_before / (slope_before - slope)
            peak = _newton(even, odd, start, k, guess, threshold)
            if 0.0 < peak < periods and peak - last >= refractory:
                out[count], last = peak, peak
                count += 1
        before, slope_before, at = at, slope, at + step
    guess = (last if count else settled) + 1.0
    while not manifold and guess < periods + 0.5 and count < len(out):
        peak = _newton(even, odd, start, k, guess, threshold)
        if 0.0 < peak < periods and peak - last >= refractory:
            out[count], last, guess = peak, peak, peak + 1.0
            count += 1
        else:
            guess = np.floor(guess - settled + 0.5) + 1.0 + settled


@register_jitable
def _newton(even: _Real, odd: _Real, start: complex, k: complex, guess: float, threshold: float) -> float:
    """The maximum of Im z above the threshold within half a period of `guess`, -1 where none is."""
    at = guess
    for _ in range(_NEWTON_STEPS):
        height, slope, bend = _derivatives(even, odd, start, k, at)
        if bend >= 0.0:
            return -1.0
        move = slope / bend
        at -= move
        if abs(move) < _CLOSE:
            return at if height > threshold and abs(at - guess) < 0.5 else -1.0
    return -1.0


@register_jitable
def _derivatives(even: _Real, odd: _Real, start: complex, k: complex, at: float) -> tuple[float, float, float]:
    """Im z, its first and its second derivative to time at `at`: a Fourier series less what fades from the start."""
    fading = -start * np.exp(k * at)
    height, slope, bend = fading.imag, (k * fading).imag, (k * k * fading).imag
    c, s = np.cos(2 * np.pi * at), np.sin(2 * np.pi * at)
    real, imaginary = 1.0, 0.0
    for order in range(len(even)):
        rate = 2 * np.pi * order
        term = even[order] * real + odd[order] * imaginary
        height += term
        slope += rate * (odd[order] * real - even[order] * imaginary)
        bend -= rate * rate * term
        real, imaginary = real * c - imaginary * s, real * s + imaginary * c
    return height, slope, bend
