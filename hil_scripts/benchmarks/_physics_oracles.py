"""One sample by ngspice and by scipy, against one of a batch."""

import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from benchmarks._rows import Row
from scipy.integrate import solve_ivp

from jackfield.physics import Circuit, EdgeSet, Slice, fully_connected, integrate, spice_netlist, vector_field

__all__ = ["oracle_rows"]

BATCH, STEPS = 128, 32
SPICE_BAR = 3000


def oracle_rows(quick: bool) -> list[Row]:
    """Times of one sample and, for ours, of one sample of a batch of 128; float64."""
    rows = []
    for nodes in (16,) if quick else (16, 64):
        circuit, v0 = _circuit(nodes)
        with torch.no_grad():
            alone, _ = _shortest(lambda c=circuit, v=v0: integrate(c, v[:1], steps=STEPS)[-1], 5)
            batch, states = _shortest(lambda c=circuit, v=v0: integrate(c, v, steps=STEPS)[-1], 5)
        expected = states[0].numpy()
        for name, (seconds, found) in {"ngspice": _ngspice(circuit, v0[0]), "scipy": _scipy(circuit, v0[0])}.items():
            error = None if found is None else float(np.abs(found - expected).max())
            rows.append(_row(nodes, name, "one sample", alone, seconds, error, 0))
            bar = SPICE_BAR if (nodes, name) == (64, "ngspice") else 0
            rows.append(_row(nodes, name, f"a sample of {BATCH}", batch / BATCH, seconds, error, bar))
    return rows


def _row(nodes: int, peer: str, what: str, mine: float, theirs: float | None, error: float | None, bar: int) -> Row:
    ratio = None if theirs is None else theirs / mine
    return {
        "name": f"{what}, {nodes} nodes",
        "workload": f"fully connected, shifted_relu, {STEPS} steps forward, float64; {peer} at tolerance 1e-6",
        "against": peer,
        "ours": mine,
        "theirs": theirs,
        "unit": "s",
        "ratio": ratio,
        "error": error,
        "asked": f"ratio >= {bar}, error <= 1e-4" if bar else "printed, error <= 1e-4",
        "holds": ratio is not None and ratio >= bar and error is not None and error <= 1e-4,
    }


def _circuit(nodes: int) -> tuple[Circuit, torch.Tensor]:
    draw, topology = torch.Generator().manual_seed(0), fully_connected(nodes, (1, 0))
    count = len(topology.source)
    gain = 0.5 / (count / nodes) ** 0.5 * torch.randn(count, generator=draw, dtype=torch.float64)
    threshold = 0.05 * torch.randn(count, generator=draw, dtype=torch.float64)
    edges = EdgeSet("shifted_relu", topology.source, topology.destination, {"gain": gain, "threshold": threshold})
    ones = torch.ones(nodes, dtype=torch.float64)
    circuit = Circuit(nodes, (Slice(1.0, (edges,)),), ones, torch.zeros_like(ones))
    return circuit, torch.rand(BATCH, nodes, generator=draw, dtype=torch.float64)


def _shortest(job, repeats):  # type: ignore[no-untyped-def]
    times, answer = [], job()
    for _ in range(repeats):
        begin = time.perf_counter()
        answer = job()
        times.append(time.perf_counter() - begin)
    return min(times), answer


def _ngspice(circuit: Circuit, v0: torch.Tensor) -> tuple[float | None, "np.ndarray | None"]:  # type: ignore[type-arg]
    program = shutil.which("ngspice")
    if program is None:
        return None, None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "circuit.cir"
        path.write_text(spice_netlist(circuit, v0, points=200))
        begin = time.perf_counter()
        done = subprocess.run([program, "-b", str(path)], capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - begin
    lines = [line for line in done.stdout.splitlines() if line.startswith("v(n") and "=" in line]
    return seconds, np.array([float(line.split("=")[1]) for line in lines])


def _scipy(circuit: Circuit, v0: torch.Tensor) -> tuple[float, "np.ndarray"]:  # type: ignore[type-arg]
    field = vector_field(circuit, 0)

    def slope(t: float, v: "np.ndarray") -> "np.ndarray":  # type: ignore[type-arg]
        found: np.ndarray = field(torch.tensor(t), torch.from_numpy(v)).numpy()  # type: ignore[type-arg]
        return found

    begin = time.perf_counter()
    answer = solve_ivp(slope, (0.0, 1.0), v0.numpy(), method="RK45", rtol=1e-6, atol=1e-9)
    return time.perf_counter() - begin, answer.y[:, -1]
