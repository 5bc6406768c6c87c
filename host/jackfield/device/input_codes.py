"""Codes for a board's memories as the bytes of requests."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from jackfield.board import BoardSpec
from jackfield.device.abstract import Hello
from jackfield.errors import DesignError
from jackfield.link import request_room
from jackfield.link.messages import LAYOUTS, WriteInjection, WriteInputs

__all__ = ["injection_requests", "write_requests"]


def write_requests(codes: NDArray[np.int64], first: int, spec: BoardSpec, hello: Hello) -> list[WriteInputs]:
    """Requests that store codes `[input, node]` from vector `first` on; raises DesignError where they do not fit."""
    nodes = spec.nodes.count
    if codes.ndim != 2 or codes.shape[1] != nodes or not 0 <= first <= hello.inputs - len(codes):
        raise DesignError(
            f"inputs of shape {codes.shape} from vector {first} on are asked; board {spec.name} holds "
            f"{hello.inputs} vectors of {nodes} codes; split the batch"
        )
    _check(codes, spec.nodes.preset.code_range, "preset")
    data = np.ascontiguousarray(codes, dtype="<u2").tobytes()
    return [WriteInputs(first * nodes + start, piece) for start, piece in _pieces(data, WriteInputs, hello)]


def injection_requests(codes: NDArray[np.int64], first: int, spec: BoardSpec, hello: Hello) -> list[WriteInjection]:
    """Requests that store injection codes `[input, point, node]` from input `first` on; raises DesignError where they
    do not fit or the board has no injection DACs."""
    injection = spec.nodes.injection
    if injection is None:
        raise DesignError(f"currents are to be injected; board {spec.name} has no injection DACs")
    one = (injection.points, spec.nodes.count)
    if codes.ndim != 3 or codes.shape[1:] != one or not 0 <= first <= hello.inputs - len(codes):
        raise DesignError(
            f"injections of shape {codes.shape} from input {first} on are asked; board {spec.name} holds "
            f"{hello.inputs} of {one[0]} points at {one[1]} nodes; split the batch"
        )
    _check(codes, injection.dac.code_range, "injection")
    data = np.ascontiguousarray(codes, dtype="<u2").tobytes()
    start = first * one[0] * one[1]
    return [WriteInjection(start + place, piece) for place, piece in _pieces(data, WriteInjection, hello)]


def _check(codes: NDArray[np.int64], limits: tuple[int, int], kind: str) -> None:
    if codes.size and (codes.min() < limits[0] or codes.max() > limits[1]):
        raise DesignError(f"{kind} codes {codes.min()}..{codes.max()} are asked, {limits[0]}..{limits[1]} are possible")


def _pieces(data: bytes, message: type[WriteInputs | WriteInjection], hello: Hello) -> list[tuple[int, bytes]]:
    """What frames have room for, each with the number of its first code."""
    room = (request_room(hello.frame_bytes) - LAYOUTS[message].fixed.size) // 2 * 2
    return [(start // 2, data[start:stop]) for start, stop in pairwise([*range(0, len(data), room), len(data)])]
