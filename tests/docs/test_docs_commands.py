"""Every command of BRINGUP.md and SAFETY.md runs, in order, on an emulated bench."""

import json
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from jackfield.bench import parse_bench
from jackfield.cli import main

PAGES = Path(__file__).parents[2] / "firmware_config"
PORT = "/dev/ttyUSB0"


def _blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", (PAGES / page).read_text(), re.DOTALL | re.MULTILINE)


def _commands(page: str) -> list[str]:
    return [line for block in _blocks(page, "sh") for line in block.splitlines()]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder in which the `emulate` of BRINGUP.md has written its bench file."""
    (line,) = [line for line in _commands("BRINGUP.md") if line.startswith("jackfield emulate")]
    folder = tmp_path_factory.mktemp("desk")
    words = [sys.executable, "-m", "jackfield.cli", *shlex.split(line)[1:], "--json"]
    process = subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["spec"] == "jf96"
    yield folder
    process.terminate()
    process.wait(timeout=20)
    process.stdout.close()


@pytest.mark.parametrize("page", ["BRINGUP.md", "SAFETY.md"])
def test_every_command_runs(
    page: str, bench: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(bench)
    port = tomllib.loads((bench / "bench.toml").read_text())["board"]["url"].removeprefix("serial://")
    lines = [line for line in _commands(page) if not line.startswith("jackfield emulate")]
    assert len(lines) >= 7
    for line in lines:
        program, *words = shlex.split(line)
        assert program == "jackfield"
        status = main([port if word == PORT else word for word in words])
        assert status == 0, f"{line}\n{capsys.readouterr().err}"
        if words[:2] == ["poke", "hello"]:
            assert "safe" in capsys.readouterr().out
    assert not list(bench.glob("*.part"))


def test_the_bench_file_of_the_page_is_one() -> None:
    (text,) = _blocks("BRINGUP.md", "toml")
    found = parse_bench(text)
    assert found.board.url == f"serial://{PORT}"
    assert len(found.scope.channels) == 2
    (source,) = _blocks("SAFETY.md", "toml")
    smu = parse_bench(text + source.replace('"..."', '"some-smu"')).smu
    assert smu is not None
    assert smu.limit_V == 1.0


def test_links_lead_somewhere() -> None:
    for page in ("BRINGUP.md", "SAFETY.md"):
        for link in re.findall(r"\]\(([^)#]+)\)", (PAGES / page).read_text()):
            assert (PAGES / link).exists() or link == "../calibration/README.md"
