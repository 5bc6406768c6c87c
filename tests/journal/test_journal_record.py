"""A record folder is there whole or not at all, and is never overwritten."""

from pathlib import Path

import pytest

from jackfield.errors import CalibrationError
from jackfield.journal import load_record, save_record


class _Record:
    def __init__(self, files: dict[str, str]) -> None:
        self._files = files

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
