"""`jackfield train`, one epoch of it."""

from pathlib import Path

from .conftest import Jackfield


def test_one_epoch_leaves_a_model_and_its_facts(jackfield: Jackfield, tmp_path: Path) -> None:
    ran = jackfield("train", "digits", "--board", "jf96", "--epochs", 1, "-o", tmp_path / "d.model", "--json")
    assert ran.status == 0
    assert ran.err == ""
    assert ran.values["test_n"] == 540
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d.model"]
    assert {path.name for path in (tmp_path / "d.model").iterdir()} == {"model.toml", "weights.safetensors"}


def test_a_model_is_never_overwritten(jackfield: Jackfield, model: Path) -> None:
    ran = jackfield("train", "digits", "--board", "jf96", "-o", model)
    assert ran.status == 1
    assert "never overwritten" in ran.err


def test_a_board_that_is_too_small_is_refused_before_the_training(jackfield: Jackfield, tmp_path: Path) -> None:
    ran = jackfield("train", "digits", "--board", "jf16", "-o", tmp_path / "d.model")
    assert ran.status == 1
    assert "has 96 nodes, board jf16 has 16" in ran.err
    assert not list(tmp_path.iterdir())
