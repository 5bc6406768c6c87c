"""Circuits that the tests of this room share."""

from collections.abc import Callable

import pytest
import torch

from jackfield.physics import LAWS, Circuit, EdgeSet, Imperfection, Slice

# A cubic of negative sign runs away in finite time, and a transistor needs its gate to conduct.
SPREAD_AND_MEAN = {"gate": (0.4, 1.0), "k": (0.4, 0.5), "g1": (0.1, 0.4), "g2": (0.05,), "g3": (0.02, 0.1)}


def random_edges(
    law: str, nodes: int, count: int, generator: torch.Generator, dtype: torch.dtype, imperfect: bool
) -> EdgeSet:
    """`count` edges between random ends (ground included) with parameters of order one."""

    def draw(scale: float, shift: float = 0.0) -> torch.Tensor:
        return (scale * torch.randn(count, generator=generator, dtype=torch.float64) + shift).to(dtype)

    source = torch.randint(0, nodes + 1, (count,), generator=generator)
    destination = (source + torch.randint(1, nodes + 1, (count,), generator=generator)) % (nodes + 1)
    parameters = {name: draw(*SPREAD_AND_MEAN.get(name, (0.4,))) for name in LAWS[law].parameter_names}
    cell = Imperfection(draw(0.02, 0.1).abs(), draw(0.1, 0.8).abs(), draw(0.02)) if imperfect else None
    return EdgeSet(law, source, destination, parameters, cell)


@pytest.fixture
def random_circuit() -> Callable[..., Circuit]:
    """A circuit of 2 slices with the named laws, all its tensors leaves that want gradients."""

    def build(
        *laws: str,
        nodes: int = 7,
        edges: int = 20,
        dtype: torch.dtype = torch.float64,
        imperfect: bool = False,
        rails: tuple[float, float] | None = None,
        seed: int = 3,
    ) -> Circuit:
        generator = torch.Generator().manual_seed(seed)

        def near(value: float) -> torch.Tensor:
            noise = torch.rand(nodes, generator=generator, dtype=torch.float64)
            return (value * (0.8 + 0.4 * noise)).to(dtype).requires_grad_()

        slices = []
        for duration in (0.7, 1.1):
            sets = tuple(random_edges(law, nodes, edges, generator, dtype, imperfect) for law in laws)
            slices.append(Slice(duration, sets, near(0.1)))
        circuit = Circuit(nodes, tuple(slices), near(1.0), near(0.2), rails)
        for tensor in leaves(circuit):
            tensor.requires_grad_()
        return circuit

    return build


def leaves(circuit: Circuit) -> list[torch.Tensor]:
    """Every tensor of a circuit that can have a gradient."""
    found = [circuit.capacitance, circuit.leak]
    for part in circuit.slices:
        found += [] if part.injection is None else [part.injection]
        for edges in part.edges:
            found += list(edges.parameters.values())
            if edges.imperfection is not None:
                cell = edges.imperfection
                found += [cell.knee, cell.saturation, cell.offset]
    return found


@pytest.fixture
def leaves_of() -> Callable[[Circuit], list[torch.Tensor]]:
    """The function `leaves`."""
    return leaves
