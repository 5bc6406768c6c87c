"""One emulated bench, one small model and its image for all tests of verbs."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from jackfield.board import BoardSpec
from jackfield.cli import main

COMMAND = (sys.executable, "-m", "jackfield.cli")


@dataclass(frozen=True)
class Ran:
    """What a verb left: exit status, stdout, stderr."""

    status: int
    out: str
    err: str

    @property
    def values(self) -> dict[str, Any]:
        """The one object of `--json`."""
        answer: dict[str, Any] = json.loads(self.out)
        return answer


Jackfield = Callable[..., Ran]


@pytest.fixture
def jackfield(capsys: pytest.CaptureFixture[str]) -> Jackfield:
    """Run a command line in this process."""

    def run(*words: object) -> Ran:
        capsys.readouterr()
        status = main([str(word) for word in words])
        return Ran(status, *capsys.readouterr())

    return run


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The bench file of an ideal `jf96`, served by `jackfield emulate` as long as the tests last."""
    path = tmp_path_factory.mktemp("bench") / "bench.toml"
    words = [*COMMAND, "emulate", "jf96", "--profile", "ideal", "--seed", "7", "--bench", str(path), "--json"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["board"]["id"]
    yield path
    process.terminate()
    assert process.wait(timeout=20) == 130
    process.stdout.close()


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory, jf96: BoardSpec) -> Path:
    """An untrained digits network for `jf96`, as `jackfield train` would leave it."""
    import torch

    from jackfield.data import digits_split
    from jackfield.model import (
        DIGITS_ARCHITECTURE,
        DIGITS_RECIPE,
        Bounds,
        Checkpoint,
        KirchhoffNet,
        TrainingFacts,
        measure_largest_v,
        save_checkpoint,
    )

    split = digits_split()
    network = KirchhoffNet(DIGITS_ARCHITECTURE, bounds=Bounds.from_spec(jf96, 0.5, 100e-6), seed=0)
    largest = measure_largest_v(network, torch.from_numpy(split.x_train[:200]))
    facts = TrainingFacts(split.name, 0, largest, 0, 1, 0, 0, 1)
    path = tmp_path_factory.mktemp("model") / "digits.model"
    return save_checkpoint(Checkpoint(network, DIGITS_RECIPE, facts), path)


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory, model: Path) -> Path:
    """The model's image, compiled without a record."""
    path = tmp_path_factory.mktemp("image") / "digits.jfi"
    assert main(["compile", str(model), "--board", "jf96", "-o", str(path)]) == 0
    return path


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    """Three inputs of 64 pixels in the model's units."""
    path = tmp_path / "x.csv"
    rows = [[0.0] * 64, [0.5] * 64, [(i % 16) / 16 for i in range(64)]]
    header = ",".join(f"n{node}" for node in range(1, 65))
    path.write_text("\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n")
    return path
