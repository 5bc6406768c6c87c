"""Patch lists: a machine that is wired after one does what the circuit says."""

import re

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

from jackfield.compile import PatchList, patch_list
from jackfield.errors import DesignError
from jackfield.physics import Circuit, EdgeSet, Slice

K0 = 1000.0


def circuit(nodes: int, edges: list[tuple[int, int, float, float]], constant: list[float]) -> Circuit:
    rows = torch.tensor(edges, dtype=torch.float64)
    ends = rows[:, :2].long()
    values = {"g1": rows[:, 2].contiguous(), "g2": rows[:, 3].contiguous(), "g3": torch.zeros(len(edges)).double()}
    part = Slice(
        1.0,
        (EdgeSet("polynomial", ends[:, 0].contiguous(), ends[:, 1].contiguous(), values),),
        torch.tensor(constant, dtype=torch.float64),
    )
    ones = torch.ones(nodes, dtype=torch.float64)
    return Circuit(nodes, (part,), ones, 0 * ones, None, tuple(range(1, nodes + 1)), (1,))


def wired(patch: PatchList, v0: np.ndarray) -> np.ndarray:
    """What a machine with these cables does, reading nothing but their text."""

    def slopes(t: float, v: np.ndarray) -> np.ndarray:
        shown = {"+1": 1.0, "-1": -1.0} | {f"integrator {k + 1}": value for k, value in enumerate(v)}
        feeds: dict[str, list[float]] = {}
        inputs = np.zeros(len(v))
        for cable in patch.cables:
            if (found := re.fullmatch(r"input of (inverter \d)", cable.destination)) is not None:
                shown[found[1]] = -shown[cable.source]
            elif (found := re.fullmatch(r"input [AB] of (multiplier \d)", cable.destination)) is not None:
                feeds.setdefault(found[1], []).append(shown[cable.source])
                shown[found[1]] = float(np.prod(feeds[found[1]]))
            else:
                found = re.fullmatch(r"input x(10?) of integrator (\d)", cable.destination)
                assert found is not None
                assert 0 <= cable.setting <= 1
                inputs[int(found[2]) - 1] += int(found[1]) * cable.setting * shown[cable.source]
        return -K0 * inputs

    return solve_ivp(slopes, (0, patch.op_s), v0, rtol=1e-9, atol=1e-11).y[:, -1]


def test_the_cables_are_the_circuit() -> None:
    edges = [(1, 2, 0.6, 0.0), (1, 0, 0.3, 0.4)]
    patch = patch_list(circuit(2, edges, [0.0, 0.2]), 0.8, 1e-3)
    v0 = np.array([0.5, -0.4])

    def slopes(t: float, v: np.ndarray) -> np.ndarray:
        across = 0.6 * (v[0] - v[1])
        return np.array([-across - 0.3 * v[0] - 0.4 * v[0] ** 2, across + 0.2])

    wanted = solve_ivp(slopes, (0, 1), v0, rtol=1e-9, atol=1e-11).y[:, -1]
    assert wired(patch, 0.8 * v0) == pytest.approx(0.8 * wanted, abs=1e-6)
    assert patch.op_s == pytest.approx(1e-3)


def test_the_page_shows_every_cable() -> None:
    patch = patch_list(circuit(2, [(1, 2, 0.6, 0.0)], [0.0, 0.0]), 0.8, 1e-4)
    page = patch.page("two <nodes>")
    assert page.count("&#9744;") == len(patch.cables)
    assert "two &lt;nodes&gt;" in page
    assert "input x10 of integrator 1" in page
    assert "OP for 0.100 ms" in page


@pytest.mark.parametrize(
    ("nodes", "edges", "seconds", "message"),
    [
        (6, [(1, 6, 0.1, 0)], 1e-3, "integrators run out: the circuit takes 6"),
        (4, [(i, j, 0.1, 0) for i in range(1, 5) for j in range(i + 1, 5)], 1e-3, "potentiometers run out"),
        (2, [(1, 2, 30.0, 0)], 1e-3, "needs a gain of 30, 10 is possible"),
        (2, [(1, 2, 0.1, 0.1)], 1e-3, "needs more than a square to ground"),
    ],
)
def test_what_runs_out_is_named(
    nodes: int, edges: list[tuple[int, int, float, float]], seconds: float, message: str
) -> None:
    with pytest.raises(DesignError, match=message):
        patch_list(circuit(nodes, edges, [0.0] * nodes), 0.8, seconds)
