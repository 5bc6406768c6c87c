"""The laboratory scripts, each run on one emulated bench."""

import json
import runpy
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from jackfield.board import BoardSpec, CalibrationRecord
from jackfield.compile import compile_circuit
from jackfield.journal import load_record
from jackfield.physics import Circuit, EdgeSet, Slice
from jackfield.session import running_emulator

SCRIPTS = Path(__file__).parents[2] / "hil_scripts"

Script = Callable[..., None]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An ideal board, so that physics predicts what it does."""
    path = tmp_path_factory.mktemp("bench") / "bench.toml"
    with running_emulator("emulator://jf16?profile=ideal&seed=1") as emulator:
        path.write_text(emulator.bench_toml)
        yield path


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory, jf16: BoardSpec) -> Path:
    """One conductance from the first cell's source to its destination, in the board's units of 0.5 V and 100 us."""
    reach = jf16.groups[0].reach
    source, destination = next((s, d) for s in reach.sources(0) for d in reach.destinations(0) if reach.allows(0, s, d))
    edge = EdgeSet(
        "shifted_relu",
        torch.tensor([source]),
        torch.tensor([destination]),
        {"gain": torch.tensor([0.5]), "threshold": torch.tensor([0.0])},
    )
    nodes = jf16.nodes.count
    circuit = Circuit(
        nodes,
        (Slice(1.0, (edge,)),),
        torch.ones(nodes),
        torch.zeros(nodes),
        inputs=(source,),
        outputs=(source, destination),
    )
    compiled = compile_circuit(circuit, jf16, volts_per_unit=0.5, seconds_per_unit=100e-6)
    return compiled.save(tmp_path_factory.mktemp("image") / "pair.jfi")


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Script:
    """Run a script of hil_scripts/ as a program, in this process."""
    monkeypatch.chdir(tmp_path)

    def run(name: str, *words: object) -> None:
        monkeypatch.setattr(sys, "argv", [name, *map(str, words)])
        runpy.run_path(str(SCRIPTS / name), run_name="__main__")

    return run


def test_every_script_is_tested() -> None:
    scripts = {path.name for path in SCRIPTS.glob("*.py")} - {"benchmark.py", "acceptance.py"}
    tested = Path(__file__).read_text()
    assert [name for name in sorted(scripts) if f'"{name}"' not in tested] == []


def test_upload_image(script: Script, image: Path, bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script("upload_image.py", image, bench)
    assert "verified True" in capsys.readouterr().out


def test_run_inputs(script: Script, image: Path, bench: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([[0.0], [1.0], [-1.0]]))
    script("run_inputs.py", image, tmp_path / "x.npy", tmp_path / "y.npz", bench)
    with np.load(tmp_path / "y.npz") as found:
        volts, se = found["volts"], found["se_V"]
        assert found["valid"].all()
    # Two equal capacitors through one conductance: the difference decays with 2 g/C, the sum stays.
    decay = np.exp(-2 * 0.5)
    expected = np.array([[0.0, 0.0], [0.5 * (1 + decay) / 2, 0.5 * (1 - decay) / 2], [-0.5, 0.0]])
    assert np.all(np.abs(volts - expected) < 5 * se + 1e-3)


@pytest.mark.parametrize("scope", ["rigol-ds1000z", "siglent-sds", "tektronix-mdo3000"])
def test_run_inputs_through_each_oscilloscope(script: Script, image: Path, tmp_path: Path, scope: str) -> None:
    """A bench file is all that changes."""
    np.save(tmp_path / "x.npy", np.array([[1.0]]))
    with running_emulator(f"emulator://jf16?profile=ideal&seed=1&scope={scope}") as emulator:
        (tmp_path / "bench.toml").write_text(emulator.bench_toml)
        script("run_inputs.py", image, tmp_path / "x.npy", tmp_path / "y.npz", tmp_path / "bench.toml")
    decay = np.exp(-2 * 0.5)
    with np.load(tmp_path / "y.npz") as found:
        assert found["valid"].all()
        wanted = np.array([[0.5 * (1 + decay) / 2, 0.5 * (1 - decay) / 2]])
        assert np.all(np.abs(found["volts"] - wanted) < 5 * found["se_V"] + 1e-3)


def test_calibrate_board(script: Script, bench: Path, tmp_path: Path) -> None:
    script("calibrate_board.py", bench, tmp_path / "b.record", "nodes")
    record = CalibrationRecord.from_files(load_record(tmp_path / "b.record"))
    assert record.tables["preset_gain"].good.all()
    assert np.allclose(record.tables["preset_gain"].value, 1.0, atol=0.01)


def test_phasor_sweeps(script: Script, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script("phasor_sweeps.py", tmp_path, "--images", 20, "--json")
    found = json.loads(capsys.readouterr().out)
    shares = {(row["axis"], row["line"], row["value"]): row["share_right"] for row in found["rows"]}
    assert found["atemporal"] > 0.8
    assert shares["weights (bits)", "raw", 8] > 0.8 > shares["detuning (standard deviation)", "raw", 0.05]
    assert {"sweeps.png", "sweeps.csv"} <= {path.name for path in tmp_path.iterdir()}
