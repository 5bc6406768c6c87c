"""The emulated LUCIDAC: its dialect, what it refuses, what its mismatch does, and our driver on it."""

import json
import re
from typing import Any

import numpy as np
import pytest
from scipy.linalg import expm

from jackfield.board import ConfigImage, RunProgram
from jackfield.device import LucidacBoard, conformance
from jackfield.emulator.lucidac_analog import LucidacAnalog, LucidacSettings
from jackfield.emulator.lucidac_digital import LucidacDigital
from jackfield.errors import BoardError, DesignError
from jackfield.session import load_spec
from jackfield.testing import ScriptedLine

SPEC = load_spec("lucidac-2024")
ADDRESS = "04-E9-E5-00-00-01"


def emulated(profile: str = "ideal") -> LucidacDigital:
    return LucidacDigital(LucidacAnalog(SPEC, profile, 1), ADDRESS)


def asked(board: LucidacDigital, kind: str, **msg: Any) -> list[dict[str, Any]]:
    line = json.dumps({"id": "1", "type": kind, "msg": msg}).encode()
    said = [json.loads(answer) for answer in board.receive(line).splitlines()]
    return [message for message in said if message.get("type") != "log"]


def echoing(board: LucidacDigital) -> ScriptedLine:
    """A port that echoes, in front of the board."""
    return ScriptedLine(lambda data: data + b"".join(board.receive(line) for line in data.splitlines()))


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"/0": {"/C": {"elements": [1.02] + [0.0] * 31}}}, r"C element 0 is 1.02, beyond \+-1.01"),
        ({"/0": {"/C": {"elements": [0.0] * 31}}}, "C elements takes a list of 32"),
        ({"/0": {"/U": {"outputs": [16] + [None] * 31}}}, r"U output 0 is 16, beyond 0..15"),
        ({"/0": {"/I": {"outputs": [[3], [3]] + [None] * 14}}}, "lane 3 goes to two inputs"),
        ({"/0": {"/M0": {"elements": [{"ic": 1.1, "k": 100}] * 8}}}, "integrator 0: ic 1.1"),
        ({"/0": {"/M0": {"elements": [{"ic": 0.1, "k": 1000}] * 8}}}, "integrator 0: ic 0.1 and k 1000"),
        ({"/0": {"/Q": {}}}, "/0 knows no /Q"),
        ({"adc_channels": [0] * 9}, "9 ADC channels, there are 8"),
    ],
)
def test_what_the_hardware_cannot_do_is_refused_and_changes_nothing(config: dict[str, Any], reason: str) -> None:
    board = emulated()
    before = asked(board, "get_circuit")[0]["msg"]
    (answer,) = asked(board, "set_circuit", entity=[ADDRESS], config=config)
    assert answer["code"] != 0
    assert re.search(reason, answer["error"])
    assert asked(board, "get_circuit")[0]["msg"] == before


def test_other_machines_and_types_are_refused() -> None:
    board = emulated()
    assert "this is" in asked(board, "set_circuit", entity=["other"], config={})[0]["error"]
    assert "not known" in asked(board, "make_coffee")[0]["error"]
    assert "no JSON" in json.loads(board.receive(b"{" * 5000).splitlines()[-1])["error"]


@pytest.mark.parametrize(
    ("config", "daq", "reason"),
    [
        ({"op_time": 2e9}, {}, "up to 1 s"),
        ({}, {"sample_rate": 300_000}, "not possible"),
        ({}, {"sample_rate": 500_000, "num_channels": 4}, "not possible"),
        ({}, {"num_channels": 1}, "1 channels are asked, 2 are connected"),
    ],
)
def test_runs_that_the_converters_cannot_do_are_refused(
    config: dict[str, Any], daq: dict[str, Any], reason: str
) -> None:
    board = emulated()
    asked(board, "set_circuit", entity=[ADDRESS], config={"adc_channels": [0, 1]})
    run = {"op_time": 1_000_000, "ic_time": 100_000} | config
    rates = {"num_channels": 2, "sample_rate": 100_000} | daq
    (answer,) = asked(board, "start_run", id="r", config=run, daq_config=rates)
    assert reason in answer["error"]


def test_an_overload_halts_where_that_is_asked() -> None:
    board = emulated()
    grows = {
        "/M0": {"elements": [{"ic": -0.5, "k": 10_000}] * 8},
        "/U": {"outputs": [0] + [None] * 31},
        "/C": {"elements": [-1.0] + [0.0] * 31},
        "/I": {"outputs": [[0]] + [None] * 15},
    }
    asked(board, "set_circuit", entity=[ADDRESS], config={"/0": grows, "adc_channels": [0]})
    daq = {"num_channels": 1, "sample_rate": 100_000}
    for halts, last in ((True, "ERROR"), (False, "DONE")):
        run = {"op_time": 200_000, "ic_time": 100_000, "halt_on_overload": halts}
        said = asked(board, "start_run", id="r", config=run, daq_config=daq)
        states = [message["msg"]["new"] for message in said if message["type"] == "run_state_change"]
        assert states[-1] == last
    assert asked(board, "overload_status")[0]["msg"] == {"overloaded": ["/0/M0/0"]}


def test_an_ideal_machine_does_its_equations() -> None:
    settings, rng = LucidacSettings(), np.random.default_rng(2)
    settings.ic[:] = rng.uniform(-0.5, 0.5, 8)
    codes = rng.integers(-900, 900, 32)
    settings.coefficient[:] = codes * 4 / 7447 + 1e-6  # just above a code: the firmware truncates
    settings.source[:], settings.destination[:] = rng.integers(0, 8, 32), np.arange(32) % 8
    settings.channels = list(range(8))
    matrix = np.zeros((8, 8))
    np.add.at(matrix, (settings.destination, settings.source), codes * 4 / 7447)
    times = np.array([0.0, 30e-6, 60e-6])
    found = LucidacAnalog(SPEC, "ideal", 1).run(settings, times)
    wanted = np.array([expm(-1e4 * t * matrix) @ -settings.ic for t in times])
    assert np.abs(found - wanted).max() < 1e-3  # three decimals


def test_two_machines_differ_and_one_repeats_itself() -> None:
    draws = [LucidacAnalog(SPEC, "typical", seed).truth() for seed in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]
    gains = [list(draw["quantities"]["gain_scale"].values()) for draw in draws]
    assert 0.005 < np.std(gains[0]) < 0.02
    assert abs(np.corrcoef(gains[0], gains[2])[0, 1]) < 0.5


def test_the_driver_passes_conformance_on_it() -> None:
    results = conformance(echoing(emulated("typical")), SPEC)
    assert [result for result in results if result.outcome != "passed"] == []


def test_products_constants_and_upscaling_arrive() -> None:
    """x1 rises by 10 x2 x3 a unit of time, x4 by the constant: signs and scales of the whole way."""
    with LucidacBoard(echoing(emulated()), SPEC) as board:
        image, scale = ConfigImage.safe(SPEC), SPEC.group("L").parameters["coefficient"]
        lanes = [(2, 9, 1.0, 0), (3, 10, 1.0, 0), (9, 1, -1.0, 1), (16, 4, -1.0, 0)]
        for lane, (source, destination, value, up) in enumerate(lanes):
            image.enable[0, lane] = True
            image.source[0, lane], image.destination[0, lane] = source, destination
            image.codes["coefficient"][0, lane], image.codes["upscale"][0, lane] = scale.code(value), up
        image.codes["rate"][0, -8:] = 1
        board.apply(image)
        start = np.zeros((1, 16))
        start[0, 1:3] = 0.3, 0.2
        board.load_inputs(SPEC.nodes.preset.code(start))
        program = RunProgram(steps=((0, 50),), scan=tuple((node,) for node in range(1, 9)))
        read = board.read_nodes(program).values_V[0]
        assert read[[0, 3]] == pytest.approx([0.5 * 10 * 0.3 * 0.2, 0.5], abs=2e-3)
        assert not read[4:].any()
        image.source[0, 3] = 15  # where this half of the lanes does not see the constant
        with pytest.raises(DesignError, match=r"the constant is output 16 for lanes 1\.\.16"):
            board.apply(image)
        with pytest.raises(BoardError, match="keeps no image without power"):
            board.commit()
