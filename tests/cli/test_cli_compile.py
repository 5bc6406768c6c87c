"""`jackfield compile` and `jackfield spice`."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from .conftest import Jackfield


def test_the_report_says_requested_and_actual(jackfield: Jackfield, model: Path, tmp_path: Path) -> None:
    ran = jackfield("compile", model, "--board", "jf96", "-o", tmp_path / "d.jfi", "--json")
    gain = ran.values["parameters"]["gain"]
    assert gain["values"] == 2 * 6880
    assert 0.2 < gain["rms_lsb"] < 0.35  # rounding to whole codes
    assert gain["largest_lsb"] <= 0.5 + 1e-9
    assert [path.name for path in tmp_path.iterdir()] == ["d.jfi"]


def test_verbose_lists_the_largest_errors(jackfield: Jackfield, model: Path, tmp_path: Path) -> None:
    ran = jackfield("compile", model, "--board", "jf96", "-o", tmp_path / "d.jfi", "--verbose")
    assert re.search(r"A\d+, n\d+->n\d+, bank", ran.out)
    assert "rms (LSB)" in ran.out


def test_another_scale_is_taken(jackfield: Jackfield, model: Path, tmp_path: Path) -> None:
    words = ("--volts-per-unit", 0.4, "--seconds-per-unit", 120e-6)
    ran = jackfield("compile", model, "--board", "jf96", *words, "-o", tmp_path / "d.jfi", "--json")
    assert ran.values["volts_per_unit"] == 0.4
    assert ran.values["seconds_per_unit"] == pytest.approx([120e-6, 120e-6])


def test_an_image_becomes_a_netlist(jackfield: Jackfield, image: Path, sheet: Path, tmp_path: Path) -> None:
    ran = jackfield("spice", image, "--input", sheet, "--row", 3, "-o", tmp_path / "d.cir", "--json")
    assert ran.values["edges"] == 2 * 6880
    assert "ic=" in (tmp_path / "d.cir").read_text()


@pytest.mark.skipif(shutil.which("ngspice") is None, reason="ngspice is not installed")
def test_ngspice_runs_what_is_written(jackfield: Jackfield, tmp_path: Path) -> None:
    path = _small_model(tmp_path)
    assert jackfield("spice", path, "-o", tmp_path / "m.cir").status == 0
    done = subprocess.run(["ngspice", "-b", tmp_path / "m.cir"], capture_output=True, text=True, check=False)
    assert "v(n1)" in done.stdout


def _small_model(folder: Path) -> Path:
    from jackfield.model import (
        DIGITS_RECIPE,
        Architecture,
        Checkpoint,
        FullyConnected,
        KirchhoffNet,
        TrainingFacts,
        save_checkpoint,
    )

    network = KirchhoffNet(Architecture(FullyConnected(3, (1, 1)), inputs=1, outputs=1), seed=1)
    return save_checkpoint(
        Checkpoint(network, DIGITS_RECIPE, TrainingFacts("none", 1, 1.0, 0, 1, 0, 0, 1)), folder / "m.model"
    )
