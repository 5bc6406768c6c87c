"""`jackfield measure`: a plan, a table with units, a picture; a run folder that opens without jackfield."""

import csv
import json
import sqlite3
from pathlib import Path

import pytest

from .conftest import Jackfield

PLAN = """
[[axes]]
quantity = "node.3.preset"
values = ["-0.5 V", "0.5 V"]
[read]
quantities = ["node.3", "meter.reference", "board.temperature"]
"""


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "plan.toml"
    path.write_text(PLAN)
    return path


def test_a_sweep_leaves_a_table_and_a_picture(jackfield: Jackfield, bench: Path, plan: Path, tmp_path: Path) -> None:
    words = ("measure", "--plan", plan, "--bench", bench, "--runs", tmp_path / "runs", "-o", tmp_path / "y.csv")
    ran = jackfield(*words, "--json").values
    rows = list(csv.DictReader((tmp_path / "y.csv").read_text().splitlines()))
    assert [float(row["node.3 (V)"]) for row in rows] == pytest.approx([-0.5, 0.5], abs=5e-3)
    assert float(rows[0]["meter.reference (V)"]) == pytest.approx(0.8, abs=1e-2)
    assert ran["columns"]["board.temperature (C)"] == [25.0, 25.0]
    folder = Path(ran["run"])
    assert (folder / "sweep.csv").read_text() == (tmp_path / "y.csv").read_text()
    assert (folder / "sweep.png").read_bytes().startswith(b"\x89PNG")
    connection = sqlite3.connect(folder / "readings.sqlite")
    query = "SELECT data FROM arrays JOIN readings ON reading = id WHERE key = 'sweep/1' AND name = 'values'"
    (text,) = connection.execute(query).fetchone()
    connection.close()
    assert json.loads(text)[0] == float(rows[1]["node.3 (V)"])
    again = jackfield(*words[:-2], "--resume", folder, "--json").values  # all is there: nothing is read again
    assert again["columns"] == ran["columns"]


def test_a_plan_for_another_run_or_with_a_mistake_is_refused(
    jackfield: Jackfield, bench: Path, plan: Path, tmp_path: Path
) -> None:
    words = ("measure", "--plan", plan, "--bench", bench, "--runs", tmp_path / "runs")
    folder = jackfield(*words, "--json").values["run"]
    plan.write_text(PLAN.replace("0.5 V", "0.4 V"))
    ran = jackfield(*words, "--resume", folder)
    assert ran.status == 1
    assert "plan" in ran.err
    plan.write_text(PLAN.replace("node.3.preset", "node.3.presets"))
    ran = jackfield(*words)
    assert ran.status == 1
    assert "node.N.preset" in ran.err
    assert len(list((tmp_path / "runs").iterdir())) == 1
