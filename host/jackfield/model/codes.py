"""A network's parameters as the codes of its board: one or two bytes each."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from jackfield.board import CodeScale
from jackfield.errors import DesignError
from jackfield.model.bounds import Bounds

__all__ = ["pack", "unpack"]

_VALUES, _CODES = "values.", "codes."


def pack(weights: Mapping[str, Tensor], bounds: Bounds | None) -> dict[str, Tensor]:
    """`weights` with each `values.NAME` as `codes.NAME`; uint8, or uint16 where the DAC has more than 8 bits.

    Raises DesignError without a board, or where a value lies outside its DAC's range.
    """
    packed = {}
    for name, value in weights.items():
        if not name.startswith(_VALUES):
            packed[name] = value
            continue
        parameter = name.removeprefix(_VALUES)
        scale = _scale(bounds, parameter)
        codes = scale.code(value.double().numpy()).astype(_kind(scale))
        packed[_CODES + parameter] = torch.from_numpy(codes)
    return packed


def unpack(weights: Mapping[str, Tensor], bounds: Bounds | None, place: str) -> dict[str, Tensor]:
    """What `pack` was given, rounded to the codes; DesignError, naming `place`, on codes that no board has."""
    values = {}
    for name, value in weights.items():
        if not name.startswith(_CODES):
            values[name] = value
            continue
        parameter = name.removeprefix(_CODES)
        scale = _scale(bounds, parameter)
        codes, (lowest, highest) = value.numpy(), scale.code_range
        if codes.dtype != _kind(scale) or (codes < lowest).any() or (codes > highest).any():
            raise DesignError(
                f"{place}: {name} are {codes.dtype} from {codes.min()} to {codes.max()}, the board's codes run from "
                f"{lowest} to {highest}; train the network again"
            )
        values[_VALUES + parameter] = torch.from_numpy(scale.value(codes).astype(np.float32))
    return values


def _scale(bounds: Bounds | None, parameter: str) -> CodeScale:
    if bounds is None or parameter not in bounds.codes:
        raise DesignError(
            f"{parameter} is asked as codes of {'no board' if bounds is None else 'board ' + bounds.board}, which has "
            "none for it; make the network with bounds, Bounds.from_spec(...), or set as_codes = false"
        )
    return bounds.codes[parameter]


def _kind(scale: CodeScale) -> type[np.uint8] | type[np.uint16]:
    return np.uint8 if scale.bits <= 8 else np.uint16
