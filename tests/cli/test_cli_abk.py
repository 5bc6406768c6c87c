"""`jackfield abk` on an emulated AN231E04 board, a process behind a real port."""

import csv
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import COMMAND, Jackfield

TEMPLATE = """
configuration = "stage.ahf"
[parameters.gain]
offset = 3
range = [0.0, 5.1]
unit = "1"
"""


@pytest.fixture
def template(tmp_path: Path) -> Path:
    (tmp_path / "stage.ahf").write_text("D5 B7 20 10\n01 A3 00 7F")
    (tmp_path / "stage.toml").write_text(TEMPLATE)
    return tmp_path / "stage.toml"


@pytest.fixture
def port(template: Path) -> Iterator[str]:
    words = [*COMMAND, "emulate", str(template), "--json"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    yield json.loads(process.stdout.readline())["port"]
    process.terminate()
    assert process.wait(timeout=20) == 130
    process.stdout.close()


def test_a_parameter_is_swept_while_the_chip_runs(
    jackfield: Jackfield, template: Path, port: str, tmp_path: Path
) -> None:
    """The emulated board's input n shows byte n of what the chip holds, as a share of 3.3 V."""
    words = ("--port", port, "--read", "A3", "--read", "A0", "--settle-s", 0)
    once = jackfield("abk", template, *words, "--set", "gain=2.55", "--json").values
    assert once["columns"] == ["A3 (V)", "A0 (V)"]
    assert once["rows"][0] == pytest.approx([1.65, 3.3 * 0xD5 / 255], abs=0.01)
    ran = jackfield("abk", template, *words, "--sweep", "gain=0,5.1", "-o", tmp_path / "y.csv")
    assert ran.status == 0, ran.err
    rows = list(csv.reader((tmp_path / "y.csv").read_text().splitlines()))
    assert rows[0] == ["gain", "A3 (V)", "A0 (V)"]
    assert [float(row[1]) for row in rows[1:]] == pytest.approx([0.0, 3.3], abs=0.01)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "no port is given"),
        (("--set", "gain=6"), "outside"),
        (("--set", "gain=loud"), "no NAME=VALUE"),
        (("--sweep", "width=1,2"), "'width' is asked, the template has gain"),
        (("--read", "7"), "no converter input"),
    ],
)
def test_what_cannot_be_done_is_said_before_the_port_is_opened(
    jackfield: Jackfield, template: Path, words: tuple[str, ...], message: str
) -> None:
    ran = jackfield("abk", template, *words)
    assert (ran.status, message in ran.err) == (1, True), ran.err
