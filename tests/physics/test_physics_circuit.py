"""What cannot be a circuit is refused with the edge and the node named."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from jackfield.errors import DesignError
from jackfield.physics import Circuit, EdgeSet, Imperfection, Slice

ENDS = (torch.tensor([1, 2, 0]), torch.tensor([2, 3, 3]))
GAIN = torch.ones(3)


def edges(**changes: Any) -> EdgeSet:
    given: dict[str, Any] = {"source": ENDS[0], "destination": ENDS[1], "parameters": {"gain": GAIN}}
    return EdgeSet("conductance", **(given | changes))


def circuit(**changes: Any) -> Circuit:
    given = {
        "nodes": 3,
        "slices": (Slice(1.0, (edges(),)),),
        "capacitance": torch.ones(3),
        "leak": torch.zeros(3),
    }
    return Circuit(**(given | changes))


def test_edges_are_counted_and_described() -> None:
    assert len(edges()) == 3
    assert [edges().describe(k) for k in range(3)] == ["n1->n2", "n2->n3", "ground->n3"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"destination": torch.tensor([2, 2, 3])}, r"edge 1 \(n2->n2\) joins a node to itself"),
        ({"destination": torch.tensor([2, 3])}, "3 sources but 2 destinations"),
        ({"source": torch.tensor([1.0, 2.0, 0.0])}, r"float32 \(3,\); give int64"),
        ({"parameters": {"g": GAIN}}, "takes the parameters gain, not g"),
        ({"parameters": {"gain": torch.ones(2)}}, r"gain of conductance has shape \(2,\)"),
        ({"parameters": {"gain": torch.tensor([1.0, 1.0, float("nan")])}}, r"edge 2 \(ground->n3\) is not a"),
        ({"imperfection": Imperfection(offset=torch.ones(2))}, "offset of conductance has shape"),
        (
            {"imperfection": Imperfection(knee=torch.tensor([0.0, -0.1, 0.0]))},
            r"knee of edge 1 \(n2->n3\) is below",
        ),
        ({"imperfection": Imperfection(saturation=torch.tensor(0.0))}, "saturation of edge 0"),
    ],
)
def test_edges_that_cannot_be(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DesignError, match=message):
        edges(**changes)


def test_unknown_law() -> None:
    with pytest.raises(DesignError, match="'diode' is not known; use one of shifted_relu"):
        EdgeSet("diode", *ENDS, {"gain": GAIN})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"nodes": 2, "capacitance": torch.ones(2), "leak": torch.zeros(2)},
            r"edge 1 \(n2->n3, .* at node 3",
        ),
        ({"capacitance": torch.tensor([1.0, 0.0, 1.0])}, "capacitance of node 2 is not above zero"),
        ({"leak": torch.zeros(4)}, r"leak has shape \(4,\); give one for each of 3 nodes"),
        ({"leak": torch.tensor([0.0, 0.0, float("inf")])}, "leak of node 3 is not a finite number"),
        ({"leak": torch.zeros(3).double()}, "leak is torch.float64, capacitance torch.float32"),
        ({"rails": (1.0, -1.0)}, r"rails \(1.0, -1.0\)"),
        ({"inputs": (1, 4)}, r"input node 4 is not among the nodes 1\.\.3"),
        ({"outputs": (2, 2)}, "name a node twice"),
        ({"slices": ()}, "needs a node and a slice"),
        ({"slices": (Slice(1.0, (), torch.zeros(2)),)}, "injection of slice 0 has shape"),
    ],
)
def test_circuits_that_cannot_be(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DesignError, match=message):
        circuit(**changes)


def test_parameters_of_another_dtype_are_refused() -> None:
    double = edges(parameters={"gain": GAIN.double()})
    with pytest.raises(DesignError, match="gain of conductance in slice 0 is torch"):
        circuit(slices=(Slice(1.0, (double,)),))


@pytest.mark.parametrize("duration", [0.0, -1.0, float("nan"), float("inf")])
def test_slices_last_a_positive_time(duration: float) -> None:
    with pytest.raises(DesignError, match="give a positive time"):
        Slice(duration, ())


def test_a_circuit_cannot_be_changed_but_replaced(random_circuit: Callable[..., Circuit]) -> None:
    railed = replace(random_circuit("conductance"), rails=(-1.0, 1.0))
    assert railed.rails == (-1.0, 1.0)
    assert railed.dtype == torch.float64
