"""`jackfield patch` from a model to turned knobs, with the machine emulated as a process behind a real port."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from jackfield.board import PatchList
from jackfield.model import Checkpoint, FitFacts, FitPlan, KirchhoffNet, save_checkpoint

from .conftest import COMMAND, Jackfield

RUNS = 2


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The two populations as the system's own numbers have them."""
    plan = FitPlan.packaged("populations")
    network = KirchhoffNet(plan.architecture)
    with torch.no_grad():
        network.values["g1"].copy_(torch.tensor([[-2.0, -1.2, 0.6]]))
        network.values["g2"].copy_(torch.tensor([[2.0, 1.2, 0.0]]))
    facts = FitFacts("populations", 0, 1.0, 0.0, 0.0)
    return save_checkpoint(Checkpoint(network, plan.recipe, facts), tmp_path_factory.mktemp("model") / "p.model")


@pytest.fixture
def patch(jackfield: Jackfield, model: Path, tmp_path: Path) -> Path:
    words = ("--input", 0.3, "--input", 0.8, "--json")
    assert jackfield("patch", "make", model, "-o", tmp_path / "p", *words).values["cables"] == 14
    return tmp_path / "p.toml"


@pytest.fixture
def port(patch: Path) -> Iterator[str]:
    words = [*COMMAND, "emulate", str(patch), "--profile", "typical", "--seed", "2", "--json"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=patch.parent)
    assert process.stdout is not None
    yield json.loads(process.stdout.readline())["port"]
    process.terminate()
    assert process.wait(timeout=20) == 130
    process.stdout.close()


def test_from_a_model_to_turned_knobs(jackfield: Jackfield, patch: Path, port: str, tmp_path: Path) -> None:
    assert "potentiometer 8" in (tmp_path / "p.html").read_text()
    first = jackfield("patch", "log", patch, "--port", port, "--runs", RUNS, "-o", tmp_path / "1.csv", "--json").values
    assert first["in_ic"] == pytest.approx([0.9 * 0.3, 0.9 * 0.8], abs=0.05)
    assert first["samples"] > 400
    wired = patch.read_text()
    # Somebody turns the knobs at IC: the emulated machine is what the file says at the moment.
    patch.write_text(_turned(wired, {7: 0.7, 8: 0.2}))
    second = jackfield("patch", "log", patch, "--port", port, "--runs", RUNS, "-o", tmp_path / "2.csv", "--json").values
    assert second["in_ic"] == pytest.approx([0.7, 0.2], abs=0.05)
    patch.write_text(wired)
    ran = jackfield(
        *("patch", "calibrate", patch, tmp_path / "1.csv", tmp_path / "2.csv"),
        *("-o", tmp_path / "p.record", "--id", "mine"),
    )
    assert (ran.status, "P8" in ran.out, "misfit" in ran.out) == (0, True, True)
    assert jackfield("record", "show", tmp_path / "p.record").status == 0
    ran = jackfield("patch", "turn", patch, "--record", tmp_path / "p.record", "-o", tmp_path / "q")
    assert ran.status == 0
    before, after = (PatchList.from_toml((tmp_path / name).read_text()) for name in ("p.toml", "q.toml"))
    assert [cable.asked for cable in after.cables] == [cable.asked for cable in before.cables]
    moved = [abs(b.dial / a.dial - 1) for a, b in zip(before.cables, after.cables, strict=True) if a.pot]
    assert 0.002 < max(moved) < 0.3


def _turned(text: str, dials: dict[int, float]) -> str:
    values = PatchList.from_toml(text)
    gains = {cable.pot: cable.asked / dials[cable.pot] for cable in values.cables if cable.pot in dials}
    return values.turned(gains).to_toml()


def test_what_is_missing_is_named(jackfield: Jackfield, patch: Path, tmp_path: Path) -> None:
    ran = jackfield("patch", "log", patch, "-o", tmp_path / "1.csv")
    assert (ran.status, "no port is given" in ran.err) == (1, True)
    ran = jackfield("patch", "make", tmp_path / "none.model", "-o", tmp_path / "n")
    assert (ran.status, "does not exist" in ran.err) == (1, True)
    (tmp_path / "1.csv").write_text("run,t\n")
    words = ("patch", "calibrate", patch, tmp_path / "1.csv", "-o", tmp_path / "p.record", "--id", "mine")
    assert "is no log of 2 integrators" in jackfield(*words).err
    ran = jackfield("emulate", patch, "--profile", "cmos")
    assert (ran.status, "it has ideal, typical" in ran.err) == (1, True)
