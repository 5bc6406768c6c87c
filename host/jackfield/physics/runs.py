"""Edges in the order in which the kernel walks them: parallel edges together, node pairs in runs.

Edges are gathered by unordered pair of nodes {a < b}, counted as `forward` (a -> b) and `backward`, pairs of
equal counts and equal a into a run. So a row of voltages is loaded once for all edges of its pair and the
branches of the inner loops always go the same way. Within a pair one forward and one backward edge
alternate as long as both last, the rest follows.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.weak import WeakIdKeyDictionary

RUN_FIELDS = 6  # a, first pair, past the last pair, first edge, forward edges and backward edges of each pair


@dataclass(frozen=True)
class Runs:
    """`order` [edge] numbers the edges in walking order, `place` [edge] is its inverse; `other` [pair] the nodes b,
    `rows` [run, RUN_FIELDS], both int32."""

    order: NDArray[np.int64]
    place: NDArray[np.int64]
    rows: NDArray[np.int32]
    other: NDArray[np.int32]


# Training builds a circuit a step on the same topology; sorting 230,068 edges takes as long as a whole slice.
_kept: Any = WeakIdKeyDictionary()


def runs_of(source: Tensor, destination: Tensor) -> Runs:
    """Runs of edges with int64 ends [edge]; kept for as long as the tensors live and nobody writes to them."""
    stamp = (id(destination), source._version, destination._version)
    kept = _kept.get(source)
    if kept is None or kept[0] != stamp:
        kept = (stamp, _sorted(source.numpy(), destination.numpy()), destination)
        _kept[source] = kept
    return kept[1]  # type: ignore[no-any-return]


def _sorted(source: NDArray[np.int64], destination: NDArray[np.int64]) -> Runs:
    if not len(source):
        none = np.zeros(0, np.int64)
        return Runs(none, none, np.zeros((0, RUN_FIELDS), np.int32), none.astype(np.int32))
    low, high = np.minimum(source, destination), np.maximum(source, destination)
    pairs, of_pair, counts = np.unique(low * (high.max() + 1) + high, return_inverse=True, return_counts=True)
    turned = (source > destination).astype(np.int64)
    backward = np.bincount(of_pair, weights=turned, minlength=len(pairs)).astype(np.int64)
    forward = counts - backward
    first, second = np.divmod(pairs, high.max() + 1)
    walk = np.lexsort((second, first, backward, forward))
    turn = _inverse(walk)
    rank = _rank_within(of_pair * 2 + turned)
    both = np.minimum(forward, backward)[of_pair]
    order = np.lexsort((np.where(rank < both, 2 * rank + turned, both + rank), turn[of_pair]))
    rows = _rows(first[walk], forward[walk], backward[walk])
    return Runs(order, _inverse(order), rows, np.ascontiguousarray(second[walk], np.int32))


def _inverse(order: NDArray[np.int64]) -> NDArray[np.int64]:
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return place


def _rank_within(group: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many earlier members of the same group each has."""
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(group[order]) != 0])
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order)) - np.repeat(starts, np.diff(np.r_[starts, len(order)]))
    return rank


def _rows(a: NDArray[np.int64], forward: NDArray[np.int64], backward: NDArray[np.int64]) -> NDArray[np.int32]:
    key = np.stack([a, forward, backward])
    starts = np.flatnonzero(np.r_[True, (np.diff(key) != 0).any(0)])
    stops = np.r_[starts[1:], len(a)]
    edges = np.r_[0, np.cumsum(forward + backward)]
    rows = [a[starts], starts, stops, edges[starts], forward[starts], backward[starts]]
    return np.ascontiguousarray(np.stack(rows, axis=1), np.int32)
