import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import torch

from jackfield import __version__
from jackfield.board import BoardSpec
from jackfield.errors import DesignError
from jackfield.model import (
    Architecture,
    Bounds,
    Checkpoint,
    FitFacts,
    FitRecipe,
    KirchhoffNet,
    Recipe,
    TrainingFacts,
    load_checkpoint,
    save_checkpoint,
)

FACTS = TrainingFacts('moons "x"', 7, 1.25 / 3, 9, 10, 98, 97, 100)


@pytest.fixture
def saved(tmp_path: Path, jf96: BoardSpec, small: Architecture, recipe: Recipe) -> Path:
    network = KirchhoffNet(small, bounds=Bounds.from_spec(jf96, 0.6 / 7, 100e-6), seed=7)
    return save_checkpoint(Checkpoint(network, recipe, FACTS), tmp_path / "net.model")


def test_round_trip_is_bit_exact(saved: Path, jf96: BoardSpec, small: Architecture, recipe: Recipe) -> None:
    read = load_checkpoint(saved)
    assert (read.network.architecture, read.recipe, read.facts) == (small, recipe, FACTS)
    assert read.network.bounds == Bounds.from_spec(jf96, 0.6 / 7, 100e-6)
    assert read.software == f"jackfield {__version__}"
    wanted = KirchhoffNet(small, bounds=read.network.bounds, seed=7).state_dict()
    got = read.network.state_dict()
    assert list(got) == list(wanted)
    assert all(torch.equal(got[name], wanted[name]) for name in wanted)
    again = save_checkpoint(read, saved.with_name("again.model"))
    for file in ("weights.safetensors", "model.toml"):
        assert (again / file).read_bytes() == (saved / file).read_bytes()


def test_a_fitted_network_comes_back_with_its_own_facts(tmp_path: Path, small: Architecture) -> None:
    facts = FitFacts("saddle", 3, 1.1, 0.01, 0.02)
    path = save_checkpoint(Checkpoint(KirchhoffNet(small), FitRecipe(epochs=7), facts), tmp_path / "fit.model")
    read = load_checkpoint(path)
    assert (read.facts, read.recipe) == (facts, FitRecipe(epochs=7))
    text = (path / "model.toml").read_text()
    (path / "model.toml").write_text(text + "\n[training]\nseed = 1\n")
    with pytest.raises(DesignError, match="key training is unknown; it takes fit, fitted"):
        load_checkpoint(path)


def test_a_network_for_no_board_has_no_bounds(
    tmp_path: Path, small: Architecture, recipe: Recipe, jf16: BoardSpec
) -> None:
    path = save_checkpoint(Checkpoint(KirchhoffNet(small), recipe, FACTS), tmp_path / "free.model")
    read = load_checkpoint(path)
    assert read.network.bounds is None
    read.check_board(jf16)


def test_a_checkpoint_for_another_board_is_refused(saved: Path, jf16: BoardSpec, jf96: BoardSpec) -> None:
    read = load_checkpoint(saved)
    read.check_board(jf96)
    with pytest.raises(DesignError, match="board jf16 is asked, the network was trained for the ranges of board jf96"):
        read.check_board(jf16)


def test_nothing_is_overwritten_and_nothing_half_written(saved: Path, tmp_path: Path) -> None:
    checkpoint = load_checkpoint(saved)
    with pytest.raises(DesignError, match="never overwritten"):
        save_checkpoint(checkpoint, saved)
    (tmp_path / "file").write_text("")
    with pytest.raises(DesignError, match="cannot be written"):
        save_checkpoint(checkpoint, tmp_path / "file" / "net.model")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "net.model"]


def test_a_full_disk_leaves_nothing(saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    checkpoint = load_checkpoint(saved)
    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(DesignError, match="No space left"):
        save_checkpoint(checkpoint, tmp_path / "other.model")
    assert [path.name for path in tmp_path.iterdir()] == ["net.model"]


def edit(old: str, new: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        text = (path / "model.toml").read_text()
        assert old in text
        (path / "model.toml").write_text(text.replace(old, new, 1))

    return change


def reweigh(change: Callable[[dict[str, torch.Tensor]], object]) -> Callable[[Path], None]:
    def apply(path: Path) -> None:
        weights = safetensors.torch.load_file(path / "weights.safetensors")
        change(weights)
        safetensors.torch.save_file(weights, path / "weights.safetensors")

    return apply


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (shutil.rmtree, "is not a model"),
        (lambda path: (path / "weights.safetensors").unlink(), "is not a model"),
        (lambda path: (path / "weights.safetensors").write_bytes(b"rubbish"), "is damaged"),
        (edit("format = 2", "format = "), "is damaged"),
        (edit("format = 2", "format = 1"), "format 1 is not 2"),
        (edit("format = 2", "format = 2\ncolour = 3"), "key colour is unknown"),
        (edit("seed = 7", ""), "training: key seed is missing"),
        (edit("epochs = 20", 'epochs = "20"'), "recipe: epochs = '20' is not of type int"),
        (edit("nodes = 8", "nodes = 9"), "weights.safetensors: values.gain is"),
        (edit("bits = 8", "bits = 80"), "80 bits are asked of a DAC"),
        (reweigh(lambda weights: weights.pop("values.gain")), "key values.gain is missing"),
        (reweigh(lambda weights: weights.update(spare=torch.zeros(1))), "key spare is unknown"),
        (reweigh(lambda weights: weights["values.gain"].fill_(torch.nan)), "no finite number"),
        (
            reweigh(lambda weights: weights.update({"log_digital_gain": torch.zeros(1)})),
            r"log_digital_gain is .* \(1,\)",
        ),
    ],
)
def test_wrong_folders_are_refused(saved: Path, spoil: Callable[[Path], object], said: str) -> None:
    spoil(saved)
    with pytest.raises(DesignError, match=said):
        load_checkpoint(saved)


def as_codes(tmp_path: Path, spec: BoardSpec, small: Architecture, recipe: Recipe) -> tuple[KirchhoffNet, Path]:
    network = KirchhoffNet(small, bounds=Bounds.from_spec(spec, 0.6, 100e-6), seed=7)
    checkpoint = Checkpoint(network, dataclasses.replace(recipe, as_codes=True), FACTS)
    return network, save_checkpoint(checkpoint, tmp_path / "codes.model")


def test_codes_are_one_byte_each_and_mean_the_rounded_network(
    tmp_path: Path, jf96: BoardSpec, small: Architecture, recipe: Recipe
) -> None:
    network, path = as_codes(tmp_path, jf96, small, recipe)
    weights = safetensors.torch.load_file(path / "weights.safetensors")
    assert {name: value.dtype for name, value in weights.items()} == {
        "codes.gain": torch.uint8,
        "codes.threshold": torch.uint8,
        "log_digital_gain": torch.float32,
    }
    read = load_checkpoint(path).network
    x = torch.rand(5, 2, generator=torch.Generator().manual_seed(1))
    assert torch.equal(read.states(x), network.states(x, quantised=True))
    assert torch.equal(read.states(x, quantised=True), read.states(x))
    for name, value in read.values.items():
        lsb = float({"gain": 0.75, "threshold": 0.5}[name]) / 127
        assert (value - network.values[name]).abs().max() <= lsb * 0.501


def test_codes_that_no_board_has_are_refused(
    tmp_path: Path, jf96: BoardSpec, small: Architecture, recipe: Recipe
) -> None:
    _, path = as_codes(tmp_path, jf96, small, recipe)
    reweigh(lambda weights: weights["codes.gain"].fill_(0))(path)
    with pytest.raises(DesignError, match=r"codes.gain are uint8 from 0 to 0, the board's codes run from 1 to 255"):
        load_checkpoint(path)
    free = Checkpoint(KirchhoffNet(small), dataclasses.replace(recipe, as_codes=True), FACTS)
    with pytest.raises(DesignError, match="codes of no board"):
        save_checkpoint(free, tmp_path / "free.model")
    assert not (tmp_path / "free.model").exists()
