"""Edges in the laws that a board has."""

from dataclasses import replace

import pytest
import torch

from jackfield.board import BoardSpec
from jackfield.compile import compile_circuit, lower
from jackfield.errors import DesignError
from jackfield.physics import Circuit, EdgeSet, Slice, Waveform, node_currents


def conductances(nodes: int = 3, slices: int = 1, law: str = "conductance") -> Circuit:
    ends = torch.tensor([1, 2, 3]), torch.tensor([2, 3, 0])
    parameters = {"gain": torch.tensor([0.3, -0.2, 0.5])}
    if law != "conductance":
        one = torch.ones(3)
        parameters = {"a": one, "b": one, "c": one} if law == "tanh_diff" else parameters
    part = Slice(1.0, (EdgeSet(law, *ends, parameters),))
    return Circuit(nodes, (part,) * slices, torch.ones(nodes), torch.zeros(nodes), inputs=(1,), outputs=(3,))


def test_a_conductance_becomes_two_antiparallel_cells(jf96: BoardSpec) -> None:
    circuit = conductances()
    (part,) = lower(circuit, jf96)
    assert part.count == 6
    assert part.origin.tolist() == [0, 1, 2, 0, 1, 2]
    edges = EdgeSet(
        "shifted_relu",
        torch.from_numpy(part.source),
        torch.from_numpy(part.destination),
        {name: torch.from_numpy(value).float() for name, value in part.parameters.items()},
    )
    lowered = Circuit(3, (Slice(1.0, (edges,)),), torch.ones(3), torch.zeros(3))
    v = torch.randn(20, 3, generator=torch.Generator().manual_seed(3))
    torch.testing.assert_close(node_currents(lowered, 0, v), node_currents(circuit, 0, v))


def test_a_law_that_the_board_lacks_is_named(jf96: BoardSpec) -> None:
    with pytest.raises(DesignError, match="law tanh_diff is asked, board jf96 has shifted_relu"):
        lower(conductances(law="tanh_diff"), jf96)


def test_too_many_nodes_and_slices_are_named(jf16: BoardSpec) -> None:
    with pytest.raises(DesignError, match="the circuit has 17 nodes, board jf16 has 16"):
        lower(conductances(nodes=17), jf16)
    with pytest.raises(DesignError, match="the circuit has 3 slices, board jf16 plays one from each of its 2 banks"):
        lower(conductances(slices=3), jf16)


def test_capacitances_and_leaks_that_the_board_lacks_are_refused(jf96: BoardSpec) -> None:
    circuit = conductances()
    uneven = Circuit(3, circuit.slices, torch.tensor([1.0, 2.0, 1.0]), torch.zeros(3), outputs=(3,))
    with pytest.raises(DesignError, match="capacitances range from 1 to 2"):
        compile_circuit(uneven, jf96, volts_per_unit=0.5)
    leaky = Circuit(3, circuit.slices, torch.ones(3), torch.tensor([0.0, 0.5, 0.0]), outputs=(3,))
    with pytest.raises(DesignError, match=r"node 2 leaks 0.5 .* conductance edges to ground"):
        compile_circuit(leaky, jf96, volts_per_unit=0.5)


def test_what_a_board_cannot_play_is_refused(jf96: BoardSpec) -> None:
    circuit = conductances()
    with pytest.raises(DesignError, match=r"keeps node 2 driven; board jf96 presets nodes before a run alone"):
        lower(replace(circuit, clamped=(2,)), jf96)
    with pytest.raises(DesignError, match="is a population of boards"):
        lower(replace(circuit, leak=torch.zeros(2, 3)), jf96)
    for injection in (Waveform(torch.zeros(2, 3)), torch.zeros(4, 3)):
        changing = replace(circuit, slices=tuple(replace(part, injection=injection) for part in circuit.slices))
        with pytest.raises(DesignError, match="the trims of board jf96 are constant"):
            lower(changing, jf96)
