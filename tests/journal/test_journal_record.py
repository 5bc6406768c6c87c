"""A record folder is there whole or not at all, and is never overwritten."""

import hashlib
from pathlib import Path

import pytest

from jackfield.errors import CalibrationError
from jackfield.journal import load_record, record_history, replace_record, save_record


class _Record:
    def __init__(self, files: dict[str, str]) -> None:
        self._files = files
        self.digest = hashlib.sha256(repr(files).encode()).hexdigest()

    def to_files(self) -> dict[str, str]:
        return self._files


FILES = {"record.toml": 'board_id = "b1"\n', "gain_scale.csv": "index,value\nA1,1.02\n"}


def test_texts_come_back_as_they_went(tmp_path: Path) -> None:
    path = save_record(_Record(FILES), tmp_path / "deep" / "b1.record")
    assert load_record(path) == FILES
    assert [entry.name for entry in path.parent.iterdir()] == ["b1.record"]


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    save_record(_Record(FILES), tmp_path / "b1.record")
    with pytest.raises(CalibrationError, match="never overwritten"):
        save_record(_Record({}), tmp_path / "b1.record")
    assert load_record(tmp_path / "b1.record") == FILES


def test_half_a_record_is_never_seen(tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match="cannot be written"):
        save_record(_Record(FILES | {"no/such/folder.csv": ""}), tmp_path / "b1.record")
    assert not (tmp_path / "b1.record").exists()
    save_record(_Record(FILES), tmp_path / "b1.record")


def test_another_folder_is_no_record(tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match="not a record"):
        load_record(tmp_path)


def test_what_was_replaced_stays_in_the_history(tmp_path: Path) -> None:
    first, second, third = (_Record(FILES | {"gain_scale.csv": f"{n}\n"}) for n in range(3))
    path = save_record(first, tmp_path / "b1.record")
    replace_record(path, first, second)
    replace_record(path, second, third)
    assert load_record(path) == third.to_files()
    history = record_history(path)
    assert {name: load_record(folder) for name, folder in history.items()} == {
        record.digest[:16]: record.to_files() for record in (first, second)
    }
    assert [entry.name for entry in tmp_path.iterdir()] == ["b1.record"]


def test_a_replacement_that_fails_leaves_the_record_as_it_was(tmp_path: Path) -> None:
    first = _Record(FILES)
    path = save_record(first, tmp_path / "b1.record")
    with pytest.raises(CalibrationError, match="cannot be replaced"):
        replace_record(path, first, _Record(FILES | {"no/such/folder.csv": ""}))
    assert load_record(path) == FILES
    assert [entry.name for entry in tmp_path.iterdir()] == ["b1.record"]


def test_an_interrupted_replacement_says_where_the_record_is(tmp_path: Path) -> None:
    path = save_record(_Record(FILES), tmp_path / "b1.record")
    path.rename(tmp_path / "b1.record.old")  # the process ended between two renames
    with pytest.raises(CalibrationError, match=r"b1\.record\.old"):
        load_record(path)
