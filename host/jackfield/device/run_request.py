"""A run program as the bytes of a run request."""

import struct

from jackfield.board import RunProgram
from jackfield.errors import DesignError
from jackfield.link import request_room
from jackfield.link.messages import LAYOUTS, Run
from jackfield.link.numbers import Mode

__all__ = ["run_request"]


def run_request(program: RunProgram, run_number: int, frame_bytes: int) -> Run:
    """The request for `program`; raises DesignError where its scan lists do not fit one frame."""
    parts = [struct.pack("<BI", bank, ticks) for bank, ticks in program.steps]
    for nodes in program.scan:
        parts.append(struct.pack(f"<H{len(nodes)}H", len(nodes), *nodes))
    if program.clamp or program.inject:
        parts.append(struct.pack(f"<H{len(program.clamp)}HB", len(program.clamp), *program.clamp, program.inject))
    tail = b"".join(parts)
    room = request_room(frame_bytes) - LAYOUTS[Run].fixed.size
    if len(tail) > room:
        raise DesignError(
            f"the run program takes {len(tail)} bytes, a frame of this board has room for {room}; "
            "scan fewer nodes a run"
        )
    return Run(
        run_number=run_number,
        mode=Mode[program.mode.upper()],
        first=program.first,
        inputs=program.count,
        hold_ticks=program.hold_ticks,
        step=program.step,
        steps=len(program.steps),
        probes=len(program.scan),
        program=tail,
    )
