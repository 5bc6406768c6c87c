"""Scalar pieces of the laws' kernel forms, compiled by numba and inlined into its vectorised loops.

Constants are made in the type of the argument: a bare literal would widen float32 loops to float64.
"""

import math

__all__ = ["soft_relu", "soft_relu_slopes", "vector_tanh"]


def soft_relu(x: float, knee: float) -> float:
    """relu(x), rounded by `knee` where that is above zero."""
    real = type(x)
    if knee == real(0.0):
        return max(x, real(0.0))
    return real(0.5) * (x + math.sqrt(x * x + knee * knee))


def soft_relu_slopes(x: float, knee: float) -> tuple[float, float]:
    """Partials of `soft_relu` to x and to knee; at x = knee = 0 both are 0."""
    real = type(x)
    if knee == real(0.0):
        return (real(1.0) if x > real(0.0) else real(0.0)), real(0.0)
    root = math.sqrt(x * x + knee * knee)
    return real(0.5) * (real(1.0) + x / root), real(0.5) * knee / root


def vector_tanh(x: float) -> float:
    """tanh(x) from sums and products alone, so that it becomes vector code; error below 1e-15.

    expm1(y) by its series at y = 2x/128, then seven times expm1(2y) = expm1(y) (expm1(y) + 2).
    """
    real = type(x)
    y = max(min(x, real(20.0)), real(-20.0)) * real(1 / 64)
    series = real(1.0)
    for n in range(13, 1, -1):
        series = real(1.0) + series * y * (real(1.0) / real(n))
    m = series * y
    for _ in range(7):
        m = m * (m + real(2.0))
    return m / (m + real(2.0))
