"""A bench whose instruments are late, silent or cut short: errors, and never wrong values."""

import re
from pathlib import Path

import numpy as np
import pytest

from jackfield.board import ConfigImage, RunProgram
from jackfield.errors import InstrumentError
from jackfield.session import RunningEmulator, open_bench, running_emulator

PROGRAM = RunProgram(steps=((0, 50),), scan=((1, 2), (3, 4)))
VOLTS = (0.6, -0.4, 0.2, -0.7)
TURNS = 20


def impatient(emulator: RunningEmulator, door: str) -> str:
    """Its bench file with short deadlines, without a meter, all instruments behind one kind of door."""
    text = emulator.bench_toml.replace("timeout_s = 5", "timeout_s = 0.3")
    for doors in emulator.doors.values():
        text = text.replace(doors["hislip"], doors[door])
    return re.sub(r"\[instruments\.dmm\].*?(?=\n\[)", "", text, flags=re.DOTALL)


@pytest.mark.parametrize(
    ("fault", "door"),
    [
        ("missing=0.01", "hislip"),
        ("truncated=0.01", "hislip"),
        ("late=0.01&fault=late_s=0.45", "socket"),
    ],
)
def test_faulty_answers_are_errors_and_the_bench_recovers(fault: str, door: str, tmp_path: Path) -> None:
    failures = 0
    with running_emulator(f"emulator://jf16?profile=ideal&seed=4&fault={fault}") as emulator:
        (tmp_path / "bench.toml").write_text(impatient(emulator, door))
        with open_bench(tmp_path / "bench.toml") as bench:
            bench.board.apply(ConfigImage.safe(bench.spec))
            codes = np.full((2, bench.spec.nodes.count), bench.spec.nodes.preset.middle)
            codes[:, :4] = bench.spec.nodes.preset.code(VOLTS)
            for _ in range(TURNS):
                try:
                    read = bench.measure(codes, PROGRAM)
                except InstrumentError:
                    failures += 1
                else:
                    assert np.abs(read.values_V - VOLTS).max() < 5e-3
    assert 0 < failures < TURNS // 2
