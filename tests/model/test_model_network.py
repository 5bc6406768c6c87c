import pytest
import torch

from jackfield.board import BoardSpec
from jackfield.errors import DesignError
from jackfield.model import DIGITS_ARCHITECTURE, Architecture, Bounds, FullyConnected, KirchhoffNet
from jackfield.physics import integrate


@pytest.fixture
def bounds(jf96: BoardSpec) -> Bounds:
    return Bounds.from_spec(jf96, 0.6, 100e-6)


def inputs(count: int, width: int) -> torch.Tensor:
    return torch.rand(count, width, generator=torch.Generator().manual_seed(5))


def test_the_network_is_its_circuit(small: Architecture) -> None:
    network = KirchhoffNet(small)
    circuit, x = network.circuit(), inputs(5, 2)
    assert (circuit.nodes, len(circuit.slices), circuit.inputs, circuit.outputs) == (8, 2, (1, 2), (7, 8))
    start = torch.cat([x, torch.zeros(5, 6)], dim=1)
    end = integrate(circuit, start, steps=4)[-1]
    assert torch.equal(network(x), end[:, -2:] * network.digital_gain)
    assert network.digital_gain.item() == pytest.approx(10.0)


def test_states_are_snapshots_of_each_slice(small: Architecture) -> None:
    network, x = KirchhoffNet(small), inputs(3, 2)
    states = network.states(x, snapshots=4)
    assert states.shape == (8, 3, 8)
    assert torch.equal(states[[3, 7]], network.states(x))


def test_initial_spread_follows_the_degree() -> None:
    network = KirchhoffNet(DIGITS_ARCHITECTURE)
    topology = DIGITS_ARCHITECTURE.topology
    into_extra = topology.destination > 64
    # An extra node has 65 edges from the grid and ground and 65 back.
    assert network.values["gain"][:, into_extra].std().item() == pytest.approx(0.5 / 130**0.5, rel=0.05)
    assert network.values["threshold"].std().item() == pytest.approx(0.05, rel=0.05)


def test_gradients_reach_every_kind_of_parameter(small: Architecture, bounds: Bounds) -> None:
    network = KirchhoffNet(small, bounds=bounds)
    for quantised in (False, True):
        network.zero_grad()
        network(inputs(20, 2), quantised=quantised).square().sum().backward()
        for parameter in network.parameters():
            assert parameter.grad is not None
            assert parameter.grad.abs().sum() > 0


def test_the_quantised_circuit_holds_the_values_of_codes(small: Architecture, bounds: Bounds) -> None:
    network = KirchhoffNet(small, bounds=bounds)
    circuit = network.circuit(quantised=True)
    for number, part in enumerate(circuit.slices):
        for name, scale in bounds.codes.items():
            wanted = scale.value(scale.code(network.values[name][number].detach().numpy()))
            torch.testing.assert_close(
                part.edges[0].parameters[name].double(), torch.from_numpy(wanted), atol=1e-7, rtol=0
            )


def test_rails_hold_the_nodes(small: Architecture, bounds: Bounds) -> None:
    network = KirchhoffNet(small, bounds=bounds)
    with torch.no_grad():
        network.values["gain"].fill_(-0.75)  # every edge pushes its nodes apart
    x = inputs(10, 2)
    assert network.states(x).abs().max() > bounds.rails[1]
    assert network.states(x, rails=True, snapshots=4).abs().max() <= bounds.rails[1] + 1e-6


def test_confine_keeps_parameters_in_range(small: Architecture, bounds: Bounds) -> None:
    network = KirchhoffNet(small, bounds=bounds)
    with torch.no_grad():
        network.values["gain"].fill_(3.0)
        network.values["threshold"].fill_(-3.0)
    network.confine()
    assert network.values["gain"].max().item() == pytest.approx(0.75)
    assert network.values["threshold"].min().item() == pytest.approx(-0.5)
    assert torch.equal(network(inputs(4, 2), quantised=True), network(inputs(4, 2)))


def test_other_laws_train_as_well() -> None:
    network = KirchhoffNet(Architecture(FullyConnected(5, (1, 1)), inputs=2, outputs=2, law="conductance"))
    network(inputs(4, 2)).sum().backward()
    assert [name for name, _ in network.named_parameters()] == ["log_digital_gain", "values.gain"]


def test_misuse_is_refused(small: Architecture, jf96: BoardSpec) -> None:
    network = KirchhoffNet(small)
    with pytest.raises(DesignError, match=r"takes \[batch, 2\]"):
        network(torch.zeros(3, 4))
    with pytest.raises(DesignError, match="made for no board"):
        network(torch.zeros(3, 2), quantised=True)
    with pytest.raises(DesignError, match="those of conductance cells"):
        KirchhoffNet(small, bounds=Bounds.from_spec(jf96, 0.6, 1e-4, law="conductance"))
