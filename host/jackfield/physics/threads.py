"""Work dealt to a thread pool; the compiled loops release Python's lock."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import pairwise
from typing import TypeVar

import torch

# Jobs are dealt to a fixed number of parts and parts are summed in order, whatever the threads.
_PARTS = 8
_J = TypeVar("_J")
_T = TypeVar("_T")


def parts(count: int) -> list[slice]:
    """`count` jobs in at most _PARTS contiguous parts (at least one); depends on the count alone."""
    pieces = max(1, min(count, _PARTS))
    edges = [piece * count // pieces for piece in range(pieces + 1)]
    return [slice(first, last) for first, last in pairwise(edges)]


def in_threads(work: Callable[[_J], _T], jobs: list[_J]) -> list[_T]:
    """Results in the order of `jobs`, by at most torch.get_num_threads() threads, of which the caller is one."""
    threads = min(torch.get_num_threads(), len(jobs))
    if threads < 2:
        return list(map(work, jobs))
    left, results = iter(range(len(jobs))), dict[int, _T]()

    def take() -> None:
        for k in left:  # Python's lock makes every step of the shared iterator one thread's
            results[k] = work(jobs[k])

    helpers = [_pool(threads - 1).submit(take) for _ in range(threads - 1)]
    try:
        take()
    finally:
        for helper in helpers:
            helper.result()
    return [results[k] for k in range(len(jobs))]


@lru_cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="jackfield-physics")
