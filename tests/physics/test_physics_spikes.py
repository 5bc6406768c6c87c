"""Spikes against scipy's solution of the equation, against ngspice, and the fast forms against the exact one."""

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import solve_ivp  # type: ignore[import-untyped]

from jackfield.errors import DesignError
from jackfield.physics import (
    PhaseEncoding,
    Resonators,
    SpikeRule,
    exact_spikes,
    last_spikes,
    periodic_spikes,
    resonator_netlist,
)

Real = NDArray[np.float64]
RULE = SpikeRule()


def some(seed: int, examples: int = 1, sources: int = 6, neurons: int = 1) -> tuple[Real, Real]:
    generator = np.random.default_rng(seed)
    return generator.uniform(-1, 1, (examples, sources)), generator.normal(size=(neurons, sources))


def finite(train: Real) -> Real:
    return np.asarray(train[np.isfinite(train)])


def test_one_source_is_answered_a_quarter_period_later_by_its_own_phase() -> None:
    """The identity of 51 phases in +-0.95 through one neuron of weight 1."""
    phases = np.linspace(-0.95, 0.95, 51)[:, None]
    spikes = exact_spikes(PhaseEncoding().train(phases, 10.0), np.ones((1, 1)), Resonators.alike(1, -0.2), 10.0, RULE)
    begin, end = PhaseEncoding(0.25).last_frame(10.0)
    last = np.where((spikes >= begin) & (spikes < end), spikes, -np.inf).max(axis=2)
    answered = PhaseEncoding(0.25).phase(last)
    assert np.corrcoef(answered[:, 0], phases[:, 0])[0, 1] > 0.9999
    assert np.abs(answered - phases).max() < 0.02


def test_exact_spikes_are_the_maxima_of_the_solved_equation() -> None:
    phases, weights = some(1)
    neuron, periods = Resonators.alike(1, -0.2), 4.0
    train = PhaseEncoding().train(phases, periods)

    def slope(t: float, z: Real) -> Real:
        current = float((weights[0] * (np.abs(train[0] - t) < RULE.half_width).sum(axis=1)).sum())
        return np.asarray(neuron.k[0] * z + current)

    grid = np.arange(0, periods, 1e-4)
    z = solve_ivp(slope, (0, periods), [0j], t_eval=grid, rtol=1e-8, atol=1e-10, max_step=2e-3).y[0].imag
    peaks = np.flatnonzero((z[1:-1] > z[:-2]) & (z[1:-1] >= z[2:]) & (z[1:-1] > RULE.threshold)) + 1
    found = finite(exact_spikes(train, weights, neuron, periods, RULE))
    assert found == pytest.approx(grid[peaks], abs=3e-4)


@pytest.mark.skipif(shutil.which("ngspice") is None, reason="ngspice is not installed; it is the independent simulator")
@pytest.mark.parametrize(("form", "bar"), [("gm-c", 5e-4), ("rlc", 3e-3)])
def test_exact_spikes_are_those_of_the_circuit(form: str, bar: float, tmp_path: Path) -> None:
    phases, weights = some(0)
    neuron = Resonators.alike(1, -0.2)
    train = PhaseEncoding().train(phases, 10.0)
    spikes = [
        (float(at), float(weight))
        for at, weight in zip(train[0].ravel(), weights[0].repeat(train.shape[2]), strict=True)
    ]
    netlist = tmp_path / "neuron.cir"
    netlist.write_text(resonator_netlist(spikes, complex(neuron.k[0]), form=form))
    answer = subprocess.run(["ngspice", "-b", str(netlist)], capture_output=True, text=True, timeout=60, check=False)
    rows = re.findall(r"^\d+\t(\S+)\t(\S+)\t?$", answer.stdout, re.MULTILINE)
    time, v = np.array(rows, dtype=float).T
    at = np.flatnonzero((v[1:-1] > v[:-2]) & (v[1:-1] >= v[2:]) & (v[1:-1] > RULE.threshold)) + 1
    assert finite(exact_spikes(train, weights, neuron, 10.0, RULE)) == pytest.approx(time[at] * 10e3, abs=bar)


def test_the_fourier_series_gives_the_exact_spikes() -> None:
    phases, weights = some(2, examples=20, sources=60, neurons=15)
    neurons = Resonators.alike(15, -0.2)
    exact = exact_spikes(PhaseEncoding().train(phases, 8.0), weights, neurons, 8.0, RULE)
    fast = periodic_spikes(phases, weights, neurons, 8.0, RULE)
    settled = np.where((exact > 3.0) & (exact < 7.9), exact, np.nan)
    away = np.fmin.reduce(np.abs(settled[..., None] - fast[:, :, None]), axis=3)
    away = away[np.isfinite(settled)]
    assert len(away) > 0.97 * 4.9 * 20 * 15
    assert np.median(away) < 5e-4
    assert (away < 3e-3).mean() > 0.93  # the series smooths away small maxima where the sum nearly cancels


def test_the_last_frame_alone_gives_the_exact_spikes_of_that_frame() -> None:
    phases, weights = some(3, examples=5, sources=20, neurons=4)
    neurons = Resonators.drawn(-0.2, np.array([0.0, 0.0, 0.02, -0.03]), np.zeros(4))
    train = PhaseEncoding().train(phases, 6.0)
    train[0, 3, 2:] = np.nan  # sources may fall silent
    begin, end = 4.5, 5.5
    exact = exact_spikes(train, weights, neurons, 6.0, RULE)
    last = np.where((exact >= begin) & (exact < end), exact, -np.inf).max(axis=2)
    fast = last_spikes(train, weights, neurons, (begin, end), RULE)
    assert np.nan_to_num(fast, nan=-np.inf) == pytest.approx(last, abs=1e-9)


def test_spikes_keep_their_refractory_time_and_threshold() -> None:
    phases, weights = some(4, examples=10, sources=9, neurons=5)
    rule = SpikeRule(refractory=1.7)
    spikes = exact_spikes(PhaseEncoding().train(phases, 9.0), weights, Resonators.alike(5, -0.2), 9.0, rule)
    assert np.nanmin(np.diff(spikes, axis=2)) >= 1.7
    deaf = SpikeRule(threshold=1e9)
    assert np.isnan(
        exact_spikes(PhaseEncoding().train(phases, 9.0), weights, Resonators.alike(5, -0.2), 9.0, deaf)
    ).all()


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(DesignError, match="do not join 6 sources to 2 neurons"):
        periodic_spikes(np.zeros((1, 6)), np.zeros((2, 5)), Resonators.alike(2, -0.2), 4.0, RULE)
    with pytest.raises(DesignError, match="hold no frame"):
        PhaseEncoding(0.5).last_frame(1.2)
    with pytest.raises(DesignError, match="no circuit of a resonator"):
        resonator_netlist([], -0.2 + 6j, form="lc")


def test_fast_spikes_are_the_exact_ones_where_a_period_has_several_maxima() -> None:
    """Weights that cancel leave little of the fundamental, so that the harmonics make maxima of their own."""
    random = np.random.default_rng(4)
    phases = random.uniform(-1, 1, (30, 12))
    neuron, periods = Resonators.alike(30, -0.2), 8.0
    weights = np.empty((30, 12))
    for number, row in enumerate(np.exp(1j * np.pi * phases)):  # neuron n does not hear example n's fundamental
        weights[number] = random.normal(size=12)
        basis = np.linalg.qr(np.stack([row.real, row.imag], axis=1))[0]
        weights[number] -= 0.97 * basis @ (basis.T @ weights[number])
    exact = exact_spikes(PhaseEncoding().train(phases, periods), weights, neuron, periods, RULE)
    fast = periodic_spikes(phases, weights, neuron, periods, RULE)
    several, alike = 0, 0
    for number in range(30):
        late = [finite(train[number, number]) for train in (exact, fast)]
        late = [train[(train > 4) & (train < 7.9)] for train in late]
        several += len(late[0]) > 5
        alike += len(late[0]) == len(late[1]) and np.allclose(*late, rtol=0, atol=0.01)
    assert several >= 3
    assert alike >= 25
