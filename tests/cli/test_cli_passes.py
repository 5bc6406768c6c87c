"""A network of more slices than banks: compiled, run and evaluated in passes; other verbs say that they cannot."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from jackfield.board import BoardSpec
from jackfield.compile import CompiledPasses, twin_of_passes

from .conftest import Jackfield


@pytest.fixture(scope="module")
def deep(tmp_path_factory: pytest.TempPathFactory, model: Path) -> Path:
    """The digits network with a third slice."""
    from jackfield.model import KirchhoffNet, load_checkpoint, save_checkpoint

    checkpoint = load_checkpoint(model)
    network = checkpoint.network
    deeper = KirchhoffNet(replace(network.architecture, slices=3), bounds=network.bounds, seed=1)
    facts = replace(checkpoint.facts, largest_v=2.0)
    return save_checkpoint(
        replace(checkpoint, network=deeper, facts=facts), tmp_path_factory.mktemp("deep") / "d.model"
    )


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory, deep: Path) -> Path:
    from jackfield.cli import main

    path = tmp_path_factory.mktemp("image") / "deep.jfi"
    assert main(["compile", str(deep), "--board", "jf96", "-o", str(path)]) == 0
    return path


def test_compile_says_what_handing_voltages_on_costs(jackfield: Jackfield, deep: Path, tmp_path: Path) -> None:
    ran = jackfield("compile", deep, "--board", "jf96", "-o", tmp_path / "again.jfi", "--json")
    found = ran.values
    (cost,) = found["handing_over"]
    assert (found["passes"], cost["nodes"], len(found["seconds_per_unit"])) == (2, 96, 3)
    assert cost["readout_V"] == pytest.approx(1 / 2047)
    assert cost["measured_V"] == pytest.approx(cost["predicted_V"], rel=0.5)
    assert found["parameters"]["gain"]["values"] == 3 * 6880
    said = jackfield("compile", deep, "--board", "jf96", "-o", tmp_path / "third.jfi").out
    assert "2 passes: 3 slices in 2 banks" in said
    assert "what handing voltages on costs" in said


def test_run_plays_all_passes(
    jackfield: Jackfield, bench: Path, image: Path, sheet: Path, tmp_path: Path, jf96: BoardSpec
) -> None:
    ran = jackfield("run", image, "--bench", bench, "--input", sheet, "--output", tmp_path / "y.csv", "--json")
    assert ran.values["inputs"] == 3
    rows = list(csv.DictReader((tmp_path / "y.csv").read_text().splitlines()))
    x = [[0.0] * 64, [0.5] * 64, [(i % 16) / 16 for i in range(64)]]
    compiled = CompiledPasses.load(image, jf96)
    expected, se = twin_of_passes(compiled, jf96, readout_V=1e-3).predict(x)
    read = np.array([[float(row[f"n{node} (V)"]) for node in compiled.outputs] for row in rows])
    own = np.array([[float(row[f"n{node} se (V)"]) for node in compiled.outputs] for row in rows])
    assert np.abs((read - expected) / np.hypot(se, own)).max() < 5
    # Without the last pass the answer is another.
    before = twin_of_passes(CompiledPasses(compiled.passes[:1]), jf96).predict(x)[0][:, -10:]
    assert np.abs(read - before).max() > 0.1


def test_evaluate_compares_all_passes_with_their_twin(
    jackfield: Jackfield, bench: Path, deep: Path, image: Path
) -> None:
    found = jackfield("evaluate", deep, "--image", image, "--bench", bench, "--inputs", 16, "--json").values
    assert 0.5 < found["measured_minus_predicted_se"] < 1.3
    assert found["output_error_rms_V"] < 10e-3
    assert len(found["handing_over"]) == 1
    assert found["handing_over"][0]["readout_V"] < 2e-3


def test_upload_and_spice_take_one_pass(jackfield: Jackfield, bench: Path, image: Path, tmp_path: Path) -> None:
    for words in (("upload", image, "--bench", bench), ("spice", image, "-o", tmp_path / "d.cir")):
        ran = jackfield(*words)
        assert ran.status == 1
        assert "runs in 2 passes" in ran.err


@pytest.mark.parametrize("verb", ["compile", "run", "spice"])
def test_what_is_there_is_never_overwritten(
    jackfield: Jackfield, bench: Path, model: Path, image: Path, sheet: Path, tmp_path: Path, verb: str
) -> None:
    there = tmp_path / "there.jfi"
    there.write_text("mine")
    words = {
        "compile": ("compile", model, "--board", "jf96", "-o", tmp_path / "there"),
        "run": ("run", image, "--bench", bench, "--input", sheet, "--output", there),
        "spice": ("spice", model, "-o", there),
    }
    ran = jackfield(*words[verb])
    assert ran.status == 1
    assert "there.jfi exists" in ran.err.replace("\n", "")
    assert there.read_text() == "mine"
