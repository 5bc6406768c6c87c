"""What a native kernel would gain: the loops over edges of numba beside the same loops from a C++ compiler."""

import ctypes
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks._rows import Row

from jackfield.physics import fully_connected
from jackfield.physics.edge_loops import edge_loops
from jackfield.physics.runs import Runs, runs_of

__all__ = ["native_rows"]

NODES, WIDTH = 64, 64
_SOURCE = Path(__file__).with_name("_native_loops.cpp")
_FLAGS = ("-O3", "-march=native", "-ffast-math", "-shared", "-fPIC")
_P, _I = ctypes.c_void_p, ctypes.c_ssize_t
_KINDS = {"forward": (_P, _P, _P, _I, _P, _P, _I), "backward": (_P, _P, _P, _P, _I, _P, _P, _P, _I)}


def native_rows(quick: bool) -> list[Row]:
    """Forward and backward over a tile of 64 samples, one thread; printed, for they decide how the kernel is built."""
    topology = fully_connected(NODES, (1, 0))
    runs = runs_of(topology.source, topology.destination)
    native = _built()
    return [_row(name, runs, native, 50 if quick else 3000) for name in _KINDS]


def _built() -> dict[str, Callable[..., None]] | None:
    """The native loops; None where there is no compiler."""
    compiler = shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "loops.so"
        subprocess.run([compiler, *_FLAGS, "-o", str(library), str(_SOURCE)], check=True)
        loaded = ctypes.CDLL(str(library))
    found: dict[str, Callable[..., None]] = {}
    for name, kinds in _KINDS.items():
        found[name] = getattr(loaded, name)
        found[name].argtypes, found[name].restype = kinds, None  # type: ignore[attr-defined]
    return found


def _row(name: str, runs: Runs, native: dict[str, Callable[..., None]] | None, repeats: int) -> Row:
    edges = len(runs.order)
    loops = edge_loops("shifted_relu", False, np.dtype(np.float32), False)
    ours = ctypes.CFUNCTYPE(None, *_KINDS[name])(getattr(loops, name))
    sides = [ours] if native is None else [ours, native[name]]
    problems = [_arguments(name, runs, edges) for _ in sides]
    for side, (addresses, _) in zip(sides, problems, strict=True):
        side(*addresses)
    off = max(float(np.abs(a - b).max()) for a, b in zip(problems[0][1], problems[-1][1], strict=True))
    shortest = [float("inf")] * len(sides)
    for _ in range(repeats):
        for k, (side, (addresses, _)) in enumerate(zip(sides, problems, strict=True)):
            begin = time.perf_counter()
            side(*addresses)
            shortest[k] = min(shortest[k], time.perf_counter() - begin)
    per = [seconds / (edges * WIDTH) for seconds in shortest]
    return {
        "name": f"loop over edges, {name}",
        "workload": f"{edges} shifted_relu edges, {WIDTH} samples, float32, one thread, shortest of {repeats}",
        "against": "native C++",
        "ours": per[0],
        "theirs": per[1] if native else None,
        "unit": "s an edge and sample",
        "ratio": per[1] / per[0] if native else None,
        "error": off if native else None,
        "asked": "printed, error <= 1e-4",
        "holds": native is not None and off <= 1e-4,
    }


def _arguments(name: str, runs: Runs, edges: int) -> tuple[list[int], list[Any]]:
    """Addresses for one call, and the arrays that it fills."""
    draw = np.random.default_rng(0)
    y, q = (draw.uniform(-0.5, 0.5, (NODES + 1) * WIDTH).astype(np.float32) for _ in range(2))
    table = draw.uniform(-0.5, 0.5, 2 * edges).astype(np.float32)
    out, gradient = np.zeros_like(y), np.zeros_like(table)
    walk = [runs.rows.ctypes.data, len(runs.rows), runs.other.ctypes.data, table.ctypes.data]
    _kept.append((y, q, table))
    if name == "forward":
        return [y.ctypes.data, out.ctypes.data, *walk, WIDTH], [out]
    return [y.ctypes.data, q.ctypes.data, out.ctypes.data, *walk, gradient.ctypes.data, WIDTH], [out, gradient]


_kept: list[Any] = []  # addresses do not keep arrays alive
