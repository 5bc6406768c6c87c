"""White noise currents: between the two nodes of every edge, and from ground into every node.

Random numbers are a function of (seed, sample, step, place) alone: Philox 4x32-10 (Salmon, Moraes, Dror, Shaw,
"Parallel random numbers: as easy as 1, 2, 3", SC 2011) and the Box-Muller transform.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numba
import numpy as np
from numba import types
from numba.extending import register_jitable

from jackfield.errors import DesignError

_MASK = np.uint64(0xFFFFFFFF)
_TURN = 2.0 * math.pi / 2.0**32


@dataclass(frozen=True)
class Noise:
    """White currents i(t) with mean of i(t) i(t') = density delta(t - t'), new ones for each `seed`.

    `edge_density` of every edge: what flows into its destination flows out of its source. `node_density` of a
    current from ground into every node. Squared current times time, in the circuit's units: 2 k T G for the
    thermal noise of a conductance G. Raises DesignError on a negative density or a seed outside 0..2^64 - 1.
    """

    seed: int
    edge_density: float = 0.0
    node_density: float = 0.0

    def __post_init__(self) -> None:
        if not (0 <= self.edge_density < math.inf and 0 <= self.node_density < math.inf):
            raise DesignError(
                f"noise densities of {self.edge_density:g} and {self.node_density:g} are not possible; "
                "give finite ones, not below 0"
            )
        if not 0 <= self.seed < 2**64:
            raise DesignError(f"seed {self.seed} is not possible; take one from 0 to 2^64 - 1")


@register_jitable
def _philox(place: int, step: int, sample: int, kind: int, seed: Any) -> Any:
    """Four random 32-bit words of a counter (place, step, sample, kind)."""
    a, b, c, d = np.uint64(place), np.uint64(step), np.uint64(sample), np.uint64(kind)
    key, second = np.uint64(seed) & _MASK, np.uint64(seed) >> np.uint64(32)
    for _ in range(10):
        left, right = a * np.uint64(0xD2511F53), c * np.uint64(0xCD9E8D57)
        a, b = (right >> np.uint64(32)) ^ b ^ key, right & _MASK
        c, d = (left >> np.uint64(32)) ^ d ^ second, left & _MASK
        key, second = (key + np.uint64(0x9E3779B9)) & _MASK, (second + np.uint64(0xBB67AE85)) & _MASK
    return a, b, c, d


@register_jitable
def _four_normals(place: int, step: int, sample: int, kind: int, seed: Any) -> Any:
    a, b, c, d = _philox(place, step, sample, kind, seed)
    first = math.sqrt(-2.0 * math.log((float(a) + 0.5) / 2.0**32))
    second = math.sqrt(-2.0 * math.log((float(c) + 0.5) / 2.0**32))
    one, two = float(b) * _TURN, float(d) * _TURN
    return first * math.cos(one), first * math.sin(one), second * math.cos(two), second * math.sin(two)


@lru_cache
def noise_loop(dtype: "np.dtype[Any]") -> Any:
    """Compiled `draw(current, pairs, count, density, node_density, nodes, seed, group, sample, step, h, width)`.

    Fills a tile [1 + nodes, width] with the noise currents of one step. `pairs` [count, 2] are nodes a and b, `density`
    [count] theirs, `node_density` [1] that of every node; `sample` is the number of the tile's first one.
    """
    real = {np.dtype(np.float32): types.float32, np.dtype(np.float64): types.float64}[dtype]
    numbers, words = types.CPointer(types.float64), types.intp
    arguments = (types.CPointer(real), types.CPointer(types.int64), words, numbers, numbers)
    kind = types.void(*arguments, words, words, words, words, words, types.CPointer(real), words)
    return numba.cfunc(kind, cache=True, error_model="numpy")(_draw)


def _draw(
    current: Any,
    pairs: Any,
    count: int,
    density: Any,
    node_density: Any,
    nodes: int,
    seed: int,
    group: int,
    sample: int,
    step: int,
    h: Any,
    width: int,
) -> None:
    for place in range((1 + nodes) * width):
        current[place] = 0.0
    for k in range(count):
        a, b, size = pairs[2 * k] * width, pairs[2 * k + 1] * width, math.sqrt(density[k] / h[0])
        for lane in range(0, width, 4):
            normals = _four_normals(k, step, (sample + lane) // 4, 2 * group, seed)
            for n in range(4):
                current[a + lane + n] -= size * normals[n]
                current[b + lane + n] += size * normals[n]
    size = math.sqrt(node_density[0] / h[0])
    for node in range(1, 1 + nodes if size > 0.0 else 0):
        for lane in range(0, width, 4):
            normals = _four_normals(node, step, (sample + lane) // 4, 2 * group + 1, seed)
            for n in range(4):
                current[node * width + lane + n] += size * normals[n]
