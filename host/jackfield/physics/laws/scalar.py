"""Pieces of the laws' kernel forms: plain functions of numbers that numba compiles for scalars and vectors alike.

They choose by arithmetic, never by `if`, for the elements of a vector choose differently.
"""

import math

__all__ = ["at_least", "at_most", "soft_relu", "soft_relu_slopes", "tanh", "tanh_single", "where_positive"]

_SMALLEST_ROOT = 1e-30  # of float32 and float64 alike


def at_least(x: float, low: float) -> float:
    """The larger of two numbers."""
    return x if x > low else low


def at_most(x: float, high: float) -> float:
    """The smaller of two numbers."""
    return x if x < high else high


def where_positive(x: float, value: float) -> float:
    """`value` where x > 0, else 0."""
    return value if x > 0.0 else 0.0 * value


def soft_relu(x: float, knee: float | None) -> float:
    """relu(x), rounded by `knee`; None compiles to the sharp one."""
    return sharp(x) if knee is None else rounded(x, knee)


def sharp(x: float) -> float:
    """relu(x)."""
    return at_least(x, 0.0)


def rounded(x: float, knee: float) -> float:
    """(x + sqrt(x^2 + knee^2))/2."""
    return 0.5 * (x + math.sqrt(x * x + knee * knee))


def soft_relu_slopes(x: float, knee: float | None, weight: float) -> tuple[float, float, float]:
    """`weight` times relu(x) and its partials to x and to knee; at x = knee = 0 both are 0."""
    return sharp_slopes(x, weight) if knee is None else rounded_slopes(x, knee, weight)


def sharp_slopes(x: float, weight: float) -> tuple[float, float, float]:
    """`soft_relu_slopes` without a knee."""
    on = where_positive(x, weight)
    return x * on, on, 0.0


def rounded_slopes(x: float, knee: float, weight: float) -> tuple[float, float, float]:
    """`soft_relu_slopes` with a knee, which may be 0."""
    root = math.sqrt(x * x + knee * knee)
    share = 0.5 * weight
    over = share / at_least(root, _SMALLEST_ROOT)
    return share * (x + root), where_positive(root, share + x * over), knee * over


def tanh(x: float) -> float:
    """tanh(x) from sums and products alone; error below 1e-15.

    expm1(y) by its series at y = 2x/128, then seven times expm1(2y) = expm1(y) (expm1(y) + 2).
    """
    y = at_most(at_least(x, -20.0), 20.0) * (1 / 64)
    s = 1.0 + y * (1 / 13)
    s = 1.0 + y * (1 / 12) * s
    s = 1.0 + y * (1 / 11) * s
    s = 1.0 + y * (1 / 10) * s
    s = 1.0 + y * (1 / 9) * s
    s = 1.0 + y * (1 / 8) * s
    s = 1.0 + y * (1 / 7) * s
    s = 1.0 + y * (1 / 6) * s
    s = 1.0 + y * (1 / 5) * s
    s = 1.0 + y * (1 / 4) * s
    s = 1.0 + y * (1 / 3) * s
    m = y + y * y * (1 / 2) * s
    m = m * (m + 2.0)
    m = m * (m + 2.0)
    m = m * (m + 2.0)
    m = m * (m + 2.0)
    m = m * (m + 2.0)
    m = m * (m + 2.0)
    m = m * (m + 2.0)
    return m / (m + 2.0)


def tanh_single(x: float) -> float:
    """tanh(x) good to float32: x P(x^2)/Q(x^2), fitted to a relative 2e-8 on [0, 9]; beyond it is 1."""
    x = at_most(at_least(x, -9.0), 9.0)
    z = x * x
    p = 3.4955771367004168e-03 + z * (2.0608901218764505e-05 + z * 1.3354408942894153e-08)
    q = 2.5876940369887753e-02 + z * (3.2856168416383453e-04 + z * 7.776455341034281e-07)
    p = 0.999999979445393 + z * (0.13381016377550956 + z * p)
    q = 1.0 + z * (0.46714331966173656 + z * q)
    return x * p / q
