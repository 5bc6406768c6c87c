"""The frame: verbs found lazily, light start, exit statuses."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jackfield import __version__
from jackfield.cli import main
from jackfield.cli.app import VERBS

HEAVY = ("torch", "numba", "matplotlib", "sklearn", "scipy", "pyvisa")
START_S = 0.6


def _cpu_seconds(words: list[str]) -> tuple[float, str, str]:
    """CPU time of a start (a wall clock would measure the neighbours), its output, the modules it loaded."""
    probe = (
        "import sys, time, contextlib, io\n"
        "from jackfield.cli import main\n"
        "out = io.StringIO()\n"
        "with contextlib.redirect_stdout(out): status = main(sys.argv[1:])\n"
        "print(time.process_time(), status, ','.join(sys.modules), sep='\\n')\n"
        "print(out.getvalue())\n"
    )
    done = subprocess.run([sys.executable, "-c", probe, *words], capture_output=True, text=True, timeout=60, check=True)
    seconds, _, modules, *printed = done.stdout.split("\n")
    return float(seconds), "\n".join(printed), modules


def _starts_fast(words: list[str]) -> tuple[str, str]:
    """What it printed and loaded when it was fast: a busy neighbour on the same core slows some of the starts."""
    for _ in range(10):
        seconds, printed, modules = _cpu_seconds(words)
        if seconds < START_S:
            return printed, modules
    raise AssertionError(f"10 starts of {words}, none within {START_S} s of processor time")


def test_help_is_fast_and_imports_nothing_heavy() -> None:
    printed, modules = _starts_fast(["--help"])
    assert not set(HEAVY) & set(modules.split(","))
    assert all(f"  {verb} " in printed for verb in VERBS)


def test_safe_is_fast_and_imports_nothing_heavy(bench: Path) -> None:
    printed, modules = _starts_fast(["safe", "--bench", str(bench)])
    assert "is safe" in printed
    assert not set(HEAVY) & set(modules.split(","))


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_has_a_help_without_heavy_imports(verb: str) -> None:
    _, printed, modules = _cpu_seconds([verb, "--help"])
    assert not set(HEAVY) & set(modules.split(","))
    assert f"Usage: jackfield {verb}" in printed
    others = [name for name in VERBS if name != verb]
    assert not {f"jackfield.cli.{name}" for name in others} & set(modules.split(","))


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"jackfield {__version__}\n"


@pytest.mark.parametrize("words", [["nonsense"], ["doctor", "--nonsense"], ["upload"]])
def test_usage_errors_end_in_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert "Usage: jackfield" in capsys.readouterr().err


def test_a_misspelt_verb_is_guessed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctr"]) == 2
    assert "doctor" in capsys.readouterr().err


def test_the_program_runs_as_a_module() -> None:
    begin = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "jackfield.cli", "doctor", "--json"], capture_output=True, text=True, check=False
    )
    assert {"ok", "checks"} == set(json.loads(done.stdout))
    assert done.returncode in (0, 1)
    assert time.monotonic() - begin < 60
