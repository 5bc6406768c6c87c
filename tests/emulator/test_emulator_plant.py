import numpy as np
import pytest
import torch

from jackfield.board import BoardSpec
from jackfield.emulator import plant
from jackfield.emulator.analog import AnalogBoard
from jackfield.emulator.plant import steps_for
from jackfield.physics import integrate

from .conftest import random_settings


@pytest.mark.parametrize("profile", ["ideal", "cmos", "rough"])
@pytest.mark.parametrize(("cells", "gain"), [(40, 0.8), (1500, 0.1), (6000, 0.05), (8000, 0.08)])
def test_steps_keep_the_error_below_ten_microvolts(jf96: BoardSpec, profile: str, cells: int, gain: float) -> None:
    board = AnalogBoard(jf96, profile, 7)
    circuit = board.plant.circuit(random_settings(jf96, cells, gain), 0, 100e-6, 0)
    steps = steps_for(circuit)
    v0 = torch.from_numpy(np.random.default_rng(1).uniform(-0.3, 0.3, (16, 96)))
    ours, exact = integrate(circuit, v0, steps=steps), integrate(circuit, v0, steps=8 * steps, snapshots=8)
    inside = exact.abs().amax(dim=(0, 2)) < 0.98
    assert inside.sum() >= 4
    assert float((ours[-1] - exact[-1])[inside].abs().max()) < 1e-5


def test_a_large_circuit_in_float32_is_a_microvolt_off(jf96: BoardSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    board = AnalogBoard(jf96, "modules", 7)
    settings = random_settings(jf96, 6000, 0.05)
    v0 = torch.from_numpy(np.random.default_rng(1).uniform(-0.3, 0.3, (16, 96)))
    double = board.plant.circuit(settings, 0, 100e-6, 0)
    monkeypatch.setattr(plant, "SINGLE_FROM", 5000)
    single = board.plant.circuit(settings, 0, 100e-6, 0)
    assert (single.dtype, double.dtype) == (torch.float32, torch.float64)
    steps = steps_for(double)
    assert steps_for(single) == pytest.approx(steps, abs=1)
    off = integrate(single, v0.float(), steps=steps)[-1] - integrate(double, v0, steps=steps)[-1]
    assert 0 < float(off.abs().max()) < 2e-6


def test_defects_do_what_their_names_say(jf16: BoardSpec) -> None:
    board = AnalogBoard(jf16, "ideal", 7)
    settings = random_settings(jf16, 48, 0.5)
    whole = board.plant.circuit(settings, 0, 1e-4, 0).slices[0].edges[0]
    defect = board.plant.cells[0].defect
    for kind in ("dead", "open"):
        defect[:] = 0
        defect[3] = {"dead": 1, "open": 2}[kind]
        assert len(board.plant.circuit(settings, 0, 1e-4, 0).slices[0].edges[0]) == len(whole) - 1
    defect[3] = 4
    swapped = board.plant.circuit(settings, 0, 1e-4, 0).slices[0].edges[0]
    where = int((swapped.source != whole.source).nonzero()[0, 0])
    assert (swapped.source[where], swapped.destination[where]) == (whole.destination[where], whole.source[where])
    defect[3] = 3
    stuck = board.plant.circuit(settings, 0, 1e-4, 0).slices[0].edges[0].parameters["gain"]
    changed = (stuck != whole.parameters["gain"]).nonzero()
    assert changed.shape == (1, 1)
    code = board.plant.cells[0].parameters["gain"].stuck_code[3]
    assert float(stuck[changed[0, 0]]) == jf16.groups[0].parameters["gain"].value(code)


def test_a_cell_with_both_ends_on_one_node_carries_nothing(jf96: BoardSpec) -> None:
    board = AnalogBoard(jf96, "cmos", 7)
    settings = random_settings(jf96, 10, 0.5)
    settings.destination[0] = settings.source[0]
    assert board.plant.circuit(settings, 0, 1e-4, 0).slices[0].edges == ()
