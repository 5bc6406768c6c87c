"""`jackfield train`: a model and its facts, going on after a kill, what is refused."""

import contextlib
import gzip
import random
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from jackfield.model import FitFacts, load_checkpoint, load_density

from .conftest import COMMAND, Jackfield

DIGITS_QUICK = """
board = "jf96"

[architecture]
inputs = 64
outputs = 10
slices = 2
law = "shifted_relu"
steps = 4
wiring = { kind = "mixed", channels = 1, width = 8, height = 8, window = 2, extra = 12, copies = [1, 1] }

[recipe]
epochs = 6
batch = 128
learning_rate = 3e-3
warm_up = 0.25
clip_norm = 1.0
smoothing = 0.05
average = 0.9
headroom_weight = 0.5
headroom_v = 1.1
coarse_steps = 2
coarse_until = 0.3
snapshots = 2
shift_px = 0.3
rotate_deg = 5.0
noise = 0.1
validation_share = 0.08
quantise_from = 0.5
volts_per_unit = 0.6
seconds_per_unit = 100e-6
as_codes = true
"""


@pytest.fixture
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network for the digits, trained in a second."""
    file = tmp_path_factory.mktemp("recipe") / "quick.toml"
    file.write_text(DIGITS_QUICK, encoding="utf-8")
    return file


def test_a_training_leaves_a_model_and_its_facts(jackfield: Jackfield, recipe: Path, tmp_path: Path) -> None:
    ran = jackfield("train", "digits", "--recipe", recipe, "-o", tmp_path / "d.model", "--json")
    assert ran.status == 0
    assert ran.err == ""
    assert (ran.values["test_n"], ran.values["board"], ran.values["epochs"]) == (540, "jf96", 6)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d.model"]
    assert {path.name for path in (tmp_path / "d.model").iterdir()} == {"model.toml", "weights.safetensors"}


def test_a_killed_training_goes_on_with_the_same_numbers(jackfield: Jackfield, recipe: Path, tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole.model", tmp_path / "killed.model"
    words = ["train", "digits", "--recipe", str(recipe), "--epochs", "12", "-o"]
    state = tmp_path / "killed.model.unfinished"
    process = subprocess.Popen([*COMMAND, *words, str(killed)])
    _written(state, random.Random(5).randrange(1, 5), process)
    process.kill()
    process.wait()
    assert not killed.exists()
    refused = jackfield(*words, killed)
    assert refused.status == 1
    assert "go on with it by --resume, or remove it" in refused.err
    assert jackfield(*words, killed, "--resume").status == 0
    assert jackfield(*words, whole).status == 0
    for file in ("weights.safetensors", "model.toml"):
        assert (killed / file).read_bytes() == (whole / file).read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["killed.model", "whole.model"]


def _written(file: Path, times: int, process: "subprocess.Popen[bytes]") -> None:
    """Return when `file` was seen replaced so many times."""
    seen: set[int] = set()
    deadline = time.monotonic() + 240
    while len(seen) < times:
        assert time.monotonic() < deadline
        with contextlib.suppress(subprocess.TimeoutExpired):
            raise AssertionError(f"the training ended with {process.wait(timeout=0.002)} before it could be killed")
        with contextlib.suppress(FileNotFoundError):
            seen.add(file.stat().st_mtime_ns)


def test_ctrl_c_says_how_to_go_on(jackfield: Jackfield, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*values: object, unfinished: Path, **options: object) -> None:
        unfinished.write_bytes(b"")
        raise KeyboardInterrupt

    monkeypatch.setattr("jackfield.cli.models.trained_for", interrupted)
    ran = jackfield("train", "digits", "-o", tmp_path / "d.model")
    assert ran.status == 130
    assert "d.model.unfinished; the same command with --resume goes on" in ran.err


def test_what_cannot_be_resumed_is_refused(jackfield: Jackfield, recipe: Path, tmp_path: Path) -> None:
    model, state = tmp_path / "d.model", tmp_path / "d.model.unfinished"
    words = ("train", "digits", "--recipe", recipe, "-o", model, "--resume")
    assert "leave --resume away" in jackfield(*words).err
    state.write_bytes(b"rubbish")
    ran = jackfield(*words)
    assert ran.status == 1
    assert "is no unfinished training" in ran.err
    assert not model.exists()


def test_a_model_is_never_overwritten(jackfield: Jackfield, model: Path) -> None:
    ran = jackfield("train", "digits", "--board", "jf96", "-o", model)
    assert ran.status == 1
    assert "never overwritten" in ran.err


def test_a_board_that_is_too_small_is_refused_before_the_training(jackfield: Jackfield, tmp_path: Path) -> None:
    ran = jackfield("train", "digits", "--board", "jf16", "-o", tmp_path / "d.model")
    assert ran.status == 1
    assert "has 96 nodes, board jf16 has 16" in ran.err
    assert not list(tmp_path.iterdir())


def test_mnist_is_asked_for_and_read_from_a_folder(
    jackfield: Jackfield, recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JACKFIELD_MNIST", raising=False)
    words = ("train", "mnist", "-o", tmp_path / "m.model")
    assert "--data or JACKFIELD_MNIST" in jackfield(*words).err
    assert "holds no train-images-idx3-ubyte" in jackfield(*words, "--data", tmp_path).err
    assert "--data" in jackfield("train", "digits", "-o", tmp_path / "m.model", "--data", tmp_path).err
    monkeypatch.setenv("JACKFIELD_MNIST", str(_mnist_like(tmp_path)))
    ran = jackfield(*words, "--recipe", recipe)
    assert ran.status == 1
    assert "has 784 inputs, the network takes 64" in ran.err


def _mnist_like(folder: Path) -> Path:
    """Two files as MNIST's, of black pictures."""
    images = np.zeros(16 + 10_010 * 784, np.uint8)
    images[:16] = np.frombuffer(np.array([0x803, 10_010, 28, 28], ">u4").tobytes(), np.uint8)
    labels = np.zeros(8 + 10_010, np.uint8)
    labels[:8] = np.frombuffer(np.array([0x801, 10_010], ">u4").tobytes(), np.uint8)
    (folder / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(images.tobytes(), 1, mtime=0))
    (folder / "train-labels-idx1-ubyte").write_bytes(labels.tobytes())
    return folder


def test_a_density_is_trained_and_drawn(jackfield: Jackfield, tmp_path: Path) -> None:
    recipe = tmp_path / "quick.toml"
    recipe.write_text(
        """
        [architecture]
        inputs = 2
        outputs = 2
        slices = 1
        law = "tanh_affine"
        steps = 2
        wiring = { kind = "fully_connected", nodes = 2, copies = [2, 2] }

        [recipe]
        points = 64
        held_out = 128
        descents = 3
        batch = 32
        learning_rate = 1e-2
        warm_up = 0.5
        clip_norm = 5.0
        average = 0.0
        fewest_steps = 1
        most_steps = 2
        polish = 2
        """
    )
    words = ("train", "ring", "-o", tmp_path / "ring.model", "--recipe", recipe)
    for option, value in (("--board", "jf96"), ("--data", tmp_path), ("--epochs", 3)):
        assert f"{option} {value} is not for ring" in jackfield(*words, option, value).err
    ran = jackfield(*words, "--json")
    assert ran.status == 0
    assert ran.values["held_out_n"] == 128
    assert ran.values["train_nats"] == pytest.approx(ran.values["held_out_nats"], abs=1.0)
    assert (tmp_path / "ring.png").read_bytes().startswith(b"\x89PNG")
    assert load_density(tmp_path / "ring.model").facts.held_out_nats == ran.values["held_out_nats"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["quick.toml", "ring.model", "ring.png"]


def test_a_system_is_fitted_and_compiled(jackfield: Jackfield, tmp_path: Path) -> None:
    model = tmp_path / "p.model"
    ran = jackfield("train", "populations", "-o", model, "--epochs", 200, "--json")
    assert ran.status == 0, ran.err
    assert ran.values["rms"] < 0.05
    assert ran.values["test_rms"] == pytest.approx(ran.values["rms"], rel=0.5)
    facts = load_checkpoint(model).facts
    assert isinstance(facts, FitFacts)
    assert facts.test_rms == ran.values["test_rms"]
    ran = jackfield("compile", model, "--board", "lucidac-2024", "-o", tmp_path / "p.jfi", "--json")
    assert ran.values["parameters"]["coefficient"]["values"] >= 6
    refused = jackfield("train", "saddle", "-o", tmp_path / "s.model", "--data", tmp_path)
    assert (refused.status, "is not for saddle" in refused.err) == (1, True)
