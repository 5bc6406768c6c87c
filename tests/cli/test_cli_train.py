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
