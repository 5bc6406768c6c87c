"""The one-cycle rate (Smith and Topin, arXiv 1708.07120), as a function of the step alone."""

import math

__all__ = ["one_cycle"]

_FIRST = 1 / 25  # of the peak
_LAST = 1e-4  # of the first
_MOMENTUM = (0.95, 0.85)  # at the ends and at the peak


def one_cycle(step: int, total: int, peak: float, warm_up: float) -> tuple[float, float]:
    """Rate and momentum at `step` of `total`: a half cosine up over the share `warm_up` of the steps, one down after.

    The rise takes a step at least. Equals torch's OneCycleLR, but needs no state to go on from any step.
    """
    top = max(warm_up * total, 2.0) - 1
    ends, middle = _MOMENTUM
    if step <= top:
        share = _eased(step / top)
        return peak * (_FIRST + (1 - _FIRST) * share), ends + (middle - ends) * share
    share = _eased((step - top) / (total - 1 - top))
    last = peak * _FIRST * _LAST
    return peak + (last - peak) * share, middle + (ends - middle) * share


def _eased(share: float) -> float:
    return (1 - math.cos(math.pi * share)) / 2
