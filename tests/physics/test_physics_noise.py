"""Noise against the Ornstein-Uhlenbeck process, and what its numbers depend on."""

import math

import pytest
import torch

from jackfield.errors import DesignError
from jackfield.physics import Circuit, EdgeSet, Noise, Slice, integrate

F64 = torch.float64
CAPACITANCE, LEAK, GAIN, DENSITY = 0.5, 2.0, 0.7, 0.3


def pair(duration: float, parallel: int = 1) -> Circuit:
    """Two equal nodes, a conductance between them in `parallel` equal edges."""
    ends = torch.ones(parallel, dtype=torch.int64)
    gain = torch.full((parallel,), GAIN / parallel, dtype=F64)
    edges = EdgeSet("conductance", ends, 2 * ends, {"gain": gain})
    return Circuit(
        2, (Slice(duration, (edges,)),), torch.full((2,), CAPACITANCE, dtype=F64), torch.full((2,), LEAK, dtype=F64)
    )


@pytest.mark.parametrize("parallel", [1, 3])
def test_noise_of_an_edge_is_that_of_ornstein_and_uhlenbeck(parallel: int) -> None:
    # d = v2 - v1 obeys C d' = -(G + 2 g) d + 2 i: variance 4 S/(2 (G + 2 g) C), approached at twice its rate.
    duration, samples = 0.2, 4000
    noise = Noise(seed=5, edge_density=DENSITY / parallel)
    v = integrate(pair(duration, parallel), torch.zeros(samples, 2, dtype=F64), steps=20, method="heun", noise=noise)[
        -1
    ]
    assert torch.equal(v[:, 0], -v[:, 1])  # what leaves the one enters the other
    rate = (LEAK + 2 * GAIN) / CAPACITANCE
    expected = 4 * DENSITY / CAPACITANCE**2 / (2 * rate) * (1 - math.exp(-2 * rate * duration))
    found = float((v[:, 1] - v[:, 0]).square().mean())
    assert found == pytest.approx(expected, rel=5 * math.sqrt(2 / samples) + 0.01)


def test_noise_of_nodes_is_theirs_alone() -> None:
    samples, duration = 4000, 0.3
    noise = Noise(seed=2**63 + 1, node_density=DENSITY)
    v = integrate(pair(duration), torch.zeros(samples, 2, dtype=F64), steps=20, method="heun", noise=noise)[-1]
    rate = LEAK / CAPACITANCE  # of v1 + v2, which the edge does not see
    expected = 2 * DENSITY / CAPACITANCE**2 / (2 * rate) * (1 - math.exp(-2 * rate * duration))
    assert float(v.sum(1).square().mean()) == pytest.approx(expected, rel=5 * math.sqrt(2 / samples) + 0.01)
    assert abs(float(v.mean())) < 5 * math.sqrt(expected / 4 / samples)


def test_noise_is_the_sample_s_whatever_the_batch_and_the_threads() -> None:
    circuit, v0 = pair(0.5), torch.zeros(100, 2, dtype=F64)
    noise = Noise(seed=1, edge_density=DENSITY, node_density=DENSITY)
    before, runs = torch.get_num_threads(), []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        runs.append(integrate(circuit, v0, steps=4, method="heun", noise=noise)[-1])
    torch.set_num_threads(before)
    assert torch.equal(runs[0], runs[1])
    assert torch.equal(integrate(circuit, v0[:10], steps=4, method="heun", noise=noise)[-1], runs[0][:10])
    other = integrate(circuit, v0, steps=4, method="heun", noise=Noise(2, DENSITY, DENSITY))[-1]
    assert not bool((other == runs[0]).any())


def test_gradients_pass_noise_by() -> None:
    circuit = pair(0.5)
    leak = circuit.leak.requires_grad_()
    noise, v0 = Noise(seed=1, node_density=DENSITY), torch.ones(3, 2, dtype=F64)

    def loss() -> torch.Tensor:
        return integrate(circuit, v0, steps=4, method="heun", noise=noise)[-1].square().sum()

    (found,) = torch.autograd.grad(loss(), leak)
    with torch.no_grad():
        differences = []
        for node in range(2):
            ends = []
            for move in (1e-5, -1e-5):
                leak[node] += move
                ends.append(float(loss()))
                leak[node] -= move
            differences.append((ends[0] - ends[1]) / 2e-5)
    torch.testing.assert_close(found, torch.tensor(differences, dtype=F64), rtol=1e-7, atol=1e-9)


def test_noise_that_cannot_be() -> None:
    with pytest.raises(DesignError, match="not below 0"):
        Noise(1, edge_density=-1.0)
    with pytest.raises(DesignError, match="seed -1"):
        Noise(-1)
    with pytest.raises(DesignError, match="heun"):
        integrate(pair(0.5), torch.zeros(1, 2, dtype=F64), steps=4, noise=Noise(1))
