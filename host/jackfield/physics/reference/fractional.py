"""Derivatives of half order from the whole past: the sums of Gruenwald and Letnikov.

Podlubny, "Fractional Differential Equations", Academic Press 1999, section 7.
"""

import torch
from torch import Tensor

__all__ = ["half_order_weights"]


def half_order_weights(count: int, order: float) -> Tensor:
    """w[k], k < `count`: (D^order x)(n h) = h^-order * sum over k of w[k] x((n - k) h).

    Weights of orders a and -a convolve to 1, 0, 0, ..., so the half integral undoes the half derivative exactly.
    """
    k = torch.arange(1, count, dtype=torch.float64)
    return torch.cat([torch.ones(1, dtype=torch.float64), torch.cumprod(1 - (order + 1) / k, dim=0)])
