"""A run folder keeps what was stored, through a kill, and says clearly what is wrong."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from jackfield.errors import CalibrationError, DesignError
from jackfield.journal import Run

STARTED = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def test_folder_is_named_by_utc_verb_and_board(tmp_path: Path) -> None:
    with Run.create(tmp_path, "calibrate", "5A31-0007", details={"seed": 3}, started=STARTED) as run:
        assert run.folder.name == "20260304T050607Z-calibrate-5A31-0007"
        assert run.details["seed"] == 3
        assert run.details["started_utc"] == "2026-03-04T05:06:07Z"


def test_arrays_come_back_as_they_went(tmp_path: Path) -> None:
    arrays = {
        "volts": np.linspace(-1, 1, 12).reshape(3, 4),
        "codes": np.arange(5),
        "flags": np.array([True, False]),
        "none": np.zeros((0, 4)),
    }
    with Run.create(tmp_path, "measure", "b1", started=STARTED) as run:
        run.store("first", arrays)
        folder = run.folder
    with Run.open(folder) as again:
        found = again.reading("first")
        assert again.reading("second") is None
        assert again.keys() == ["first"]
    assert found is not None
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype


def test_a_key_is_stored_once(tmp_path: Path) -> None:
    with Run.create(tmp_path, "measure", "b1", started=STARTED) as run:
        run.store("k", {"x": np.zeros(1)})
        with pytest.raises(CalibrationError, match="already"):
            run.store("k", {"x": np.ones(1)})
        found = run.reading("k")
        assert found is not None
        assert found["x"][0] == 0


def test_a_run_is_held_by_one_process(tmp_path: Path) -> None:
    with (
        Run.create(tmp_path, "measure", "b1", started=STARTED) as run,
        pytest.raises(CalibrationError, match="in use"),
    ):
        Run.open(run.folder)


def test_a_killed_process_loses_nothing_that_was_stored(tmp_path: Path) -> None:
    script = (
        "import sys, numpy, pathlib; from jackfield.journal import Run\n"
        "run = Run.create(pathlib.Path(sys.argv[1]), 'measure', 'b1')\n"
        "run.store('a', {'x': numpy.arange(3)}); print(run.folder, flush=True); sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    folder = Path(process.stdout.readline().strip())
    os.kill(process.pid, signal.SIGKILL)
    process.wait(timeout=20)
    process.stdin.close()
    process.stdout.close()
    with Run.open(folder) as run:
        found = run.reading("a")
    assert found is not None
    np.testing.assert_array_equal(found["x"], [0, 1, 2])


def test_resume_with_other_details_is_refused(tmp_path: Path) -> None:
    with Run.create(tmp_path, "calibrate", "b1", details={"seed": 3}, started=STARTED) as run:
        run.check_details({"seed": 3})
        with pytest.raises(DesignError, match="seed = 3"):
            run.check_details({"seed": 4})


@pytest.mark.parametrize("name", ["", "a/b", "..", "x" * 81, "a b", "end."])
def test_names_that_make_no_folder_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DesignError, match="folder's name"):
        Run.create(tmp_path, "calibrate", name, started=STARTED)


def test_too_small_a_disk_is_found_before_the_first_reading(tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match="MB free"):
        Run.create(tmp_path, "calibrate", "b1", needed_bytes=10**18, started=STARTED)
    assert not list(tmp_path.iterdir())


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    with pytest.raises(CalibrationError, match="--runs"):
        Run.create(tmp_path / "runs", "calibrate", "b1", started=STARTED)


def test_runs_of_the_same_second_have_folders_of_their_own(tmp_path: Path) -> None:
    for _ in range(3):
        Run.create(tmp_path, "calibrate", "b1", started=STARTED).close()
    name = "20260304T050607Z-calibrate-b1"
    assert sorted(folder.name for folder in tmp_path.iterdir()) == [name, f"{name}-2", f"{name}-3"]


def test_another_folder_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match="not a run folder"):
        Run.open(tmp_path)
