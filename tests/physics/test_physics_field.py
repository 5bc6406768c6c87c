"""Kirchhoff's current law, ground included, and the sign conventions."""

from collections.abc import Callable

import pytest
import torch

from jackfield.physics import LAWS, Circuit, EdgeSet, Slice, kirchhoff_residual, node_currents, vector_field


@pytest.mark.parametrize("imperfect", [False, True])
@pytest.mark.parametrize("law", LAWS)
def test_currents_into_all_nodes_and_ground_sum_to_zero(
    law: str, imperfect: bool, random_circuit: Callable[..., Circuit]
) -> None:
    circuit = random_circuit(law, "conductance", nodes=16, edges=60, imperfect=imperfect)
    v = torch.linspace(-1, 1, 80, dtype=torch.float64).reshape(5, 16)
    with torch.no_grad():
        for index in range(2):
            scale = float(node_currents(circuit, index, v).abs().max())
            assert float(kirchhoff_residual(circuit, index, v).abs().max()) < 1e-13 * scale


def test_an_edge_takes_from_its_source_and_gives_to_its_destination() -> None:
    edges = EdgeSet("conductance", torch.tensor([1, 2]), torch.tensor([2, 0]), {"gain": torch.tensor([2.0, 1.0])})
    part = Slice(1.0, (edges,), torch.tensor([0.0, 0.5]))
    circuit = Circuit(2, (part,), torch.tensor([1.0, 4.0]), torch.tensor([0.25, 0.0]))
    v = torch.tensor([1.0, 0.5])
    assert node_currents(circuit, 0, v).tolist() == [0.25 - 0.5 + 0.5, -1.0 - 0.25, 1.0 - 0.5 + 0.5]
    assert vector_field(circuit, 0)(v, v).tolist() == [-1.25, 0.25]
