"""A small board of resonators, emulated, through serial port and VISA: calibrated, then a network in tiles."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from jackfield.bench import Bench
from jackfield.board import BoardSpec, CalibrationRecord
from jackfield.cli.demo_phasor import network_name, phasor_content, run_phasors
from jackfield.cli.output import Output
from jackfield.compile import compile_phasors
from jackfield.data import Split, digits_split
from jackfield.device import AbstractBoard
from jackfield.evaluate import play_phasors
from jackfield.journal import Run
from jackfield.model import PhasorNet, PhasorRecipe, neurons_alike, phasor_matrices, run_spikes, train_phasor
from jackfield.report import render_phasors
from jackfield.session import check_wiring, open_bench, spec_file
from jackfield_calibration import calibrate

NEURONS, CHANNELS = 6, 70
SOURCES = 100  # more than channels: tiles split them, too


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """jf-osc64 with few resonators and channels, of the same statistics."""
    text = spec_file("jf-osc64").read_text(encoding="utf-8")
    for old, new in (
        ('name = "jf-osc64"', 'name = "small"'),
        ("neurons = 64", f"neurons = {NEURONS}"),
        ("count = 849", f"count = {NEURONS + CHANNELS}"),
        ("count = 50240", f"count = {NEURONS * CHANNELS}"),
        ("range_S = [-2.5e-6, 2.5e-6]", "range_S = [-8e-6, 8e-6]"),  # fewer of them make as many volts
        ("inputs = 64", "inputs = 8"),
    ):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path = tmp_path_factory.mktemp("spec") / "small.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def bench(place: Path) -> Iterator[Bench[AbstractBoard]]:
    with open_bench(f"emulator://{place}?profile=cmos&seed=2&truth={place.parent / 'truth.json'}") as opened:
        yield opened


@pytest.fixture(scope="module")
def record(bench: Bench[AbstractBoard], tmp_path_factory: pytest.TempPathFactory) -> CalibrationRecord:
    name = bench.board.hello.board_id
    with Run.create(tmp_path_factory.mktemp("runs"), "calibrate", name) as run:
        found = calibrate(bench, bench.spec, run, seed=0, provenance={"board_id": name})
        again = calibrate(bench, bench.spec, run, seed=0, provenance={"board_id": name})  # all of it from the journal
    assert again.digest == found.digest
    return found


def ideal(network: PhasorNet, phases: np.ndarray) -> np.ndarray:
    for weights in phasor_matrices(network):
        phases = np.angle(np.exp(1j * np.pi * phases) @ weights[:, :-1].T + weights[:, -1]) / np.pi
    return phases


def away(bench: Bench[AbstractBoard], record: CalibrationRecord | None) -> float:
    """Rms distance, in units of pi, from a network's own answers, weak sums left out."""
    network = PhasorNet((9, 4), inputs=SOURCES, encoding="sign", seed=3)
    phases = np.random.default_rng(1).uniform(-1, 1, (12, SOURCES))
    steps: list[tuple[int, int]] = []
    tiles = compile_phasors(network, bench.spec, phases, record)
    assert [len(layer) for layer in tiles] == [4, 1]  # neurons in two, sources in two; then all at once
    answers = play_phasors(bench, network, tiles, phases, lambda done, whole: steps.append((done, whole)))
    assert steps[-1] == (60, 60)
    distance = (answers - ideal(network, phases) + 1) % 2 - 1
    return float(np.sqrt(np.median(distance**2)))


def test_ring_down_answers_and_gains_are_those_that_were_drawn(
    record: CalibrationRecord, bench: Bench[AbstractBoard], place: Path
) -> None:
    truth = json.loads((place.parent / "truth.json").read_text(encoding="utf-8"))
    tables, spec = record.tables, bench.spec
    assert all(table.good.mean() > 0.95 for table in tables.values())
    assert tables["detuning"].value == pytest.approx(truth["detuning"], abs=3e-4)
    assert tables["quality_ratio"].value == pytest.approx(1 + np.array(truth["quality"]), abs=8e-3)
    gains = np.array(truth["gain_scale"])
    error = tables["gain_scale"].value.reshape(gains.shape) - gains / gains.mean(axis=1, keepdims=True)
    assert np.sqrt(np.mean(error**2)) < 0.003  # of 0.05 drawn
    assert np.sqrt(np.mean((error.ravel() / tables["gain_scale"].se) ** 2)) == pytest.approx(1, abs=0.3)
    assert tables["neuron_phase_rad"].value == pytest.approx(np.angle(_answers(spec, truth)), abs=0.003)


def _answers(spec: BoardSpec, truth: dict[str, list[float]]) -> np.ndarray:
    """The circuit's answer over the nominal one: v2 of two capacitors coupled by gm, from its transfer function."""
    assert spec.oscillator is not None
    s = 2j * np.pi
    rate = np.pi / spec.oscillator.quality(spec.nodes)
    own, loss = 2 * np.pi * (1 + np.array(truth["detuning"])), rate * (1 + np.array(truth["detuning"]))
    loss = loss / (1 + np.array(truth["quality"]))
    answer = own / ((s + loss) ** 2 + own**2) * np.exp(1j * np.array(truth["phase_rad"]))
    return np.asarray(answer / (2 * np.pi / ((s + rate) ** 2 + (2 * np.pi) ** 2)))


def test_a_network_in_tiles_answers_as_without_a_board_once_calibrated(
    bench: Bench[AbstractBoard], record: CalibrationRecord
) -> None:
    raw, calibrated = away(bench, None), away(bench, record)
    assert raw > 0.05
    assert calibrated < 0.006


def test_the_same_network_by_spikes(bench: Bench[AbstractBoard], record: CalibrationRecord) -> None:
    network = PhasorNet((9, 4), inputs=CHANNELS - 1, encoding="sign", seed=3)
    phases = np.random.default_rng(1).uniform(-1, 1, (12, CHANNELS - 1))
    model = run_spikes(network, phases, neurons_alike(network, -0.2), periods=20.0)
    found = {}
    for known in (None, record):
        tiles = compile_phasors(network, bench.spec, phases, known, spikes=True)
        distance = (play_phasors(bench, network, tiles, phases) - model + 1) % 2 - 1
        found[known is not None] = float(np.nanmedian(np.abs(distance)))
    assert found[False] > 0.05
    assert found[True] < 0.015


def test_wiring_is_told_by_the_phases_of_channels(bench: Bench[AbstractBoard]) -> None:
    findings = {finding.name: finding for finding in check_wiring(bench, lambda finding: None)}
    assert all(finding.ok for finding in findings.values()), findings
    assert f"node {NEURONS + 2} at +0.5" in findings["probe 2 on its channel"].seen


def test_the_demos_ladder_on_a_small_board(bench: Bench[AbstractBoard], tmp_path: Path) -> None:
    digits = digits_split()
    few = Split("few", digits.x_train[:200], digits.y_train[:200], digits.x_test[:8], digits.y_test[:8])
    network = PhasorNet((9, 10), inputs=64)
    train_phasor(network, few, PhasorRecipe(1, 64, 1e-2, "cross_entropy"))
    with Run.create(tmp_path, "demo", bench.board.hello.board_id) as run:
        result = run_phasors(bench, network, few, run, seed=0, quick=False, output=Output(as_json=True))
        assert (run.folder / "board.record" / "gain_scale.csv").is_file()
    names = [rung.rung for rung in result.rungs]
    assert names == ["float", "in_time", "board_raw", "board_per_neuron", "board_calibrated", "board_by_spikes"]
    assert result.away("board_calibrated") < 0.3 * result.away("board_raw")
    page = render_phasors(phasor_content(result, {"network": network_name(network)}))
    assert "64-9-10" in page
    assert page.count("<img") == 4
