"""Rounding to a board's codes inside training."""

import torch
from torch import Tensor

from jackfield.board import CodeScale

__all__ = ["round_to_codes"]


def round_to_codes(values: Tensor, scale: CodeScale) -> Tensor:
    """`values`, in the unit of `scale`, as the board's DAC makes them: nearest code, ties to even, ends of the range.

    The gradient passes as if nothing was rounded (straight-through).
    """
    with torch.no_grad():
        start = 0.0 if scale.coding == "bipolar" else scale.lo
        inside = values.double().clamp(scale.lo, scale.hi)
        rounded = start + torch.round((inside - start) / scale.lsb) * scale.lsb
    return values + (rounded.to(values.dtype) - values).detach()
