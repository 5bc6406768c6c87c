"""What calibration/README.md shows works: the SQL on a run folder, the plan of a sweep."""

import re
import sqlite3
from pathlib import Path

import numpy as np

from jackfield.board import BoardSpec
from jackfield.journal import Run
from jackfield_calibration import SweepPlan, parse_set
from jackfield_calibration.sweep_names import parse_read

PAGE = (Path(__file__).parents[2] / "calibration" / "README.md").read_text(encoding="utf-8")


def _block(language: str) -> str:
    found = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert len(found) == 1
    return str(found[0])


def test_plain_sql_gives_the_volts_of_each_node(tmp_path: Path) -> None:
    with Run.create(tmp_path, "calibrate", "b1") as run:
        values = np.array([[0.5, -0.25], [np.nan, 1.0]])
        run.store("reference", {"volts": np.array([0.8])})
        run.store("nodes/0", {"values_V": values, "nodes": np.array([3, 7])})
        folder = run.folder
    connection = sqlite3.connect(folder / "readings.sqlite")
    rows = connection.execute(_block("sql")).fetchall()
    connection.close()
    assert rows == [("nodes/0", 3, 0, 0.5), ("nodes/0", 7, 0, -0.25), ("nodes/0", 3, 1, None), ("nodes/0", 7, 1, 1.0)]


def test_the_plan_of_the_page_is_one(jf16: BoardSpec) -> None:
    plan = SweepPlan.from_toml(_block("toml"), lambda name: parse_set(jf16, name).unit)
    assert plan.readings == 3 * 9 * 3
    assert [parse_read(jf16, name).unit for name in plan.read] == ["V", "V", "V", "V", "C"]
