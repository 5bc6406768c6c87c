"""A circuit in one pass or several on a board: apply, run all inputs, read, carry on."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from jackfield.bench import Bench
from jackfield.board import Measurement
from jackfield.compile import CompiledPasses
from jackfield.device import AbstractBoard

__all__ = ["Played", "play"]


@dataclass(frozen=True)
class Played:
    """`measured` after the last pass; inputs of which a carried reading was clipped are marked clipped at all nodes.

    `readout_V` is the rms standard error of the readings that were carried, 0 where there was one pass.
    """

    measured: Measurement
    readout_V: float


def play(
    bench: Bench[AbstractBoard],
    compiled: CompiledPasses,
    inputs: NDArray[np.float64],
    advance: Callable[[int, int], None] = lambda done, whole: None,
) -> Played:
    """Run `inputs` `[input, input node]` (machine units) through every pass; each image is applied once.

    `advance` hears, after each memory full, how many of all runs are done. Raises DesignError where an input does not
    fit the presets, LinkError, BoardError or InstrumentError as board and bench do.
    """
    passes = compiled.passes
    codes = passes[0].input_codes(inputs)
    lost = np.zeros(len(codes), dtype=np.bool_)
    errors: list[NDArray[np.float64]] = []
    for number, part in enumerate(passes):
        bench.board.apply(part.image)
        parts = []
        for start, batch in _batches(codes, bench.spec.run.inputs):
            parts.append(bench.measure(batch, part.program))
            advance(number * len(codes) + start + len(batch), len(passes) * len(codes))
        measured = Measurement.joined(parts)
        if number + 1 < len(passes):
            order = [measured.nodes.index(node) for node in part.outputs]
            codes = compiled.carried(number, measured.values_V[:, order])
            lost |= measured.clipped[:, order].any(axis=1)
            errors.append(measured.se_V[:, order])
    readout_V = float(np.sqrt(np.mean(np.square(errors)))) if errors else 0.0
    return Played(replace(measured, clipped=measured.clipped | lost[:, None]), readout_V)


def _batches(codes: NDArray[np.int64], size: int) -> Iterator[tuple[int, NDArray[np.int64]]]:
    for start in range(0, len(codes), size):
        yield start, codes[start : start + size]
