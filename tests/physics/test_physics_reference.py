"""The reference networks against closed forms."""

from math import cos, exp, pi

import torch

from jackfield.physics.reference import Branches, Network, half_order_weights, respond, run

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
