"""The reference networks against closed forms."""

import re
import shutil
import subprocess
from math import cos, exp, pi
from pathlib import Path

import numpy as np
import pytest
import torch

from jackfield.errors import DesignError
from jackfield.physics.reference import Branches, Network, half_order_weights, network_netlist, respond, run

REAL = torch.float64
ONE, GROUND = torch.tensor([1]), torch.tensor([0])


def _one(value: float, cubic: float = 0.0) -> Branches:
    return Branches(ONE, GROUND, torch.tensor([value], dtype=REAL), torch.tensor([cubic], dtype=REAL))


def test_lc_swings_as_a_cosine() -> None:
    network = Network(1, _one(2.0), _one(0.5))
    start = torch.tensor([[1.0, 0.0]], dtype=REAL)
    seen = run(network, start, 0.01, torch.zeros(100, 1, 1, dtype=REAL))
    assert abs(float(seen.states[-1, 0, 0]) - cos(1.0)) < 1e-4


def test_a_linear_memristor_is_a_resistor() -> None:
    start, none = torch.ones(1, 1, dtype=REAL), torch.zeros(50, 1, 1, dtype=REAL)
    ends = [
        run(network, start, 0.02, none).states[-1]
        for network in (Network(1, _one(1.0), memristors=_one(0.7)), Network(1, _one(1.0), resistors=_one(0.7)))
    ]
    assert float((ends[0] - ends[1]).abs().max()) < 1e-12
    assert abs(float(ends[1]) - exp(-0.7)) < 1e-4


def test_half_derivative_and_half_integral_undo_each_other() -> None:
    a, b = half_order_weights(20, 0.5), half_order_weights(20, -0.5)
    product = torch.stack([(a[: k + 1] * b[: k + 1].flip(0)).sum() for k in range(20)])
    assert float((product - torch.eye(20, dtype=REAL)[0]).abs().max()) < 1e-14


def test_cubic_storage_keeps_its_energy() -> None:
    network = Network(1, _one(1.0, 0.5), _one(1.0))
    seen = run(network, torch.tensor([[1.0, 0.0]], dtype=REAL), 0.01, torch.zeros(300, 1, 1, dtype=REAL))
    v, i = seen.states[:, 0, 0], seen.states[:, 0, 1]
    energy = v**2 / 2 + 3 * 0.5 * v**4 / 4 + i**2 / 2
    assert float((energy - energy[0]).abs().max()) < 1e-4


def test_amplitudes_are_those_of_the_impedance() -> None:
    network, omega = Network(1, _one(2.0), _one(0.5), _one(0.3)), 2 * pi
    seen = respond(network, omega, torch.ones(1, 1, dtype=torch.complex128))
    assert abs(complex(seen[0, 0]) - 1 / (0.3 + 2j * omega + 1 / (0.5j * omega))) < 1e-14


def test_a_source_charges_a_capacitor_through_a_resistor() -> None:
    """Node 1 is held at 0.8 V, node 2 charges to it through 2 S; the source gives the current."""
    first, second = torch.tensor([1]), torch.tensor([2])
    one, zero = torch.ones(1, dtype=REAL), torch.zeros(1, dtype=REAL)
    network = Network(
        2,
        Branches(
            torch.tensor([1, 2]), torch.tensor([0, 0]), torch.tensor([1.0, 0.5], dtype=REAL), torch.zeros(2, dtype=REAL)
        ),
        resistors=Branches(first, second, 2 * one, zero),
        sources=Branches(first, GROUND, one, zero),
    )
    start = torch.tensor([[0.8, 0.0, 0.0]], dtype=REAL)
    h, steps = 0.002, 200
    held = torch.full((steps, 1, 1), 0.8, dtype=REAL)
    seen = run(network, start, h, torch.zeros(steps, 1, 2, dtype=REAL), held)
    left = exp(-4 * h * steps)
    assert float((seen.states[:, 0, 0] - 0.8).abs().max()) < 1e-12
    assert float(seen.states[-1, 0, 1]) == pytest.approx(0.8 * (1 - left), abs=1e-5)
    middle = exp(-4 * h * (steps - 0.5))
    assert float(seen.middles[-1, 0, 2]) == pytest.approx(-2 * 0.8 * middle, abs=1e-4)


@pytest.mark.skipif(shutil.which("ngspice") is None, reason="ngspice is not installed; it is the independent simulator")
def test_a_netlist_runs_in_ngspice_as_the_network_does(tmp_path: Path) -> None:
    """Cubic capacitors and resistors, coupled inductors of a ladder, a source that grounds a node."""
    nodes, ground = torch.arange(1, 4), torch.zeros(3, dtype=torch.int64)

    def branches(a: torch.Tensor, b: torch.Tensor, linear: list[float], cubic: list[float]) -> Branches:
        return Branches(a, b, torch.tensor(linear, dtype=REAL), torch.tensor(cubic, dtype=REAL))

    network = Network(
        3,
        branches(nodes, ground, [1.0, 0.7, 1.2], [0.3, 0.0, 0.5]),
        branches(nodes[:2], nodes[1:], [0.8, 1.1], [0.0, 0.0]),
        branches(torch.tensor([1, 2]), torch.tensor([3, 0]), [0.2, 0.4], [0.3, 0.1]),
        sources=branches(torch.tensor([3]), torch.tensor([0]), [0.0], [0.0]),
    )
    start, steps, duration = [0.9, -0.4, 0.0, 0.2, -0.1], 400, 2.0
    begin = torch.tensor([[*start, 0.0]], dtype=REAL)
    seen = run(network, begin, duration / steps, torch.zeros(steps, 1, 3, dtype=REAL))
    netlist = tmp_path / "network.cir"
    netlist.write_text(network_netlist(network, start, duration, 2e-3))
    answer = subprocess.run(["ngspice", "-b", str(netlist)], capture_output=True, text=True, timeout=60, check=False)
    rows = re.findall(r"^\d+\t(\S+)\t(\S+)\t(\S+)", answer.stdout, re.MULTILINE)
    assert rows, answer.stdout + answer.stderr
    shown = np.array(rows, dtype=np.float64)
    times = np.linspace(0, duration, steps + 1)
    for node in (0, 1):
        wanted = np.interp(shown[:, 0], times, seen.states[:, 0, node].numpy())
        assert np.abs(shown[:, 1 + node] - wanted).max() < 3e-4


def test_what_spice_does_not_have_is_refused() -> None:
    with pytest.raises(DesignError, match="no fractional memristor"):
        network_netlist(Network(1, _one(1.0), memristors=_one(0.7)), [0.0], 1.0, 0.1)
    with pytest.raises(DesignError, match="cubic flux"):
        network_netlist(Network(1, _one(1.0), _one(1.0, 0.2)), [0.0, 0.0], 1.0, 0.1)
