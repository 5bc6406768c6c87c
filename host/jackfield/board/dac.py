"""How the non-linearity of a DAC is described: smooth bends over its range, and weights of its bits.

Whichever a DAC has, its curve is a sum of these terms. None of them has a mean or a slope over the codes in use:
those belong to the value at code zero and to the scale.
"""

from functools import cache

import numpy as np
from numpy.polynomial.legendre import legval
from numpy.typing import NDArray

from jackfield.board.scale import CodeScale

__all__ = ["BENDS", "BITS", "curve_terms"]

BENDS = (2, 3, 4, 5)
"""Degrees of the Legendre polynomials."""
BITS = 7
"""Bits that have a weight of their own, from the most significant one; what lower ones err is noise."""


@cache
def curve_terms(scale: CodeScale) -> NDArray[np.float64]:
    """Terms `[code, term]` of all codes from 0 on, bends first, then bits; zero for bits that the DAC lacks."""
    codes = np.arange(2**scale.bits)
    x = (scale.value(codes) - (scale.hi + scale.lo) / 2) / ((scale.hi - scale.lo) / 2)
    bends = legval(x, np.eye(1 + BENDS[-1])[:, list(BENDS)]).T
    bits = np.stack([codes >> (scale.bits - 1 - k) & 1 if k < scale.bits else 0 * codes for k in range(BITS)], axis=1)
    line = np.stack([np.ones(len(codes)), x], axis=1)
    used = slice(scale.code_range[0], None)
    weights = np.linalg.lstsq(line[used], bits[used].astype(np.float64), rcond=None)[0]
    return np.concatenate([bends, bits - line @ weights], axis=1)
