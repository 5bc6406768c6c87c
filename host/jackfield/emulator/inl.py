"""What makes a DAC non-linear: a smooth bend, or bits whose weights are not powers of two.

Either way a curve has neither mean nor slope over the codes, which belong to zero and scale, and an expected mean
square of one LSB squared for terms of unit variance.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from jackfield.board import CodeScale

__all__ = ["FAMILIES", "INL_DEGREES", "inl_shapes", "inl_terms"]

Floats = NDArray[np.float64]

FAMILIES = ("smooth", "binary")
INL_DEGREES = (2, 3, 4, 5)  # of the Legendre polynomials that a smooth curve is made of
_SMOOTH = np.array([0.7, 0.5, 0.4, 0.3])
SMOOTH_TERMS = _SMOOTH / np.sqrt(np.sum(_SMOOTH**2))


@cache
def inl_shapes(family: str, scale: CodeScale) -> Floats:
    """Curves `[code, term]` over all codes from 0 on: orthonormal Legendre polynomials, or bits without line."""
    codes = np.arange(2**scale.bits)
    nominal = scale.value(codes)
    x = (nominal - (scale.hi + scale.lo) / 2) / ((scale.hi - scale.lo) / 2)
    if family == "smooth":
        basis = (
            np.sqrt(5) * (3 * x**2 - 1) / 2,
            np.sqrt(7) * (5 * x**3 - 3 * x) / 2,
            3 * (35 * x**4 - 30 * x**2 + 3) / 8,
            np.sqrt(11) * (63 * x**5 - 70 * x**3 + 15 * x) / 8,
        )
        return np.asarray(np.stack(basis, axis=1))
    bits = (codes[:, None] >> np.arange(scale.bits)[::-1] & 1).astype(np.float64)
    used = slice(scale.code_range[0], None)
    line = np.stack([np.ones(len(codes)), x], axis=1)
    return np.asarray(bits - line @ np.linalg.lstsq(line[used], bits[used], rcond=None)[0])


def inl_terms(family: str, scale: CodeScale) -> Floats:
    """Standard deviations `[term]`, in LSB, of a curve of 1 LSB: a bit errs as the units it is made of, by its root."""
    if family == "smooth":
        return np.asarray(SMOOTH_TERMS)
    weights = np.sqrt(2.0 ** np.arange(scale.bits)[::-1])
    used = slice(scale.code_range[0], None)
    square = np.mean(inl_shapes(family, scale)[used] ** 2, axis=0)
    return np.asarray(weights / np.sqrt(np.sum(weights**2 * square)))
