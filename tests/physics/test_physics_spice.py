"""Circuits of every law against ngspice, an independent simulator."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from jackfield.errors import DesignError
from jackfield.physics import LAWS, Circuit, integrate, spice_netlist

Build = Callable[..., Circuit]
needs_ngspice = pytest.mark.skipif(
    shutil.which("ngspice") is None, reason="ngspice is not installed; it is the independent simulator"
)


def ngspice(circuit: Circuit, v0: torch.Tensor, folder: Path, points: int) -> torch.Tensor:
    """Node voltages at the end, by ngspice."""
    netlist = folder / "circuit.cir"
    netlist.write_text(spice_netlist(circuit, v0, tolerance=1e-7, points=points))
    answer = subprocess.run(["ngspice", "-b", str(netlist)], capture_output=True, text=True, timeout=120, check=False)
    found = re.findall(r"^v\(n\d+\)\[last\] = (\S+)$", answer.stdout, re.MULTILINE)
    assert len(found) == circuit.nodes, answer.stdout + answer.stderr
    return torch.tensor([float(value) for value in found], dtype=torch.float64)


@needs_ngspice
@pytest.mark.parametrize("imperfect", [False, True])
@pytest.mark.parametrize("law", LAWS)
def test_circuits_of_16_nodes_agree_with_ngspice(
    law: str, imperfect: bool, random_circuit: Build, tmp_path: Path
) -> None:
    circuit = random_circuit(law, nodes=16, edges=48, imperfect=imperfect)
    v0 = torch.linspace(-1, 1, 16, dtype=torch.float64)
    with torch.no_grad():
        states = integrate(circuit, v0[None], steps=400, snapshots=100)
        full_scale = float(states.abs().max())
        points, coarse = 250, ngspice(circuit, v0, tmp_path, 125)
        fine = ngspice(circuit, v0, tmp_path, points)
        while float((fine - coarse).abs().max()) > 3e-5 * full_scale and points < 8000:
            points *= 2
            coarse, fine = fine, ngspice(circuit, v0, tmp_path, points)
    assert float((fine - states[-1, 0]).abs().max()) < 1e-4 * full_scale


def test_netlist_names_every_part_once(random_circuit: Build) -> None:
    circuit = random_circuit("shifted_relu", "conductance", nodes=5, edges=6)
    text = spice_netlist(circuit, torch.zeros(5, dtype=torch.float64))
    names = re.findall(r"^([A-Z]\S*) ", text, re.MULTILINE)
    assert len(names) == len(set(names))
    assert sum(name.startswith("B") for name in names) == 2 * (2 * 6 + 5)
    assert sum(name.startswith("C") for name in names) == 5


def test_netlist_of_a_batch_cannot_be(random_circuit: Build) -> None:
    with pytest.raises(DesignError, match=r"\[5\]"):
        spice_netlist(random_circuit("conductance", nodes=5), torch.zeros(2, 5, dtype=torch.float64))
