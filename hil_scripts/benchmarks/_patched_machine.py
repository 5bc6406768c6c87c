"""The Analog Thing, emulated: knobs set by eye and 1 % parts, then turned by a record, through the hybrid port."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

import numpy as np
import torch
from benchmarks._rows import Row

from jackfield.board import PatchedMachine, PatchList
from jackfield.compile import patch_list
from jackfield.device import HybridLog, HybridPort, longest_log
from jackfield.emulator import Loop
from jackfield.emulator.hybrid_shell import open_hybrid
from jackfield.emulator.patched_machine import PatchedMachine as Emulated
from jackfield.physics import Circuit, EdgeSet, Slice
from jackfield.session import load_machine
from jackfield_calibration import calibrate_patch, gains_of

__all__ = ["patched_rows"]

PROFILE = "typical"
STARTS = ((0.8, -0.4), (-0.5, 0.6), (0.3, 0.7))
RUNS, BOARDS = 8, 5
SILENCE_S = 0.02  # the Arduino's second, shortened
ASKED, RATIO = 0.01, 3.0


def patched_rows(quick: bool) -> list[Row]:
    """How far the trajectory that was asked for is missed, rms in full scales, before and after turning the knobs."""
    machine = load_machine("the-analog-thing")
    patch = patch_list(_circuit(), machine, 0.8, inputs=[1.0, -0.5])
    found = np.array([_board(patch, machine, seed) for seed in range(1 if quick else BOARDS)])
    before, after = np.sqrt(np.mean(found**2, axis=0))
    what = f"2 nodes, 6 coefficients, {len(found)} machines, {len(STARTS)} starts of {RUNS} runs; "
    return [
        {
            "name": "patched machine", "workload": what + f"worst machine {found[:, 1].max():.4f}",
            "against": "the knobs as they were set first", "ours": float(after), "theirs": float(before),
            "unit": "full scale, rms of a trajectory", "ratio": float(before / after), "error": float(after),
            "asked": f"<= {ASKED:g}, ratio >= {RATIO:g}", "holds": bool(after <= ASKED and before / after >= RATIO),
        }
    ]  # fmt: skip


def _circuit() -> Circuit:
    ends = torch.tensor([[1, 2], [1, 0]])
    values = {"g1": [0.6, 0.3], "g2": [0.0, 0.4], "g3": [0.0, 0.0]}
    parameters = {name: torch.tensor(row, dtype=torch.float64) for name, row in values.items()}
    edges = EdgeSet("polynomial", ends[:, 0].contiguous(), ends[:, 1].contiguous(), parameters)
    part = Slice(3.0, (edges,), torch.tensor([0.0, 0.2], dtype=torch.float64))
    ones = torch.ones(2, dtype=torch.float64)
    return Circuit(2, (part,), ones, 0 * ones, None, (1, 2), (1,))


def _board(patch: PatchList, machine: PatchedMachine, seed: int) -> tuple[float, float]:
    wired = [patch]
    with _port(lambda: Emulated(wired[0].to_toml(), PROFILE, seed)) as url, HybridPort.at(url) as port:
        logs = []
        for start in STARTS:
            wired[0] = _begun(patch, start)
            port.enable()
            logs.append([port.run(longest_log(patch.op_ms, 2), 2, ic_ms=1) for _ in range(RUNS)])
        record = calibrate_patch(patch, machine, logs, {"board_id": f"{PROFILE} {seed}"})
        missed = []
        for now in (patch, patch.turned(gains_of(record))):
            wired[0] = now
            port.enable()
            missed.append(_missed(patch, [port.run(longest_log(patch.op_ms, 2), 2, ic_ms=1) for _ in range(RUNS)]))
    return missed[0], missed[1]


def _missed(patch: PatchList, logs: list[HybridLog]) -> float:
    """The rms of the mean of `logs` minus what an ideal machine's knobs give."""
    ideal = Emulated(patch.to_toml(), "ideal", 0)
    seen = np.mean([log.values for log in logs], axis=0)
    wanted = ideal.logged(len(seen), logs[0].interval_s, 2, 110e-6, 0)
    return float(np.sqrt(np.mean((seen - wanted) ** 2)))


def _begun(patch: PatchList, start: tuple[float, float]) -> PatchList:
    cables = []
    for cable in patch.cables:
        if cable.destination.startswith("IC of"):
            volts = start[int(cable.destination[-1]) - 1]
            cable = replace(cable, source="+1" if volts > 0 else "-1", dial=abs(volts))
        cables.append(cable)
    return replace(patch, cables=tuple(cables))


@contextmanager
def _port(machine: Callable[[], Emulated]) -> Iterator[str]:
    ours, theirs = socket.socketpair()
    with closing(Loop()) as loop, ours, theirs:
        loop.watch(ours, loop.stop)
        url = open_hybrid(loop, machine, silence_s=SILENCE_S)["url"]
        thread = threading.Thread(target=loop.run, daemon=True)
        thread.start()
        try:
            yield url
        finally:
            theirs.send(b"x")
            thread.join(timeout=5)
