"""A training stopped anywhere goes on with the numbers of one that was never stopped."""

import dataclasses
import random
from pathlib import Path

import pytest
import torch

from jackfield.board import BoardSpec
from jackfield.data import two_moons
from jackfield.errors import DesignError
from jackfield.model import Architecture, Bounds, KirchhoffNet, Recipe, TrainingResult, train

MOONS = two_moons(300)


@pytest.fixture
def short(recipe: Recipe) -> Recipe:
    """Everything that draws numbers or keeps something from step to step."""
    return dataclasses.replace(
        recipe, epochs=6, batch=20, noise=0.05, average=0.9, smoothing=0.1, coarse_until=0.5, coarse_steps=2
    )


@pytest.fixture(autouse=True)
def kept_at_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jackfield.model.training._KEEP_EVERY_S", -1.0)


def run(
    spec: BoardSpec, shape: Architecture, recipe: Recipe, unfinished: Path | None, stop: int = 0, seed: int = 3
) -> tuple[KirchhoffNet, TrainingResult]:
    """Train, stopped before the state after step `stop` is kept."""

    def advance(done: int, total: int) -> None:
        assert total == 6 * 6
        if done == stop:
            raise KeyboardInterrupt

    network = KirchhoffNet(shape, bounds=Bounds.from_spec(spec, 0.6, 100e-6), seed=seed)
    return network, train(network, MOONS, recipe, seed=seed, advance=advance, unfinished=unfinished)


def test_stopped_anywhere_any_number_of_times(
    jf96: BoardSpec, small: Architecture, short: Recipe, tmp_path: Path
) -> None:
    wanted, result = run(jf96, small, short, None)
    stops = sorted(random.Random(11).sample(range(2, 36), 4))
    for stop in stops:
        with pytest.raises(KeyboardInterrupt):
            run(jf96, small, short, tmp_path / "state", stop)
    network, again = run(jf96, small, short, tmp_path / "state")
    assert again == result
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), wanted.parameters(), strict=True))
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


def test_another_training_is_refused_by_what_differs(
    jf96: BoardSpec, small: Architecture, short: Recipe, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    with pytest.raises(KeyboardInterrupt):
        run(jf96, small, short, state, stop=3)
    with pytest.raises(DesignError, match=r"was begun with seed = 3, now 4 is asked"):
        run(jf96, small, short, state, seed=4)
    with pytest.raises(DesignError, match=r"begun with noise = 0.05, now 0.0 is asked"):
        run(jf96, small, dataclasses.replace(short, noise=0.0), state)
    content = state.read_bytes()
    for wrong in (b"", content[:-5], b"rubbish" * 9):
        state.write_bytes(wrong)
        with pytest.raises(DesignError, match="is no unfinished training"):
            run(jf96, small, short, state)


def test_a_full_disk_leaves_the_state_before(
    jf96: BoardSpec, small: Architecture, short: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "state"
    with pytest.raises(KeyboardInterrupt):
        run(jf96, small, short, state, stop=8)
    before = state.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("jackfield.model.course.os.fsync", full)
        with pytest.raises(DesignError, match="No space left on device; the training stopped"):
            run(jf96, small, short, state)
    assert state.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["state"]
    assert run(jf96, small, short, state)[1] == run(jf96, small, short, None)[1]
