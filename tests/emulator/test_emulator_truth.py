import json

import numpy as np
import pytest

from jackfield.board import QUANTITIES, BoardSpec
from jackfield.emulator.analog import AnalogBoard
from jackfield.emulator.draws import Planted
from jackfield.emulator.truth import gauge_factor, regauged, truth, truth_json


def test_truth_has_every_quantity_of_a_record_in_its_gauge(jf16: BoardSpec) -> None:
    board = AnalogBoard(jf16, "rough", 7)
    told = truth(board)
    quantities = told["quantities"]
    binary = truth(AnalogBoard(jf16, "rough", 7, planted=Planted(inl="binary")))["quantities"]
    measured = {"crosstalk", "sentinel_V"}  # the one is kept as the board's whole matrix, the other is a reading
    resonators = {"detuning", "quality_ratio", "neuron_gain", "neuron_phase_rad"}  # of boards of another kind
    assert set(QUANTITIES) - measured - resonators <= set(quantities) | set(binary)
    assert np.shape(told["unknown"]["crosstalk"]) == (jf16.probe.count, jf16.probe.count)
    assert sum(np.log(list(quantities["capacitance_ratio"].values()))) == pytest.approx(0.0, abs=1e-12)
    k = gauge_factor(board)
    nodes, gain = board.plant.nodes, board.plant.cells[0].parameters["gain"]
    for number in ("1", "16"):
        c = quantities["capacitance_ratio"][number] * jf16.nodes.capacitance_F
        index = int(number) - 1
        assert quantities["leak_S"][number] / c == pytest.approx(nodes.leak_S[index] / nodes.capacitance_F[index])
    assert quantities["gain_scale"]["A17"] == pytest.approx(gain.scale[16] / k)
    assert quantities["threshold_offset_V"]["A17"] == board.plant.cells[0].parameters["threshold"].zero[16]
    assert quantities["saturation"]["board"] == pytest.approx(1.1 / k)


def test_a_gauge_over_some_nodes_scales_what_is_over_a_capacitance(jf16: BoardSpec) -> None:
    told = truth(AnalogBoard(jf16, "rough", 7))
    some = [str(number) for number in range(1, 16)]
    there = regauged(told, some)
    quantities, before = there["quantities"], told["quantities"]
    ratios = quantities["capacitance_ratio"]
    assert sum(np.log([ratios[node] for node in some])) == pytest.approx(0.0, abs=1e-12)
    factor = there["gauge_factor"] / told["gauge_factor"]
    assert quantities["gain_scale"]["A17"] == pytest.approx(before["gain_scale"]["A17"] / factor)
    assert quantities["leak_S"]["3"] / ratios["3"] == pytest.approx(
        before["leak_S"]["3"] / before["capacitance_ratio"]["3"]
    )
    assert quantities["threshold_offset_V"] == before["threshold_offset_V"]


def test_defects_are_named(jf96: BoardSpec) -> None:
    board = AnalogBoard(jf96, "rough", 7)
    defects = truth(board)["defects"]
    assert set(defects.values()) == {"dead", "open", "stuck", "swapped"}
    assert len(defects) == np.count_nonzero(board.plant.cells[0].defect)


def test_an_ideal_board_s_truth_is_plain_json(jf16: BoardSpec) -> None:
    told = json.loads(truth_json(AnalogBoard(jf16, "ideal", 7)))
    assert told["quantities"]["saturation"]["board"] is None
    assert told["quantities"]["gain_scale"]["A48"] == 1.0
    assert told["defects"] == {}
