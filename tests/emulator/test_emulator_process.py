"""The emulator as its users meet it: a process that prints one line and serves."""

import json
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import pyvisa
import serial

from jackfield.emulator import main
from jackfield_boards import spec_folder

from .conftest import open_visa

JF16 = str(spec_folder() / "jf16.toml")


@contextmanager
def emulator(*arguments: str) -> Iterator[tuple["subprocess.Popen[str]", dict[str, Any]]]:
    command = [sys.executable, "-m", "jackfield.emulator", *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()


def port(opened: dict[str, Any]) -> str:
    return str(opened["board"]["url"]).removeprefix("serial://")


@pytest.mark.skipif(sys.platform == "win32", reason="a pty")
def test_it_serves_board_scope_and_meter_until_end_of_input(visa: pyvisa.ResourceManager, tmp_path: Path) -> None:
    bench, truth = tmp_path / "bench.toml", tmp_path / "truth.json"
    with emulator(JF16, "--seed", "7", "--until-eof", "--bench", str(bench), "--truth", str(truth)) as (
        process,
        opened,
    ):
        assert opened["pid"] == process.pid
        assert opened["bench"] == str(bench)
        assert bench.read_text() == opened["bench_toml"]
        wired = tomllib.loads(bench.read_text())
        said = {"url": opened["board"]["url"], "spec": JF16, "id": opened["board"]["id"]}
        assert wired["board"] == said | {"patience_s": 120}
        assert wired["instruments"]["dmm"]["resource"] == opened["dmm"]["hislip"]
        listening = [c.laddr.ip for c in psutil.Process(process.pid).net_connections() if c.status == "LISTEN"]
        assert set(listening) == {"127.0.0.1"}
        assert len(listening) == 12  # four instruments, three doors each
        for resource in opened["scope"].values():
            scope = open_visa(visa, resource)
            assert scope.query("*IDN?").startswith("KEYSIGHT")
            scope.close()
        meter = open_visa(visa, opened["dmm"]["socket"])
        told = json.loads(truth.read_text())["quantities"]["reference_V"]["board"]
        assert float(meter.query("READ?")) == pytest.approx(told, abs=1e-4)
        meter.close()
        with serial.Serial(port(opened), timeout=5) as line:
            line.write(b"garbage\0")
        with serial.Serial(port(opened), timeout=5) as line:
            assert line.is_open
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(timeout=10) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_signal_ends_it_quietly() -> None:
    with emulator(JF16, "--profile", "ideal") as (process, opened):
        assert opened["bench"] is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="a pty")
def test_a_hang_up_ends_the_port_but_not_the_instruments(visa: pyvisa.ResourceManager) -> None:
    with emulator(JF16, "--fault", "hangup=10", "--until-eof") as (_, opened):
        with serial.Serial(port(opened), timeout=5) as line:
            line.write(bytes(20))
            with pytest.raises(serial.SerialException):
                line.read(1)
        scope = open_visa(visa, opened["scope"]["hislip"])
        assert scope.query("*OPC?") == "1"
        scope.close()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nothing.toml"], "cannot be read"),
        ([JF16, "--profile", "perfect"], "ideal, modules, cmos, rough"),
        ([JF16, "--fault", "fire=1"], "NAME=NUMBER"),
        ([JF16, "--truth", "/nowhere/at/all.json"], "cannot be written"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert says in err
    assert len(err.splitlines()) == 1
