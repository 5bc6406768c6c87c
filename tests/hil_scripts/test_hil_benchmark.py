"""The benchmark dispatcher, as a program."""

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "hil_scripts" / "benchmark.py"
FIELDS = {"name", "workload", "against", "ours", "theirs", "unit", "ratio", "error", "asked", "holds"}


def _run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(SCRIPT), *words], capture_output=True, text=True, check=False)


def test_an_unknown_subject_lists_what_exists() -> None:
    done = _run("nonsense")
    assert done.returncode == 2
    assert "there are" in done.stderr
    assert "physics" in done.stderr


def test_an_unknown_part_lists_what_exists() -> None:
    done = _run("physics", "--part", "?")
    assert done.returncode == 2
    assert "there are speed, memory" in done.stderr


def test_a_part_alone() -> None:
    done = _run("compile", "--json", "--quick", "--part", "topology")
    assert {row["name"] for row in json.loads(done.stdout)["rows"]} == {"topology"}
    assert "topology: 2 rows" in done.stderr


def test_rows_of_the_physics_subject() -> None:
    done = _run("physics", "--json", "--quick")
    rows = json.loads(done.stdout)["rows"]
    assert rows
    assert all(set(row) == FIELDS for row in rows)
    # The speed depends on the machine's other work, the answer does not.
    same = [row for row in rows if row["error"] is not None and row["against"] != "published_setting"]
    assert same
    assert all(row["error"] < 1e-4 for row in same)  # that peer has an error of its own, to be matched
    assert done.returncode == (0 if all(row["holds"] for row in rows) else 1)


def test_every_subject_can_be_begun() -> None:
    script = (
        "import importlib, benchmark\n"
        "for name in benchmark.subjects():\n"
        "    assert callable(importlib.import_module(f'benchmarks.{name}').parts), name\n"
        "print(len(benchmark.subjects()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=SCRIPT.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 10
