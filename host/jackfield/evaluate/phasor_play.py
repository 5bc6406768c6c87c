"""A phasor network on a board of resonators: tile after tile, the host taking the argument between layers."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from jackfield.bench import Bench
from jackfield.board import ConfigImage
from jackfield.compile import PhasorTile
from jackfield.device import AbstractBoard
from jackfield.model import PhasorNet, run_layers

__all__ = ["play_phasors"]

Floats = NDArray[np.float64]


def play_phasors(
    bench: Bench[AbstractBoard],
    network: PhasorNet,
    layers: Sequence[Sequence[PhasorTile]],
    phases: Floats,
    advance: Callable[[int, int], None] = lambda done, whole: None,
) -> Floats:
    """Output phases [example, output] of encoded inputs `phases` [example, input], by `compile_phasors`' tiles.

    All examples pass a tile before the next one is set. `advance` hears after each memory full how many runs of all
    are done. Raises LinkError, BoardError or InstrumentError as board and bench do.
    """
    spec, size = bench.spec, bench.spec.run.inputs
    whole, done = len(phases) * sum(len(tiles) for tiles in layers), 0
    applied: ConfigImage | None = None

    def weigh(number: int, fed: Floats) -> NDArray[np.complex128]:
        nonlocal done, applied
        tiles = layers[number]
        sums = np.zeros((len(fed), max(tile.neurons.stop for tile in tiles)), dtype=np.complex128)
        for tile in tiles:
            if tile.image is not applied:
                bench.board.apply(tile.image)
                applied = tile.image
            codes, program = tile.input_codes(spec, fed), tile.program(spec)
            for start in range(0, len(codes), size):
                read = bench.phasors(codes[start : start + size], program)
                here = slice(start, start + len(read.phasor_V)), slice(tile.neurons.start, tile.neurons.stop)
                sums[here] += tile.sums(spec, read.nodes, read.phasor_V)
                done += len(read.phasor_V)
                advance(done, whole)
        return sums

    return run_layers(network, phases, weigh)
