"""The hybrid port of The Analog Thing: its shell on a real pseudo-terminal, damage on the line, the logger's limits."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import numpy as np
import pytest

from jackfield.device import HybridPort
from jackfield.device.hybrid_port import logged_samples
from jackfield.emulator import Loop
from jackfield.emulator.hybrid_shell import HybridShell, open_hybrid
from jackfield.emulator.patched_machine import PatchedMachine
from jackfield.errors import BoardError, DesignError, LinkError
from jackfield.testing import ScriptedLine

PATCH = """
machine = "the-analog-thing"
nodes = 2
k0_per_s = 10.0
shown = [1, 2]
cables = [
  "integrator 1 to input x1 of integrator 1 through potentiometer 1, asked 0.6, dial 0.6",
  "+1 to IC of integrator 1 through potentiometer 2, asked 0.5, dial 0.5",
  "-1 to IC of integrator 2 through potentiometer 3, asked 0.25, dial 0.25",
]
"""
STATUS = "version=1.0,optime=1000,ictime=10,channels=1,armed=0,interval=1,adcminus=130,adcplus=545,dataindex=0\n"


@pytest.fixture
def port() -> Iterator[tuple[str, HybridShell]]:
    """A decay to 0 and a node that keeps what it has, behind a pty; the shell waits 20 ms instead of a second."""
    loop = Loop()
    opened = open_hybrid(loop, lambda: PatchedMachine(PATCH, "ideal", 0), silence_s=0.02)
    ours, theirs = socket.socketpair()
    loop.watch(ours, loop.stop)
    thread = threading.Thread(target=loop.run, daemon=True)
    thread.start()
    with closing(loop), ours, theirs:
        yield opened["url"], opened["shell"]
        theirs.send(b"x")
        thread.join(timeout=5)


def test_ic_shows_the_initial_values_and_op_is_logged(port: tuple[str, HybridShell]) -> None:
    url, shell = port
    with HybridPort.at(url) as machine:
        assert machine.version == "1.0"
        machine.enable()
        assert shell.enabled
        assert machine.sample(2) == pytest.approx([0.5, -0.25], abs=0.003)
        log = machine.run(100, 2)
        lsb = machine.status().lsb
    assert (len(log.values), log.interval_s) == (454, pytest.approx(220e-6))
    t = (np.arange(454) + 1) * 220e-6
    assert log.values[:, 0] == pytest.approx(0.5 * np.exp(-6 * t), abs=0.51 * lsb)
    assert log.values[:, 1] == pytest.approx(-0.25, abs=0.51 * lsb)
    assert not shell.enabled  # the machine's own switch again
    assert shell.overrun == 0


def test_modes(port: tuple[str, HybridShell]) -> None:
    with HybridPort.at(port[0]) as machine:
        machine.enable()
        for mode in ("op", "halt", "ic"):
            machine.mode(mode)
        assert machine.sample(1) == pytest.approx([0.5], abs=0.003)
        with pytest.raises(DesignError, match="'run' is asked; ic, op and halt"):
            machine.mode("run")


@pytest.mark.parametrize(("op_ms", "channels"), [(300, 1), (1000, 1)])
def test_a_run_that_would_overrun_the_arduinos_memory_is_refused(
    port: tuple[str, HybridShell], op_ms: int, channels: int
) -> None:
    samples, _ = logged_samples(op_ms, channels)
    assert samples * channels > 2048
    with HybridPort.at(port[0]) as machine, pytest.raises(DesignError, match=r"memory holds 2048 .*; \d+ ms fit"):
        machine.run(op_ms, channels)
    with HybridPort.at(port[0]) as machine, pytest.raises(DesignError, match="1 to 32767 and 1 to 4"):
        machine.run(40_000, channels)


def test_the_emulated_logger_overruns_as_the_firmware_does(port: tuple[str, HybridShell]) -> None:
    shell = port[1]
    for command in ("enable", "optime=300", "arm"):
        shell.command(command)
    shell._run()
    shell._ended(shell._running)
    assert shell.overrun == 2054 - 2048


def scripted(answers: dict[bytes, str]) -> HybridPort:
    known = {b"status": STATUS, b"halt": "HALT\n", b"disable": "Hybrid mode disabled.\n"} | answers
    return HybridPort(ScriptedLine(lambda data: known.get(data.strip(), "").encode()))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("0.123;0.456", "came where 1 values"),
        ("0.1x3", "came where 1 values"),
        ("0.125", "no code of the converter"),  # codes are 0.0048 apart
        ("9.000", "codes beyond"),
    ],
)
def test_a_damaged_value_is_no_reading(row: str, message: str) -> None:
    machine = scripted({b"channels=1": "channels=1\n", b"sample": f"{row}\n"})
    with pytest.raises(LinkError, match=message):
        machine.sample(1)


def test_most_damaged_digits_are_noticed() -> None:
    """A value is one of 1,024 texts; seven of eight that differ from one in a digit are none."""
    codes = np.arange(1024)
    texts = {f"{2 * (code - 130) / 415 - 1:.3f}" for code in codes}
    spoilt = found = 0
    for text in sorted(texts):
        for place, letter in enumerate(text):
            for digit in "0123456789" if letter.isdigit() else "":
                if digit != letter:
                    spoilt += 1
                    found += text[:place] + digit + text[place + 1 :] not in texts
    assert found / spoilt > 0.85


@pytest.mark.parametrize(
    ("action", "answers", "error", "message"),
    [
        (lambda m: m.enable(), {}, LinkError, "did not answer enable within 3 s"),
        (lambda m: m.mode("ic"), {b"ic": "Illegal command >>> ic\n"}, BoardError, "refuses ic: Illegal"),
        (lambda m: m.sample(2), {b"channels=2": "channels=1\n"}, BoardError, "channels=2 is asked"),
        (lambda m: m.status(), {b"status": "version=1.0,optime=x\n"}, LinkError, "is no status"),
    ],
)
def test_refusals_and_silence(
    action: Callable[[HybridPort], Any], answers: dict[bytes, str], error: type[Exception], message: str
) -> None:
    first = {b"status": STATUS}
    line = ScriptedLine(lambda data: first.pop(data.strip(), answers.get(data.strip(), "")).encode())
    machine = HybridPort(line)
    with pytest.raises(error, match=message):
        action(machine)


def test_nobody_there_is_an_error() -> None:
    with pytest.raises(LinkError, match="did not answer status"):
        HybridPort(ScriptedLine(lambda data: b""))


def test_a_run_whose_log_is_short_is_an_error() -> None:
    answers = {f"{name}={value}".encode(): f"{name}={value}\n" for name, value in (("channels", 1), ("ictime", 100))}
    answers |= {b"optime=10": "optime=10\n", b"arm": "Armed...\n"}
    answers |= {b"run": "Single run...\ninterval=110\nSingle run ended.\n"}
    with pytest.raises(LinkError, match="0 samples are logged where 90"), closing(scripted(answers)) as machine:
        machine.run(10, 1)
