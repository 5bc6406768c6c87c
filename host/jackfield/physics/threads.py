"""Work dealt to a thread pool; the compiled loops release Python's lock."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import pairwise
from typing import TypeVar

import numpy as np
import torch

# Jobs are dealt to a fixed number of parts and parts are summed in order, whatever the threads.
_PARTS = 8
_J = TypeVar("_J")
_T = TypeVar("_T")


def parts(count: int) -> list[slice]:
    """`count` jobs in at most _PARTS contiguous parts (at least one); depends on the count alone."""
    edges = np.linspace(0, count, max(1, min(count, _PARTS)) + 1).astype(int)
    return [slice(int(first), int(last)) for first, last in pairwise(edges)]


def in_threads(work: Callable[[_J], _T], jobs: list[_J]) -> list[_T]:
    """Results in the order of `jobs`, by at most torch.get_num_threads() threads."""
    threads = min(torch.get_num_threads(), len(jobs))
    return list(map(work, jobs)) if threads < 2 else list(_pool(threads).map(work, jobs))


@lru_cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="jackfield-physics")
