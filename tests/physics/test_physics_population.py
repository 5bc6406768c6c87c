"""Boards in one run, waveforms and held nodes: against the runs one by one and against autograd."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torchdiffeq import odeint

from jackfield.errors import DesignError
from jackfield.physics import Circuit, EdgeSet, Imperfection, Slice, Waveform, integrate, vector_field

F64 = torch.float64
NODES, EDGES, BOARDS = 5, 14, 3


def drawn(*shape: int, seed: int, size: float = 0.4, mean: float = 0.0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (size * torch.randn(*shape, generator=generator, dtype=F64) + mean).requires_grad_()


def population(boards: int, injection: Tensor | Waveform | None = None) -> tuple[Circuit, list[Tensor]]:
    """Gains, knees, capacitances of each board; thresholds and leak of all."""
    generator = torch.Generator().manual_seed(4)
    source = torch.randint(0, NODES + 1, (EDGES,), generator=generator)
    destination = (source + torch.randint(1, NODES + 1, (EDGES,), generator=generator)) % (NODES + 1)
    gain, threshold = drawn(boards, EDGES, seed=1), drawn(EDGES, seed=2, size=0.1)
    knee = drawn(boards, EDGES, seed=3, size=0.01, mean=0.2)
    capacitance, leak = drawn(boards, NODES, seed=5, size=0.05, mean=1.0), drawn(NODES, seed=6, size=0.01, mean=0.2)
    cell = Imperfection(knee=knee, offset=drawn(EDGES, seed=7, size=0.01))
    edges = EdgeSet("shifted_relu", source, destination, {"gain": gain, "threshold": threshold}, cell)
    circuit = Circuit(NODES, (Slice(0.8, (edges,), injection),), capacitance, leak)
    return circuit, [gain, threshold, knee, capacitance, leak, cell.offset]


def one_board(circuit: Circuit, board: int) -> Circuit:
    def mine(value: Tensor) -> Tensor:
        return value[board] if value.dim() == 2 else value

    edges = circuit.slices[0].edges[0]
    cell = edges.imperfection or Imperfection()
    alone = replace(
        edges,
        parameters={name: mine(value) for name, value in edges.parameters.items()},
        imperfection=Imperfection(mine(cell.knee), cell.saturation, mine(cell.offset)),
    )
    part = replace(circuit.slices[0], edges=(alone,))
    return replace(circuit, slices=(part,), capacitance=mine(circuit.capacitance))


def gradients(states: Tensor, leaves: list[Tensor]) -> list[Tensor]:
    weight = torch.linspace(-1, 1, states.numel(), dtype=F64).reshape(states.shape)
    return list(torch.autograd.grad((weight * states * states).sum(), leaves))


@pytest.mark.parametrize("batch", [1, 9])
def test_a_population_is_its_boards_one_by_one(batch: int) -> None:
    circuit, leaves = population(BOARDS)
    v0 = drawn(BOARDS, batch, NODES, seed=8)
    together = integrate(circuit, v0, steps=4, snapshots=2)
    apart = torch.stack([integrate(one_board(circuit, k), v0[k], steps=4, snapshots=2) for k in range(BOARDS)], dim=1)
    assert together.shape == (2, BOARDS, batch, NODES)
    torch.testing.assert_close(together, apart, rtol=1e-14, atol=1e-14)
    for mine, other in zip(gradients(together, [v0, *leaves]), gradients(apart, [v0, *leaves]), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-12, atol=1e-12)


def test_boards_of_one_sample_do_not_depend_on_their_neighbours() -> None:
    circuit, _ = population(40)
    v0 = drawn(40, 1, NODES, seed=8)
    with torch.no_grad():
        together = integrate(circuit, v0, steps=3)[-1]
        for board in (0, 17, 39):
            assert torch.equal(integrate(one_board(circuit, board), v0[board], steps=3)[-1], together[board])


def oracle(circuit: Circuit, v0: Tensor, steps: int) -> Tensor:
    grid = torch.linspace(0, circuit.slices[0].duration, steps + 1, dtype=F64)
    return odeint(vector_field(circuit, 0), v0, grid, method="rk4")[-1]


@pytest.mark.parametrize(
    ("shape", "wave", "boards"),
    [
        ((NODES,), False, False),
        ((6, NODES), False, False),
        ((7, NODES), True, False),
        ((2, 6, NODES), True, False),
        ((BOARDS, NODES), False, True),
        ((BOARDS, 6, NODES), False, True),
        ((4, BOARDS, NODES), True, True),
        ((4, BOARDS, 6, NODES), True, True),
    ],
)
def test_injections_and_their_gradients_are_those_of_autograd(shape: tuple[int, ...], wave: bool, boards: bool) -> None:
    points = drawn(*shape, seed=9, size=0.5)
    circuit, leaves = population(BOARDS, Waveform(points) if wave else points)
    if not boards:
        circuit = one_board(circuit, 1)
    v0 = drawn(*([BOARDS] if boards else []), 6, NODES, seed=8)
    ours, theirs = integrate(circuit, v0, steps=6)[-1], oracle(circuit, v0, 6)
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)
    wanted = [v0, points, *leaves]
    for mine, other in zip(gradients(ours, wanted), gradients(theirs, wanted), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-11, atol=1e-11)


def test_a_ramp_of_current_charges_a_capacitor_by_its_parabola() -> None:
    one = torch.ones(1, dtype=F64)
    ramp = Slice(2.0, (), Waveform(torch.tensor([[0.0], [1.0], [2.0]], dtype=F64)))
    states = integrate(Circuit(1, (ramp,), one, 0 * one), torch.zeros(1, 1, dtype=F64), steps=4, snapshots=4)
    torch.testing.assert_close(states[:, 0, 0], torch.tensor([0.125, 0.5, 1.125, 2.0], dtype=F64))


def test_clamped_nodes_stay_and_pass_on_what_they_drive(random_circuit: Callable[..., Circuit]) -> None:
    circuit = replace(random_circuit("shifted_relu", "conductance"), clamped=(2, 5))
    v0 = drawn(4, circuit.nodes, seed=2)
    states = integrate(circuit, v0, steps=3, snapshots=3)
    assert torch.equal(states[:, :, [1, 4]], v0[:, [1, 4]].expand(6, -1, -1))
    v = v0
    for index, part in enumerate(circuit.slices):
        grid = torch.linspace(0, part.duration, 4, dtype=F64)
        v = odeint(vector_field(circuit, index), v, grid, method="rk4")[-1]
    torch.testing.assert_close(states[-1], v, rtol=1e-12, atol=1e-12)
    wanted = [v0, circuit.capacitance, circuit.leak]
    for mine, other in zip(gradients(states[-1], wanted), gradients(v, wanted), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-11, atol=1e-11)


def test_what_does_not_fit_is_said() -> None:
    circuit, _ = population(BOARDS)
    with pytest.raises(DesignError, match=r"\[3 boards, batch, 5\]"):
        integrate(circuit, drawn(6, NODES, seed=1), steps=1)
    with pytest.raises(DesignError, match="3 and 4 boards"):
        integrate(replace(circuit, leak=torch.zeros(4, NODES, dtype=F64)), drawn(3, 6, NODES, seed=1), steps=1)
    injected, _ = population(BOARDS, drawn(2, 6, NODES, seed=1))
    with pytest.raises(DesignError, match="does not fit the samples"):
        integrate(injected, drawn(3, 6, NODES, seed=1), steps=1)
    with pytest.raises(DesignError, match="two points"):
        Waveform(torch.zeros(1, NODES))
    with pytest.raises(DesignError, match="clamped node 6"):
        replace(circuit, clamped=(6,))
