"""Preset codes as the bytes of write_inputs requests."""

import numpy as np
from numpy.typing import NDArray

from jackfield.board import BoardSpec
from jackfield.device.abstract import Hello
from jackfield.errors import DesignError
from jackfield.link import request_room
from jackfield.link.messages import LAYOUTS, WriteInputs

__all__ = ["write_requests"]


def write_requests(codes: NDArray[np.int64], first: int, spec: BoardSpec, hello: Hello) -> list[WriteInputs]:
    """Requests that store codes `[input, node]` from vector `first` on; raises DesignError where they do not fit."""
    nodes = spec.nodes.count
    if codes.ndim != 2 or codes.shape[1] != nodes or not 0 <= first <= hello.inputs - len(codes):
        raise DesignError(
            f"inputs of shape {codes.shape} from vector {first} on are asked; board {spec.name} holds "
            f"{hello.inputs} vectors of {nodes} codes; split the batch"
        )
    low, high = spec.nodes.preset.code_range
    if codes.size and (codes.min() < low or codes.max() > high):
        raise DesignError(f"preset codes {codes.min()}..{codes.max()} are asked, {low}..{high} are possible")
    data = np.ascontiguousarray(codes, dtype="<u2").tobytes()
    room = (request_room(hello.frame_bytes) - LAYOUTS[WriteInputs].fixed.size) // 2 * 2
    starts = range(0, len(data), room)
    return [WriteInputs(first * nodes + start // 2, data[start : start + room]) for start in starts]
