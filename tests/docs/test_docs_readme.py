"""What README says is so: its commands exist with these options, its Python runs, its links lead somewhere."""

import re
import shlex
from pathlib import Path

import pytest
import torch

from jackfield.board import BoardSpec
from jackfield.cli import main
from jackfield.compile import CompiledCircuit, compile_circuit
from jackfield.physics import Circuit, EdgeSet, Slice

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


COMMANDS = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("jackfield ")]


def test_readme_opens_with_the_two_commands() -> None:
    assert [line.split("#")[0].strip() for line in blocks("sh")[0].splitlines()] == ["make demo", "make test"]


@pytest.mark.parametrize("line", COMMANDS)
def test_command_parses(line: str) -> None:
    """Verbs and options exist; all of it runs, in order, in `make acceptance`."""
    assert main([*shlex.split(line)[1:], "--help"]) == 0
    assert main([*shlex.split(line)[1:], "--no-such-option", "--help"]) == 2


def test_python_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = blocks("python")
    exec(compile(code, "README.md", "exec"), {})
    board_id, volts = capsys.readouterr().out.split()
    assert re.fullmatch(r"[0-9A-F]{4}-[0-9A-F]{4}", board_id)
    assert float(volts) == pytest.approx(0.8, rel=0.01)


@pytest.mark.parametrize("page", ["README.md", "host/README.md", "calibration/README.md", "CHANGELOG.md"])
def test_links_lead_somewhere(page: str) -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", (ROOT / page).read_text()):
        assert ((ROOT / page).parent / link).exists(), link


def test_the_line_that_writes_inputs_writes_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from jackfield.cli.sheets import read_inputs

    (line,) = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("python -c ")]
    monkeypatch.chdir(tmp_path)
    exec(compile(shlex.split(line)[2], "README.md", "exec"), {})
    inputs = read_inputs(tmp_path / "x.csv", tuple(range(1, 65)), 1.0)
    assert inputs.shape == (9, 64)
    assert inputs.min() == 0.0
    assert inputs.max() == 1.0


def test_the_program_is_on_the_path_before_it_is_called() -> None:
    activated = README.index(". .venv/bin/activate")
    assert activated < min(README.index(line) for line in COMMANDS)


def test_the_loop_of_the_architecture_page_runs(jf96: BoardSpec) -> None:
    page = (ROOT / "host" / "README.md").read_text()
    (code,) = re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    one = torch.ones(3, dtype=torch.float64)
    values = {"gain": torch.tensor([0.5, 0.4], dtype=torch.float64), "threshold": 0 * one[:2]}
    edges = EdgeSet("shifted_relu", torch.tensor([1, 2]), torch.tensor([3, 3]), values)
    circuit = Circuit(3, (Slice(1.0, (edges,)),), one, 0 * one, inputs=(1, 2), outputs=(3,))
    compiled = compile_circuit(circuit, jf96, volts_per_unit=0.6, seconds_per_unit=100e-6)
    names = {"compiled": compiled, "batches": [(torch.rand(8, 2), torch.full((8, 1), 0.2))] * 2}
    exec(compile(code, "host/README.md", "exec"), names)
    tuned = names["tuned"]
    assert isinstance(tuned, CompiledCircuit)
    assert tuned.record["board_id"].endswith("-0007")
    assert tuned.image.digest(jf96) != compiled.image.digest(jf96)
