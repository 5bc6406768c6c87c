"""Files are there whole or not at all."""

from pathlib import Path

import pytest

from jackfield.cli.files import existing, new_file, writable, writing
from jackfield.errors import DesignError


def test_a_file_gets_its_name_at_the_end(tmp_path: Path) -> None:
    with writing(tmp_path / "a.csv") as part:
        part.write_text("whole")
        assert not (tmp_path / "a.csv").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def _interrupted(path: Path) -> None:
    with writing(path) as part:
        part.write_text("half")
        raise KeyboardInterrupt


def test_nothing_is_left_of_a_file_that_failed(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        _interrupted(tmp_path / "a.csv")
    assert not list(tmp_path.iterdir())


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DesignError, match=r"x\.jfi does not exist; name an image"):
        existing(tmp_path / "x.jfi", "an image that `jackfield compile` wrote")


def test_a_place_that_cannot_be_written_is_told_beforehand(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "nowhere" / "y.csv", tmp_path / "file" / "y.csv", tmp_path):
        with pytest.raises(DesignError, match=r"cannot be written: .*; name another place"):
            writable(place)
    assert writable(tmp_path / "file") == tmp_path / "file"


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    assert new_file(tmp_path / "y.csv", "a sheet") == tmp_path / "y.csv"
    (tmp_path / "y.csv").write_text("measured")
    with pytest.raises(DesignError, match=r"y\.csv exists; a sheet is never overwritten: name another one"):
        new_file(tmp_path / "y.csv", "a sheet")
    with pytest.raises(DesignError, match=r"nowhere is no folder"):
        new_file(tmp_path / "nowhere" / "y.csv", "a sheet")
