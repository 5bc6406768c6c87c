"""The laboratory scripts and a trained circuit on LUCIDAC, through an independent peer."""

import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from jackfield.compile import compile_circuit
from jackfield.model import MOONS_ARCHITECTURE, MOONS_RECIPE, Bounds, KirchhoffNet
from jackfield.session import load_spec, open_bench

SCRIPTS = Path(__file__).parents[2] / "hil_scripts"
VOLTS = 0.65  # a machine unit, as training chose it


@pytest.fixture(scope="module")
def helpers() -> Any:
    sys.path.insert(0, str(SCRIPTS))
    try:
        from benchmarks import _lucidac_peer, _lucidac_trained
    finally:
        sys.path.remove(str(SCRIPTS))
    return _lucidac_peer, _lucidac_trained


@pytest.fixture(scope="module")
def bench(helpers: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("lucidac") / "bench.toml"
    with helpers[0].peer() as port:
        path.write_text(f'[board]\nurl = "socket://127.0.0.1:{port}"\nspec = "lucidac-2024"\n')
        yield path


@pytest.fixture(scope="module")
def network() -> KirchhoffNet:
    """What a training by the recipe found, to three digits."""
    spec = load_spec("lucidac-2024")
    network = KirchhoffNet(
        MOONS_ARCHITECTURE, bounds=Bounds.from_spec(spec, VOLTS, MOONS_RECIPE.seconds_per_unit, "polynomial")
    )
    with torch.no_grad():
        network.values["g1"].copy_(torch.tensor([[-0.019, 0.538, -0.761, -0.417]]))
        network.values["g3"].copy_(torch.tensor([[-0.161, 0.0, 0.837, 0.0]]))
    return network


def test_a_trained_circuit_answers_as_it_does_in_float(helpers: Any, bench: Path, network: KirchhoffNet) -> None:
    with open_bench(bench) as opened:
        floating, measured = helpers[1].accuracies(network, opened, 100)
    assert floating >= 0.99
    assert abs(floating - measured) <= 0.01


def test_scripts_run_unchanged(
    bench: Path,
    network: KirchhoffNet,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    spec = load_spec("lucidac-2024")
    image = compile_circuit(network.circuit(), spec, volts_per_unit=VOLTS).save(tmp_path / "moons.jfi")
    points = np.array([[0.0, 0.5], [0.3, -0.4], [-0.9, 0.1]])
    np.save(tmp_path / "x.npy", points)
    monkeypatch.chdir(tmp_path)
    for script, *words in (("upload_image.py", image, bench), ("run_inputs.py", image, "x.npy", "y.npz", bench)):
        monkeypatch.setattr(sys, "argv", [script, *map(str, words)])
        runpy.run_path(str(SCRIPTS / script), run_name="__main__")
    assert "verified True" in capsys.readouterr().out
    with torch.no_grad():
        end = network.states(torch.tensor(points, dtype=torch.float32), steps=64)[-1].numpy()
    with np.load(tmp_path / "y.npz") as found:
        assert found["valid"].all()
        assert np.abs(found["volts"] - VOLTS * end[:, 2:]).max() < 1e-3
