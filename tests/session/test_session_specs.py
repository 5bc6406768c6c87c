"""Board specs by name and by path."""

import shutil
from pathlib import Path

import pytest

from jackfield.errors import DesignError
from jackfield.session import load_spec, spec_file, spec_files


def test_installed_specs_are_found_by_name() -> None:
    assert {"jf16", "jf96"} <= set(spec_files())
    assert "protocol" not in spec_files()
    assert "template" not in spec_files()
    for name in spec_files():
        assert load_spec(name).name == name


def test_a_copy_elsewhere_is_the_same_board(tmp_path: Path) -> None:
    original = spec_file("jf16")
    for path in (original, original.with_name("jf16_reach.csv")):
        shutil.copy(path, tmp_path)
    assert load_spec(str(tmp_path / "jf16.toml")).digest == load_spec("jf16").digest
    (tmp_path / "jf16_reach.csv").unlink()
    with pytest.raises(DesignError, match=r"jf16_reach.csv cannot be read: .*; the board spec needs it"):
        load_spec(tmp_path / "jf16.toml")


def test_what_does_not_exist_is_named_with_what_does(tmp_path: Path) -> None:
    with pytest.raises(DesignError, match=r"no board spec 'jf17'; there are jf-osc64, jf1024, jf16, .*jf96"):
        load_spec("jf17")
    named = r"no board spec .*mine.toml; check the path, or name one of jf-osc64, jf1024, jf16"
    with pytest.raises(DesignError, match=named):
        load_spec(tmp_path / "mine.toml")
    (tmp_path / "mine.toml").write_text("name = ")
    with pytest.raises(DesignError, match=r"not TOML"):
        load_spec(tmp_path / "mine.toml")
