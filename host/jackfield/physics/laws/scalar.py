"""Scalar pieces of the laws' kernel forms, compiled by numba and inlined into its vectorised loops.

Constants are made in the type of the argument: a bare literal would widen float32 loops to float64.
"""

import math

__all__ = ["soft_relu", "soft_relu_slopes"]


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
