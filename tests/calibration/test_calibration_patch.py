"""Effective coefficients of a patched machine, from runs logged over a real pseudo-terminal."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from jackfield.board import CalibrationRecord, PatchList
from jackfield.compile import patch_list
from jackfield.device import HybridLog, HybridPort, longest_log
from jackfield.emulator import Loop
from jackfield.emulator.hybrid_shell import open_hybrid
from jackfield.emulator.patched_machine import PatchedMachine
from jackfield.errors import CalibrationError
from jackfield.physics import Circuit, EdgeSet, Slice
from jackfield.session import load_machine
from jackfield_calibration import calibrate_patch, gains_of

MACHINE = load_machine("the-analog-thing")
STARTS = ((0.8, -0.4), (-0.5, 0.6), (0.3, 0.7))
RUNS = 4


def circuit() -> Circuit:
    """Two coupled nodes, a square to ground at the first, a constant at the second."""
    ends = torch.tensor([[1, 2], [1, 0]])
    values = {"g1": [0.6, 0.3], "g2": [0.0, 0.4], "g3": [0.0, 0.0]}
    parameters = {name: torch.tensor(row, dtype=torch.float64) for name, row in values.items()}
    part = Slice(
        3.0,
        (EdgeSet("polynomial", ends[:, 0].contiguous(), ends[:, 1].contiguous(), parameters),),
        torch.tensor([0.0, 0.2], dtype=torch.float64),
    )
    ones = torch.ones(2, dtype=torch.float64)
    return Circuit(2, (part,), ones, 0 * ones, None, (1, 2), (1,))


def begun(patch: PatchList, start: tuple[float, float]) -> PatchList:
    """With the potentiometers at IC turned elsewhere."""
    cables = []
    for cable in patch.cables:
        if cable.destination.startswith("IC of"):
            volts = start[int(cable.destination[-1]) - 1]
            cable = replace(cable, source="+1" if volts > 0 else "-1", dial=abs(volts))
        cables.append(cable)
    return replace(patch, cables=tuple(cables))


@dataclass
class Hand:
    """What is plugged in now, and whose machine it is."""

    patch: PatchList
    seed: int = 1

    def machine(self) -> PatchedMachine:
        return PatchedMachine(self.patch.to_toml(), "typical", self.seed)


@dataclass
class Bench:
    hand: Hand
    url: str

    def logs(self, patch: PatchList) -> list[list[HybridLog]]:
        found = []
        with HybridPort.at(self.url) as port:
            for start in STARTS:
                self.hand.patch = begun(patch, start)
                port.enable()
                found.append([port.run(longest_log(patch.op_ms, 2), 2, ic_ms=1) for _ in range(RUNS)])
        return found

    def coefficients(self) -> np.ndarray:
        """What the emulated machine's cables really give, in the order of the patch list."""
        return np.array([gain for feeds in self.hand.machine()._into for _, gain in feeds])


@pytest.fixture(scope="module")
def patch() -> PatchList:
    return patch_list(circuit(), MACHINE, 0.8, inputs=[1.0, -0.5])


@pytest.fixture(scope="module")
def bench(patch: PatchList) -> Iterator[Bench]:
    hand = Hand(patch)
    ours, theirs = socket.socketpair()
    with closing(Loop()) as loop, ours, theirs:
        loop.watch(ours, loop.stop)
        url = open_hybrid(loop, hand.machine, silence_s=0.02)["url"]
        thread = threading.Thread(target=loop.run, daemon=True)
        thread.start()
        yield Bench(hand, url)
        theirs.send(b"x")
        thread.join(timeout=5)


@pytest.fixture(scope="module")
def logs(bench: Bench, patch: PatchList) -> list[list[HybridLog]]:
    return bench.logs(patch)


@pytest.fixture(scope="module")
def record(logs: list[list[HybridLog]], patch: PatchList) -> CalibrationRecord:
    return calibrate_patch(patch, MACHINE, logs, {"board_id": "mine"})


def off(bench: Bench, patch: PatchList) -> np.ndarray:
    """By how much each coefficient is wrong, relative to what was asked."""
    asked = [cable.asked for cable in patch.cables if "input x" in cable.destination]
    return bench.coefficients() / asked - 1


def test_the_equations_hold_and_the_record_says_so(record: CalibrationRecord) -> None:
    assert 0.7 < record.provenance["misfit"] < 1.3
    assert record.provenance["spec_digest"] == MACHINE.digest
    table = record.tables["gain_scale"]
    assert table.index == tuple(f"P{pot}" for pot in range(1, 9))
    assert set(table.reason) <= {"ok", "noisy"}
    assert CalibrationRecord.from_files(record.to_files()).digest == record.digest


def test_knobs_turned_by_the_record_give_what_was_asked(
    bench: Bench, record: CalibrationRecord, patch: PatchList
) -> None:
    bench.hand.patch = patch
    before = off(bench, patch)
    bench.hand.patch = patch.turned(gains_of(record))
    after = off(bench, patch)
    # The fifth is a constant, whose potentiometer makes good the integrator's own offset too.
    alone = [0, 1, 2, 3, 4]
    assert np.abs(before[alone]).max() > 0.02
    assert np.abs(after[alone]).max() < 0.01
    assert np.sqrt(np.mean(after[alone] ** 2)) < 0.3 * np.sqrt(np.mean(before[alone] ** 2))


def test_logs_that_say_too_little_are_refused(logs: list[list[HybridLog]], patch: PatchList) -> None:
    with pytest.raises(CalibrationError, match="a start was logged once"):
        calibrate_patch(patch, MACHINE, [logs[0][:1]], {"board_id": "mine"})
    short = [[replace(log, values=log.values[:20]) for log in logs[0]]]
    with pytest.raises(CalibrationError, match="20 samples were logged, 34 or more"):
        calibrate_patch(patch, MACHINE, short, {"board_id": "mine"})
    high = [[replace(log, values=log.values + 0.5) for log in logs[0]]]
    with pytest.raises(CalibrationError, match="full scales, 1 is possible"):
        calibrate_patch(patch, MACHINE, high, {"board_id": "mine"})
