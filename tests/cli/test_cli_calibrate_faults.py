"""A disk that fills, a cable that is pulled, an instrument that falls silent, all in the middle of a calibration."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from jackfield.board import CalibrationRecord
from jackfield.journal import load_record
from jackfield.session import running_emulator

from .conftest import Jackfield

resource = pytest.importorskip("resource", reason="limits of POSIX stand in for a full disk")

URL = "emulator://jf16?profile=cmos&seed=3"


@pytest.fixture(scope="module")
def bench16(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A bench with a small board that does what it should."""
    path = tmp_path_factory.mktemp("bench16") / "bench.toml"
    with running_emulator(URL) as emulator:
        path.write_text(emulator.bench_toml)
        yield path


def _words(bench: Path, folder: Path) -> list[object]:
    return ["calibrate", "--level", "nodes", "--bench", bench, "--runs", folder / "runs", "-o", folder / "b.record"]


def _resumed(jackfield: Jackfield, bench16: Path, folder: Path, said: str) -> None:
    """The run that failed kept readings, says how to go on, and goes on to what a sound bench finds."""
    (run,) = (folder / "runs").iterdir()
    assert f"--resume {run}" in said
    assert not (folder / "b.record").exists()
    connection = sqlite3.connect(run / "readings.sqlite")
    (kept,) = connection.execute("SELECT count(*) FROM readings").fetchone()
    connection.close()
    words = _words(bench16, folder)
    planned = jackfield(*words, "--dry-run", "--json").values["settings"]
    assert 1 < kept < planned
    assert jackfield(*words, "--resume", run).status == 0
    found = CalibrationRecord.from_files(load_record(folder / "b.record"))
    assert jackfield(*words[:-1], folder / "whole.record").status == 0
    whole = CalibrationRecord.from_files(load_record(folder / "whole.record"))
    # Not the meter's reading: it is of the moment, and the board has run since.
    for name in ("preset_offset_V", "leak_S", "trim_gain"):
        assert abs(found.tables[name].value - whole.tables[name].value).max() < whole.tables[name].se.max()


def test_a_disk_that_fills(jackfield: Jackfield, bench16: Path, tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, hard))
    try:
        ran = jackfield(*_words(bench16, tmp_path))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert ran.status == 1
    assert "disk" in ran.err
    assert "Traceback" not in ran.err
    _resumed(jackfield, bench16, tmp_path, ran.err)


@pytest.mark.parametrize(("fault", "said"), [("hangup=12000", "port"), ("silent=120", "answer")])
def test_a_cable_or_an_instrument_that_goes(
    jackfield: Jackfield, bench16: Path, tmp_path: Path, fault: str, said: str
) -> None:
    with running_emulator(f"{URL}&fault={fault}") as emulator:
        bench = tmp_path / "faulty.toml"
        bench.write_text(emulator.bench_toml.replace("timeout_s = 5", "timeout_s = 1"))
        ran = jackfield(*_words(bench, tmp_path))
    assert ran.status == 1
    assert said in ran.err
    assert "Traceback" not in ran.err
    bench.unlink()
    _resumed(jackfield, bench16, tmp_path, ran.err)
