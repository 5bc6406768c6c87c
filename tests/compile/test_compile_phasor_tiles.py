"""Tiles of a phasor layer: codes, factors and resonators, worked out by hand."""

import numpy as np
import pytest

from jackfield.board import CalibrationRecord, Table
from jackfield.compile import compile_phasors, nominal_answer
from jackfield.errors import DesignError
from jackfield.model import PhasorNet, phasor_matrices
from jackfield.physics import Resonators
from jackfield.session import load_spec

SPEC = load_spec("jf-osc64")
CHANNELS = 785
PHASES = np.random.default_rng(0).uniform(-1, 1, (5, 6))


def table(index: tuple[str, ...], value: np.ndarray, good: np.ndarray) -> Table:
    zeros = np.zeros(len(index))
    return Table(index, value, zeros, zeros, np.ones(len(index), dtype=np.int64), good, ("ok",) * len(index))


def record() -> CalibrationRecord:
    """Resonator 1 is out of use, 2 answers doubly and a quarter period late; its first cell is 10 % weak."""
    index = tuple(str(number) for number in range(1, 65))
    gain, phase, good = np.ones(64), np.zeros(64), np.ones(64, dtype=np.bool_)
    gain[1], phase[1], good[0] = 2.0, -np.pi / 2, False
    cell = str(SPEC.cells[CHANNELS])
    tables = {
        "neuron_gain": table(index, gain, good),
        "neuron_phase_rad": table(index, phase, np.ones(64, dtype=np.bool_)),
        "gain_scale": table((cell,), np.array([0.9]), np.array([True])),
    }
    return CalibrationRecord({"board_id": "x", "spec_digest": SPEC.digest}, tables)


def test_the_nominal_answer_is_that_of_two_capacitors() -> None:
    turn = 2 * np.pi * 10e3
    loss = 20e-6 / 10e-9
    expected = 0.5 / 10e-9 * turn / ((1j * turn + loss) ** 2 + turn**2)
    assert nominal_answer(SPEC) == pytest.approx(expected, rel=1e-9)


def test_codes_times_factor_are_the_weights() -> None:
    network = PhasorNet((70, 3), inputs=6, encoding="sign")
    layers = compile_phasors(network, SPEC, PHASES)
    assert [[len(tile.neurons) for tile in tiles] for tiles in layers] == [[64, 6], [3]]
    assert [tile.bank for tile in layers[0]] == [0, 1]
    gain = SPEC.groups[0].parameters["gain"]
    for weights, tiles in zip(phasor_matrices(network), layers, strict=True):
        for tile in tiles:
            codes = tile.image.codes["gain"][tile.bank].reshape(64, CHANNELS)[: len(tile.neurons)]
            made = gain.value(codes) * nominal_answer(SPEC) / tile.factor[:, None]
            part = weights[tile.neurons.start : tile.neurons.stop]
            step = np.abs(part).max(axis=1, keepdims=True) / 127
            assert np.all(np.abs(made[:, : part.shape[1] - 1] - part[:, :-1]) <= 0.51 * step)
            assert np.all(np.abs(made[:, -1] - part[:, -1]) <= 0.51 * step[:, 0])  # the reference drives the bias
    assert np.abs(layers[0][0].image.codes["gain"][0] - 128).max() == 127


def test_a_record_moves_turns_and_refits() -> None:
    network = PhasorNet((63,), inputs=6, encoding="sign")
    ((tile,),) = compile_phasors(network, SPEC, PHASES, record())
    assert tile.nodes == tuple(range(2, 65))
    (plain,) = compile_phasors(network, SPEC, PHASES)[0]
    assert np.angle(tile.factor[0] / plain.factor[0]) == pytest.approx(-np.pi / 2)
    codes = tile.image.codes["gain"][0].reshape(64, CHANNELS)[1, :6] - 128
    weights = phasor_matrices(network)[0][0, :6] / [0.9, 1, 1, 1, 1, 1]
    assert codes == pytest.approx(127 * weights / np.abs(weights).max(), abs=0.51)


def test_by_spikes_resonators_are_trimmed_and_tiles_take_all_sources() -> None:
    network = PhasorNet((3,), inputs=6, encoding="sign")
    index = tuple(str(number) for number in range(1, 65))
    sure, off = np.ones(64, dtype=np.bool_), np.zeros(64)
    off[1], off[2] = 0.02, 0.07  # the trim reaches 0.05
    known = {"detuning": table(index, off, sure), "quality_ratio": table(index, np.ones(64), sure)}
    # The answer that a resonator 2 % too quick has of its own, and 0.1 rad of its probe.
    nominal, own = (Resonators.drawn(-0.2, np.array([d]), np.zeros(1)).heard(np.ones(1)) for d in (0.0, 0.02))
    turned, gain = np.zeros(64), np.ones(64)
    turned[1], gain[1] = np.angle(own / nominal)[0] + 0.1, np.abs(own / nominal)[0]
    known |= {"neuron_gain": table(index, gain, sure), "neuron_phase_rad": table(index, turned, sure)}
    made = CalibrationRecord({"board_id": "x", "spec_digest": SPEC.digest}, known)
    ((tile,),) = compile_phasors(network, SPEC, PHASES, made, spikes=True)
    trim = SPEC.nodes.trim
    assert tile.program(SPEC).mode == "spikes"
    assert trim.value(tile.image.trim[0, :3]) == pytest.approx([0, -0.02, -0.05], abs=trim.lsb / 2)
    late = np.angle(tile.factor)  # a quarter period and half a pulse; what the probe turns forward comes earlier
    assert late[:2] == pytest.approx(np.pi / 2 + 0.1 * np.pi - np.array([0, 0.1]), abs=0.02)
    pulses = np.array([[0.5 * np.exp(-0.7j), 0.1j, 0.5j]])
    found = tile.sums(SPEC, (1, 2, 3), pulses)
    assert np.angle(found[0, 0]) == pytest.approx(0.7 - late[0])
    assert found[0, 1] == 0  # a pulse now and then is none
    wide = PhasorNet((3,), inputs=785, encoding="sign")
    with pytest.raises(DesignError, match="spikes of parts cannot be added"):
        compile_phasors(wide, SPEC, np.zeros((2, 785)), spikes=True)


def test_large_sums_stay_inside_the_rails() -> None:
    network = PhasorNet((4,), inputs=700, encoding="sign")
    alike = np.tile(
        np.where(phasor_matrices(network)[0][0, :700] > 0, 0.0, 1.0), (2, 1)
    )  # all weights of neuron 1 add up
    ((tile,),) = compile_phasors(network, SPEC, alike)
    largest = np.abs(phasor_matrices(network)[0][0]).sum()
    assert np.abs(tile.factor[0]) * largest == pytest.approx(0.8, rel=1e-3)


def test_boards_without_resonators_and_without_good_ones_are_refused() -> None:
    network = PhasorNet((4,), inputs=6, encoding="sign")
    with pytest.raises(DesignError, match="has no resonators"):
        compile_phasors(network, load_spec("jf96"), PHASES)
    bad = record()
    spoilt = {name: table(t.index, t.value, np.zeros(len(t.index), dtype=np.bool_)) for name, t in bad.tables.items()}
    with pytest.raises(DesignError, match="no resonator"):
        compile_phasors(network, SPEC, PHASES, CalibrationRecord(bad.provenance, spoilt))
