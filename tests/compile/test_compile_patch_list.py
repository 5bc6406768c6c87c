"""Patch lists: a machine that is wired after one does what the circuit says."""

import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

from jackfield.board import Cable, PatchedMachine, PatchList
from jackfield.compile import PatchTwin, patch_list
from jackfield.errors import DesignError
from jackfield.physics import Circuit, EdgeSet, Slice
from jackfield.session import load_machine

MACHINE = load_machine("the-analog-thing")


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
                if cable.destination.startswith("IC of"):
                    continue
                assert found is not None
                assert 0 <= cable.dial <= 1
                inputs[int(found[2]) - 1] += int(found[1]) * cable.dial * shown[cable.source]
        return -patch.k0_per_s * inputs

    return solve_ivp(slopes, (0, patch.op_ms / 1e3), v0, rtol=1e-9, atol=1e-11).y[:, -1]


EDGES = [(1, 2, 0.6, 0.0), (1, 0, 0.3, 0.4)]


def solved(v0: np.ndarray) -> np.ndarray:
    def slopes(t: float, v: np.ndarray) -> np.ndarray:
        across = 0.6 * (v[0] - v[1])
        return np.array([-across - 0.3 * v[0] - 0.4 * v[0] ** 2, across + 0.2])

    return solve_ivp(slopes, (0, 1), v0, rtol=1e-9, atol=1e-11).y[:, -1]


@pytest.mark.parametrize(
    ("seconds", "k0", "op_ms"),
    [(1e-3, 1000.0, 1), (0.09, 10.0, 90), (0.0127, 10.0, 13), (None, 10.0, 100)],  # whole milliseconds
)
def test_the_cables_are_the_circuit(seconds: float | None, k0: float, op_ms: int) -> None:
    patch = patch_list(circuit(2, EDGES, [0.0, 0.2]), MACHINE, 0.8, seconds)
    v0 = np.array([0.5, -0.4])
    assert (patch.k0_per_s, patch.op_ms) == (k0, op_ms)
    assert wired(patch, 0.8 * v0) == pytest.approx(0.8 * solved(v0), abs=1e-6)


def test_the_twin_is_the_circuit() -> None:
    patch = patch_list(circuit(2, EDGES, [0.0, 0.2]), MACHINE, 0.8, inputs=[0.5, -0.4])
    twin, begin = PatchTwin.of(patch), torch.tensor([patch.start, (0.1, 0.2)], dtype=torch.float64)
    ones, zeros = torch.ones(len(twin.pots)).double(), torch.zeros(2).double()
    states = twin.states(ones, zeros, begin, patch.op_ms / 1e3, 4)
    assert states.shape == (5, 2, 2)
    assert states[-1, 0].numpy() == pytest.approx(0.8 * solved(np.array([0.5, -0.4])), abs=1e-6)
    assert states[-1, 1].numpy() == pytest.approx(0.8 * solved(np.array([0.1, 0.2]) / 0.8), abs=1e-6)


def test_initial_values_take_potentiometers() -> None:
    patch = patch_list(circuit(2, EDGES, [0.0, 0.2]), MACHINE, 0.8, inputs=[0.5, -0.4])
    assert patch.start == pytest.approx((0.4, -0.32))
    ends = [(cable.source, cable.destination, cable.dial) for cable in patch.cables if "IC" in cable.destination]
    assert ends == [("+1", "IC of integrator 1", 0.4), ("-1", "IC of integrator 2", pytest.approx(0.32))]
    with pytest.raises(DesignError, match=r"begin at 1.6 full scales"):
        patch_list(circuit(2, EDGES, [0.0, 0.2]), MACHINE, 0.8, inputs=[2.0, 0.0])
    with pytest.raises(DesignError, match="1 inputs are given, the circuit takes 2"):
        patch_list(circuit(2, EDGES, [0.0, 0.2]), MACHINE, 0.8, inputs=[2.0])


def test_the_page_shows_every_cable() -> None:
    patch = patch_list(circuit(2, [(1, 2, 6.0, 0.0)], [0.0, 0.0]), MACHINE, 0.8, 1e-3, [0.5, -0.25])
    page = patch.page("two <nodes>")
    assert page.count("&#9744;") == len(patch.cables) + 2  # and two cables to the output jacks
    assert "two &lt;nodes&gt;" in page
    assert "input x10 of integrator 1" in page
    assert "<td>integrator 2</td><td>output jack Y</td>" in page
    assert "integrator 1 shows +0.400, integrator 2 shows -0.200" in page
    assert "OP for 1 ms" in page
    slow = patch_list(circuit(2, [(1, 2, 6.0, 0.0)], [0.0, 0.0]), MACHINE, 0.8)
    assert "SLOW of integrator 2" in slow.page("slow")


def test_outputs_come_first_on_the_jacks() -> None:
    five = replace(circuit(5, [(1, 5, 0.1, 0.0)], [0.0] * 5), outputs=(5, 2))
    assert patch_list(five, MACHINE, 0.8).shown == (5, 2, 1, 3)


def test_a_patch_file_is_read_as_it_was_written() -> None:
    patch = patch_list(circuit(2, EDGES, [0.0, 0.2]), MACHINE, 0.8, inputs=[0.5, -0.4])
    assert PatchList.from_toml(patch.to_toml()) == patch
    for spoilt, message in (("cables = 3", "not TOML"), ("op_ms = true", "an integer"), ("slow = 1", "true or false")):
        name = spoilt.split(" ")[0]
        text = re.sub(rf"{name} = .*", spoilt, patch.to_toml()) if name != "cables" else "cables = ["
        with pytest.raises(DesignError, match=message):
            PatchList.from_toml(text)
    with pytest.raises(DesignError, match="'from here' is no cable"):
        Cable.parse("from here")


def test_knobs_are_turned_for_what_they_give() -> None:
    patch = patch_list(circuit(2, EDGES, [0.0, 0.2]), MACHINE, 0.8)
    turned = patch.turned({1: 1.1, 2: 0.9})
    dials = {cable.pot: (cable.asked, cable.dial) for cable in turned.cables if cable.pot}
    assert dials[1][1] * 1.1 == pytest.approx(dials[1][0])
    assert dials[2][1] * 0.9 == pytest.approx(dials[2][0])
    assert dials[3][1] == dials[3][0]
    assert turned.turned({1: 1.0, 2: 1.0}).cables == patch.cables  # what a dial gives is what counts, not where it was
    with pytest.raises(DesignError, match="potentiometer 1 would have to be set to"):
        patch.turned({1: 0.1})


def test_a_machine_with_a_key_too_many_is_refused() -> None:
    text = (
        'name = "m"\ndoc = ""\nintegrators = 1\ninverters = 1\nmultipliers = 1\npotentiometers = 1\n'
        'k0_per_s = [1.0, 1.0]\ninput_gains = [1.0, 10.0]\noutputs = ["X"]\ntolerance = 0.01\n'
    )
    assert PatchedMachine.from_toml(text).outputs == ("X",)
    with pytest.raises(DesignError, match="key colour is unknown"):
        PatchedMachine.from_toml(text + 'colour = "blue"\n')
    with pytest.raises(DesignError, match="there is the-analog-thing"):
        load_machine("another")


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
        patch_list(circuit(nodes, edges, [0.0] * nodes), MACHINE, 0.8, seconds)
