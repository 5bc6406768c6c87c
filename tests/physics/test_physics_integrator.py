"""The kernel against torchdiffeq with autograd, against finite differences, and its laws."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import torch
import torchdiffeq
from scipy.linalg import expm
from torch import Tensor

from jackfield.errors import DesignError
from jackfield.physics import LAWS, Circuit, EdgeSet, Imperfection, Slice, integrate, vector_field

Build = Callable[..., Circuit]
Leaves = Callable[[Circuit], list[Tensor]]


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def start(circuit: Circuit, batch: int = 3, seed: int = 5, span: float = 1.0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    v0 = 2 * torch.rand(batch, circuit.nodes, generator=generator, dtype=torch.float64) - 1
    return (span * v0).to(circuit.dtype).requires_grad_()


def oracle(circuit: Circuit, v0: Tensor, steps: int, method: str, snapshots: int) -> Tensor:
    """The same by torchdiffeq's fixed-step solvers and autograd."""
    v, states = v0, []
    for index, part in enumerate(circuit.slices):
        grid = torch.linspace(0, part.duration, steps + 1, dtype=torch.float64).to(circuit.dtype)
        for step in range(steps):
            v = torchdiffeq.odeint(vector_field(circuit, index), v, grid[step : step + 2], method=method)[-1]
            if circuit.rails is not None:
                v = v.clamp(*circuit.rails)
            if (step + 1) % (steps // snapshots) == 0:
                states.append(v)
    return torch.stack(states)


def gradients(states: Tensor, inputs: list[Tensor]) -> list[Tensor]:
    weight = torch.linspace(-1, 1, states.numel(), dtype=states.dtype).reshape(states.shape)
    found = torch.autograd.grad((weight * states * states).sum(), inputs, allow_unused=True)
    return [torch.zeros_like(x) if g is None else g for g, x in zip(found, inputs, strict=True)]


@pytest.mark.parametrize("imperfect", [False, True])
@pytest.mark.parametrize("method", ["rk4", "heun"])
@pytest.mark.parametrize("law", LAWS)
def test_states_and_gradients_are_those_of_torchdiffeq(
    law: str, method: str, imperfect: bool, random_circuit: Build, leaves_of: Leaves
) -> None:
    peer = {"rk4": "rk4", "heun": "heun2"}[method]
    single = [(torch.float32, 1e-4)] * (not imperfect or law == "shifted_relu")  # the benchmark has all
    for dtype, tolerance in ((torch.float64, 1e-12), *single):
        circuit = random_circuit(law, dtype=dtype, imperfect=imperfect)
        v0 = start(circuit, batch=40)
        ours = integrate(circuit, v0, steps=4, method=method, snapshots=2)
        theirs = oracle(circuit, v0, 4, peer, 2)
        assert ours.shape == (4, 40, circuit.nodes)
        torch.testing.assert_close(ours, theirs, rtol=tolerance, atol=tolerance)
        inputs = [v0, *leaves_of(circuit)]
        for mine, other in zip(gradients(ours, inputs), gradients(theirs, inputs), strict=True):
            scale = max(1.0, float(other.abs().max()))
            torch.testing.assert_close(mine / scale, other / scale, rtol=0, atol=10 * tolerance)


def test_sets_of_several_laws_share_a_slice(random_circuit: Build, leaves_of: Leaves) -> None:
    circuit = random_circuit(*LAWS, edges=5)
    v0 = start(circuit)
    ours, theirs = integrate(circuit, v0, steps=3), oracle(circuit, v0, 3, "rk4", 1)
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)
    inputs = [v0, *leaves_of(circuit)]
    for mine, other in zip(gradients(ours, inputs), gradients(theirs, inputs), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-11, atol=1e-11)


def railed_oracle(circuit: Circuit, v0: Tensor, steps: int, snapshots: int) -> Tensor:
    """The 3/8 rule with stages cut to the rails, and no current that leaves one where the step began."""
    low, high = circuit.rails or (-math.inf, math.inf)
    v, states = v0, []
    for index, part in enumerate(circuit.slices):
        field, h = vector_field(circuit, index), part.duration / steps

        def slope(v: Tensor, y: Tensor, field: Callable[[Tensor, Tensor], Tensor] = field) -> Tensor:
            y = y.clamp(low, high)
            k = field(torch.zeros(()), y)
            above, below = (v >= high) & (y >= high), (v <= low) & (y <= low)
            return torch.where((above & (k > 0)) | (below & (k < 0)), torch.zeros_like(k), k)

        for step in range(steps):
            k1 = slope(v, v)
            k2 = slope(v, v + h / 3 * k1)
            k3 = slope(v, v + h * (k2 - k1 / 3))
            k4 = slope(v, v + h * (k1 - k2 + k3))
            v = (v + h / 8 * (k1 + 3 * k2 + 3 * k3 + k4)).clamp(low, high)
            if (step + 1) % (steps // snapshots) == 0:
                states.append(v)
    return torch.stack(states)


def test_rails_hold_nodes_and_pass_no_gradient(random_circuit: Build, leaves_of: Leaves) -> None:
    circuit = random_circuit("shifted_relu", "conductance", rails=(-0.3, 0.3), edges=25)
    v0 = start(circuit, span=0.3)
    ours, theirs = integrate(circuit, v0, steps=6, snapshots=3), railed_oracle(circuit, v0, 6, 3)
    assert bool((ours == 0.3).any())
    assert bool((ours == -0.3).any())
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)
    inputs = [v0, *leaves_of(circuit)]
    for mine, other in zip(gradients(ours, inputs), gradients(theirs, inputs), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-11, atol=1e-11)


def test_a_node_that_leaves_its_rail_is_the_closed_form() -> None:
    # Driven up by 2 it reaches the rail 0.5 at t = 0.25; driven down by 1 from t = 1 it is at 0.5 - 1 at t = 2.
    one = torch.ones(1, dtype=torch.float64)
    slices = (Slice(1.0, (), 2 * one), Slice(1.0, (), -one))
    circuit = Circuit(1, slices, one, torch.zeros_like(one), rails=(-0.75, 0.5))
    with torch.no_grad():
        states = integrate(circuit, torch.zeros(1, 1, dtype=torch.float64), steps=8, snapshots=4)[:, 0, 0]
    expected = torch.tensor([0.5, 0.5, 0.5, 0.5, 0.25, 0.0, -0.25, -0.5], dtype=torch.float64)
    torch.testing.assert_close(states, expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("law", LAWS)
def test_gradients_are_those_of_finite_differences(law: str, random_circuit: Build, leaves_of: Leaves) -> None:
    circuit = random_circuit(law, imperfect=True, nodes=5, edges=8)  # the knee leaves no kink to straddle
    v0 = start(circuit, batch=2)
    inputs = [v0, *leaves_of(circuit)]
    exact = torch.cat([g.flatten() for g in gradients(integrate(circuit, v0, steps=4), inputs)])
    differences, step = [], 1e-5
    weight = torch.linspace(-1, 1, 2 * v0.numel(), dtype=torch.float64).reshape(2, *v0.shape)
    with torch.no_grad():
        for tensor in inputs:
            flat = tensor.view(-1)
            for k in range(len(flat)):
                losses = []
                for move in (step, -2 * step):
                    flat[k] += move
                    losses.append(float((weight * integrate(circuit, v0, steps=4) ** 2).sum()))
                flat[k] += step
                differences.append((losses[0] - losses[1]) / (2 * step))
    cosine = torch.cosine_similarity(exact, torch.tensor(differences, dtype=torch.float64), dim=0)
    assert float(cosine) > 0.999999


def observed_order(circuit: Circuit, v0: Tensor, method: str, counts: tuple[int, ...]) -> float:
    """Slope of log error over log step by least squares."""
    with torch.no_grad():
        truth = integrate(circuit, v0, steps=4096)[-1]
        errors = [float((integrate(circuit, v0, steps=n, method=method)[-1] - truth).norm()) for n in counts]
    x, y = torch.tensor(counts).double().log(), torch.tensor(errors).double().log()
    x, y = x - x.mean(), y - y.mean()
    return -float((x * y).sum() / (x * x).sum())


@pytest.mark.parametrize("law", LAWS)
def test_order_of_convergence(law: str, random_circuit: Build) -> None:
    circuit = random_circuit(law, nodes=16, edges=48)
    v0 = start(circuit, batch=32)
    if LAWS[law].smooth:
        assert observed_order(circuit, v0, "rk4", (16, 32, 64)) == pytest.approx(4, abs=0.3)
        assert observed_order(circuit, v0, "heun", (16, 32, 64)) == pytest.approx(2, abs=0.2)
    else:
        assert observed_order(circuit, v0, "rk4", (8, 16, 32, 64)) >= 1.5


def test_linear_rc_is_the_matrix_exponential(random_circuit: Build) -> None:
    circuit = random_circuit("conductance")
    v0 = start(circuit)
    expected = v0.detach()
    for index, part in enumerate(circuit.slices):
        field = vector_field(circuit, index)
        offset = field(v0, torch.zeros(circuit.nodes, dtype=torch.float64)).detach()
        unit = torch.eye(circuit.nodes, dtype=torch.float64)
        matrix = (field(v0, unit).detach() - offset).T
        rest = -torch.linalg.solve(matrix, offset)
        turn = torch.from_numpy(expm(matrix.numpy() * part.duration))
        expected = rest + (expected - rest) @ turn.T
    with torch.no_grad():
        torch.testing.assert_close(integrate(circuit, v0, steps=256)[-1], expected, rtol=1e-10, atol=1e-10)


def test_discharge_through_one_conductance_is_exponential() -> None:
    one = torch.ones(1, dtype=torch.float64)
    edges = EdgeSet("conductance", torch.tensor([1]), torch.tensor([0]), {"gain": one})
    circuit = Circuit(1, (Slice(1.0, (edges,)),), one, torch.zeros_like(one))
    assert float(integrate(circuit, one[None], steps=64)[-1]) == pytest.approx(math.exp(-1), abs=1e-9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_sample_does_not_depend_on_its_batch(dtype: torch.dtype, random_circuit: Build) -> None:
    circuit = random_circuit("shifted_relu", "conductance", dtype=dtype, imperfect=True)
    v0 = start(circuit, batch=300)
    with torch.no_grad():
        together = integrate(circuit, v0, steps=5)
        for rows in (slice(0, 1), slice(37, 38), slice(100, 231)):
            assert torch.equal(integrate(circuit, v0[rows], steps=5), together[:, rows])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_one_thread_and_two_agree_bit_for_bit(dtype: torch.dtype, random_circuit: Build, leaves_of: Leaves) -> None:
    circuit = random_circuit("shifted_relu", dtype=dtype)
    v0 = start(circuit, batch=700)
    found = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        states = integrate(circuit, v0, steps=4)
        weight = torch.ones_like(states)
        found.append([states, *torch.autograd.grad(states, [v0, *leaves_of(circuit)], weight)])
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


@pytest.mark.parametrize("law", LAWS)
def test_no_imperfection_is_the_perfect_law(law: str, random_circuit: Build) -> None:
    perfect = random_circuit(law)
    slices = tuple(
        replace(part, edges=tuple(replace(edges, imperfection=Imperfection()) for edges in part.edges))
        for part in perfect.slices
    )
    v0 = start(perfect)
    named = [x for part in perfect.slices for edges in part.edges for x in edges.parameters.values()]
    ours, theirs = integrate(replace(perfect, slices=slices), v0, steps=3), integrate(perfect, v0, steps=3)
    torch.testing.assert_close(ours, theirs, rtol=1e-14, atol=1e-14)
    for mine, other in zip(gradients(ours, [v0, *named]), gradients(theirs, [v0, *named]), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-12, atol=1e-12)


def test_an_empty_batch_and_a_circuit_without_edges() -> None:
    one = torch.ones(2, dtype=torch.float64, requires_grad=True)
    circuit = Circuit(2, (Slice(1.0, ()),), one, one.detach())
    for batch in (0, 1):
        states = integrate(circuit, torch.ones(batch, 2, dtype=torch.float64), steps=32)
        assert states.shape == (1, batch, 2)
        (slope,) = torch.autograd.grad(states.sum(), one)
        torch.testing.assert_close(slope, batch * torch.full_like(one, math.exp(-1)), rtol=1e-6, atol=0)


def test_snapshots_are_states_of_the_same_run(random_circuit: Build) -> None:
    circuit = random_circuit("shifted_relu")
    v0 = start(circuit)
    with torch.no_grad():
        many = integrate(circuit, v0, steps=(8, 4), snapshots=4)
        few = integrate(circuit, v0, steps=(8, 4))
    assert torch.equal(many[3::4], few)


def test_steps_methods_and_shapes_that_cannot_be(random_circuit: Build) -> None:
    circuit = random_circuit("conductance")
    v0 = start(circuit)
    with pytest.raises(DesignError, match="2 slices"):
        integrate(circuit, v0, steps=(4, 4, 4))
    with pytest.raises(DesignError, match="multiples of the snapshots"):
        integrate(circuit, v0, steps=5, snapshots=2)
    with pytest.raises(DesignError, match="rk4, heun"):
        integrate(circuit, v0, steps=4, method="dopri5")
    with pytest.raises(DesignError, match=r"\[batch, 7\]"):
        integrate(circuit, v0[:, :3], steps=4)
    with pytest.raises(DesignError, match="float64"):
        integrate(circuit, v0.float(), steps=4)
