"""Rows of forward and backward times, all sides interleaved in one process with the same threads."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from benchmarks._physics_peers import Job, Problem, adjoint, clean, diffrax_job, ours, problem, published
from benchmarks._rows import Row
from torch import Tensor

from jackfield.physics import Topology, fully_connected, mixed, neighbour

__all__ = ["Timing", "interleaved", "speed_rows"]

THREADS = 2
ADJOINT_TOLERANCE = 1e-3
EQUAL = 1e-5  # of the same scheme in float32


@dataclass(frozen=True)
class Timing:
    """Medians of wall and processor time in seconds, the shortest wall time, and the last answer."""

    wall: float
    processor: float
    shortest: float
    answer: tuple[Tensor, Tensor]


def interleaved(jobs: dict[str, Job], repeats: int) -> dict[str, Timing]:
    """`repeats` rounds of all jobs in turn, each run twice of which the second counts: what came before has left
    other data in the caches, and training does not run a circuit once."""
    answers = {name: job() for name, job in jobs.items()}
    wall: dict[str, list[float]] = {name: [] for name in jobs}
    processor: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(repeats):
        for name, job in jobs.items():
            job()
            begin, worked = time.perf_counter(), time.process_time()
            answers[name] = job()
            wall[name].append(time.perf_counter() - begin)
            processor[name].append(time.process_time() - worked)
    return {
        name: Timing(statistics.median(wall[name]), statistics.median(processor[name]), min(wall[name]), answers[name])
        for name in jobs
    }


def speed_rows(quick: bool) -> list[Row]:
    """published_layer_rk4, published_setting, clean_torchdiffeq and diffrax."""
    torch.set_num_threads(THREADS)
    repeats = 2 if quick else 5
    rows: list[Row] = []
    for topology, batch, steps, bars in _workloads(quick):
        p = problem(f"{topology.nodes} nodes", topology, batch, steps)
        jobs = {"ours": ours(p), "published_layer_rk4": published(p)}
        if "clean_torchdiffeq" in bars:
            jobs |= {"index_add": clean(p, sparse=False), "sparse": clean(p, sparse=True)}
        peers = _with_diffrax(jobs, p) if "diffrax" in bars else jobs
        times = interleaved(peers, repeats * 3 if topology.nodes < 100 else repeats)  # milliseconds: more of them
        rows += [_row(p, against, times, bar) for against, bar in bars.items()]
        if topology.nodes < 1000:
            rows.append(_setting_row(p, repeats))
    return [*rows, _tanh_row(quick, repeats)]


def _workloads(quick: bool) -> list[tuple[Topology, int, int, dict[str, float]]]:
    """Topology, batch, steps and the bars; the published layer would need 46 GB for the largest at batch 128.

    Against the published layer these are the bars of a kernel without a compiler on the user's machine; a native one
    would be asked for 60, 80 and 70, and the rows of `_physics_native` say what it would gain.
    """
    if quick:
        return [(fully_connected(48, (1, 0)), 64, 4, {"published_layer_rk4": 10, "clean_torchdiffeq": 2})]
    all_bars = ("published_layer_rk4", "clean_torchdiffeq", "diffrax")
    return [
        (fully_connected(64, (1, 0)), 128, 4, dict(zip(all_bars, (25, 15, 15), strict=True))),
        (mixed(1, 28, 28, 3, 10, (1, 0)), 128, 4, dict(zip(all_bars, (35, 25, 25), strict=True))),
        (neighbour(4, 32, 32, 3), 32, 1, {"published_layer_rk4": 30}),
    ]


def _with_diffrax(jobs: dict[str, Job], p: Problem) -> dict[str, Job]:
    try:
        return jobs | {"diffrax": diffrax_job(p)}
    except ImportError:
        return jobs


def _row(p: Problem, against: str, times: dict[str, Timing], bar: float) -> Row:
    """Where one peer has several forms, its quicker one counts."""
    mine, names = times["ours"], {"clean_torchdiffeq": ["index_add", "sparse"]}.get(against, [against])
    found = [times[name] for name in names if name in times]
    if not found:
        return _missing(p, against, mine, bar)
    theirs = min(found, key=lambda timing: timing.wall)
    return {
        "name": f"forward and backward, {p.name}",
        "workload": _described(p) + _others(mine, theirs),
        "against": against,
        "ours": mine.wall,
        "theirs": theirs.wall,
        "unit": "s",
        "ratio": theirs.wall / mine.wall,
        "error": _off(mine.answer, theirs.answer),
        "asked": f"ratio >= {bar:g}, error <= {EQUAL:g}",
        "holds": theirs.wall / mine.wall >= bar and _off(mine.answer, theirs.answer) <= EQUAL,
    }


def _missing(p: Problem, against: str, mine: Timing, bar: float) -> Row:
    return {
        "name": f"forward and backward, {p.name}",
        "workload": _described(p),
        "against": against,
        "ours": mine.wall,
        "theirs": None,
        "unit": "s",
        "ratio": None,
        "error": None,
        "asked": f"ratio >= {bar:g} (pip install 'jackfield[peers]')",
        "holds": False,
    }


def _described(p: Problem) -> str:
    edges = len(p.topology.source)
    return f"{edges} {p.law} edges, {p.steps} steps of the 3/8 rule, batch {len(p.v0)}, float32, {THREADS} threads"


def _others(mine: Timing, theirs: Timing) -> str:
    """What the wall's medians hide on a busy machine."""
    processor, shortest = theirs.processor / mine.processor, theirs.shortest / mine.shortest
    return f" (ratio of processor times {processor:.0f}, of shortest times {shortest:.0f})"


def _off(mine: tuple[Tensor, Tensor], theirs: tuple[Tensor, Tensor]) -> float:
    """The larger of the relative errors (norms) of states and gradient."""
    pairs = zip(mine, theirs, strict=True)
    return max(float((a.double() - b.double()).norm() / b.double().norm()) for a, b in pairs)


def _setting_row(p: Problem, repeats: int) -> Row:
    """Against odeint_adjoint by dopri5 at 1e-3: we take the rule and steps of fewest evaluations of the circuit that
    err no more in states and gradient."""
    fine = p.to(torch.float64)
    truth = ours(fine, steps=64 * p.steps)()
    theirs_off = [_one_off(adjoint(p, ADJOINT_TOLERANCE)(), truth, k) for k in (0, 1)]
    counts = (1, 2, 3, 4, 6, 8, 12, 16, 32, 64)
    rules = sorted((stages * n, method, n) for method, stages in (("heun", 2), ("rk4", 4)) for n in counts)
    _, method, steps = next(
        rule for rule in rules if all(_one_off(ours(p, rule[2], rule[1])(), truth, k) <= theirs_off[k] for k in (0, 1))
    )
    jobs: dict[str, Callable[[], tuple[Tensor, Tensor]]] = {
        "ours": ours(p, steps, method),
        "theirs": adjoint(p, ADJOINT_TOLERANCE),
    }
    times = interleaved(jobs, repeats)
    mine, theirs, bar = times["ours"], times["theirs"], 10 if p.topology.nodes < 64 else 200
    return {
        "name": f"forward and backward, {p.name}",
        "workload": f"{_described(p)}; ours {steps} steps of {method}, errors of states and gradient "
        f"{_pair(mine, truth)}, theirs {theirs_off[0]:.1e} and {theirs_off[1]:.1e}" + _others(mine, theirs),
        "against": "published_setting",
        "ours": mine.wall,
        "theirs": theirs.wall,
        "unit": "s",
        "ratio": theirs.wall / mine.wall,
        "error": _off(mine.answer, truth),
        "asked": f"ratio >= {bar}, errors no larger",
        "holds": theirs.wall / mine.wall >= bar,
    }


def _pair(mine: Timing, truth: tuple[Tensor, Tensor]) -> str:
    return " and ".join(f"{_one_off(mine.answer, truth, k):.1e}" for k in (0, 1))


def _one_off(answer: tuple[Tensor, Tensor], truth: tuple[Tensor, Tensor], k: int) -> float:
    return float((answer[k].double() - truth[k]).norm() / truth[k].norm())


def _tanh_row(quick: bool, repeats: int) -> Row:
    topology = fully_connected(48 if quick else 64, (1, 0))
    p = problem(f"{topology.nodes} nodes, tanh", topology, 32 if quick else 128, 4, law="tanh_diff")
    return _row(p, "diffrax", interleaved(_with_diffrax({"ours": ours(p)}, p), repeats), 0.5 if quick else 2)
