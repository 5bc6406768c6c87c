"""How the board itself reads a run request, and its memories of inputs and injection."""

import numpy as np
from numpy.typing import NDArray

from jackfield.board import BoardSpec, CodeScale, RunProgram
from jackfield.emulator.refusal import Refusal
from jackfield.link.messages import Run
from jackfield.link.numbers import ErrorCode, Mode, ProgramPart

__all__ = ["CodeMemory", "injection_memory", "input_memory", "read_program"]

_OF_MANY = (Mode.RUN, Mode.SPIKES)  # modes of many inputs and nodes a probe


class CodeMemory:
    """Codes for DACs, of one vector or waveform for each input; at rest at zero."""

    def __init__(self, shape: tuple[int, ...], dac: CodeScale) -> None:
        self._limits = dac.code_range
        self.codes: NDArray[np.int64] = np.full(shape, dac.middle, dtype=np.int64)

    def write(self, start: int, data: bytes) -> None:
        """16-bit codes from number `start` on, all or none; raises Refusal."""
        if len(data) % 2:
            raise Refusal(ErrorCode.BAD_LENGTH, value=len(data))
        codes = np.frombuffer(data, dtype="<u2").astype(np.int64)
        if start + codes.size > self.codes.size:
            raise Refusal(ErrorCode.INPUT_RANGE, place=start + codes.size, value=self.codes.size)
        bad = np.flatnonzero((codes < self._limits[0]) | (codes > self._limits[1]))
        if bad.size:
            raise Refusal(ErrorCode.INPUT_CODE, place=start + int(bad[0]), value=int(codes[bad[0]]))
        self.codes.reshape(-1)[start : start + codes.size] = codes


def input_memory(spec: BoardSpec) -> CodeMemory:
    """Preset codes `[input, node]`."""
    return CodeMemory((spec.run.inputs, spec.nodes.count), spec.nodes.preset)


def injection_memory(spec: BoardSpec) -> CodeMemory | None:
    """Injection codes `[input, point, node]`, on a board with the DACs."""
    injection = spec.nodes.injection
    if injection is None:
        return None
    return CodeMemory((spec.run.inputs, injection.points, spec.nodes.count), injection.dac)


def read_program(spec: BoardSpec, run: Run) -> RunProgram:
    """The program of a run request; raises Refusal where this board cannot run it."""
    if run.mode not in list(Mode) or (run.mode == Mode.SPIKES and spec.oscillator is None):
        raise _bad(ProgramPart.MODE, run.mode)
    if not 1 <= run.inputs <= spec.run.inputs - run.first or (run.mode not in _OF_MANY and run.inputs != 1):
        raise _bad(ProgramPart.INPUTS, run.inputs, run.first)
    cursor = _Cursor(run.program)
    steps = tuple((cursor.take(1), cursor.take(4)) for _ in range(run.steps))
    scan = tuple(tuple(cursor.take(2) for _ in range(cursor.take(2))) for _ in range(run.probes))
    driven = cursor.left > 0
    clamp = tuple(cursor.take(2) for _ in range(cursor.take(2))) if driven else ()
    inject = cursor.take(1) if driven else 0
    cursor.finish()
    _check_drive(spec, clamp, inject, run.steps)
    _check_steps(spec, steps, run.mode)
    _check_scan(spec, scan, run.mode)
    mode = Mode(run.mode).name.lower()
    return RunProgram(steps, scan, run.first, run.inputs, mode, run.hold_ticks, run.step, clamp, bool(inject))


def _check_steps(spec: BoardSpec, steps: tuple[tuple[int, int], ...], mode: int) -> None:
    for place, (bank, ticks) in enumerate(steps):
        if bank >= spec.run.banks:
            raise _bad(ProgramPart.STEPS, bank, place)
        if ticks < 1:
            raise _bad(ProgramPart.STEPS, ticks, place)
    total = sum(ticks for _, ticks in steps)
    shortest, longest = (round(s / spec.run.tick_s) for s in (spec.run.min_s, spec.run.max_s))
    if mode == Mode.SPIKES and len(steps) != 1:
        raise _bad(ProgramPart.STEPS, len(steps))
    if mode != Mode.HOLD_PRESET and not shortest <= total <= longest:
        raise _bad(ProgramPart.STEPS, total, len(steps))


def _check_scan(spec: BoardSpec, scan: tuple[tuple[int, ...], ...], mode: int) -> None:
    if len(scan) != spec.probe.count:
        raise _bad(ProgramPart.SCAN, len(scan))
    for place, nodes in enumerate(scan):
        if mode not in _OF_MANY and len(nodes) != 1:
            raise _bad(ProgramPart.SCAN, len(nodes), place)
        for node in nodes:
            if not 1 <= node <= spec.nodes.count:
                raise _bad(ProgramPart.SCAN, node, place)


def _check_drive(spec: BoardSpec, clamp: tuple[int, ...], inject: int, steps: int) -> None:
    for place, node in enumerate(clamp):
        if not spec.nodes.clamp or not 1 <= node <= spec.nodes.count or node in clamp[:place]:
            raise _bad(ProgramPart.DRIVE, node, place)
    injection = spec.nodes.injection
    if inject > 1 or (inject and (injection is None or (injection.points > 1 and steps != 1))):
        raise _bad(ProgramPart.DRIVE, inject, len(clamp))


def _bad(part: ProgramPart, value: int, place: int = 0) -> Refusal:
    return Refusal(ErrorCode.BAD_PROGRAM, field=part, place=place, value=value)


class _Cursor:
    """Little-endian numbers one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._place

    def take(self, size: int) -> int:
        piece = self._data[self._place : self._place + size]
        if len(piece) < size:
            raise Refusal(ErrorCode.BAD_LENGTH, value=len(self._data))
        self._place += size
        return int.from_bytes(piece, "little")

    def finish(self) -> None:
        if self._place != len(self._data):
            raise Refusal(ErrorCode.BAD_LENGTH, value=len(self._data))
