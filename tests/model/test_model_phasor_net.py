"""Phasor networks: gradients by finite differences, layers by their definitions, training on the small digits."""

import numpy as np
import pytest
import torch

from jackfield.data import digits_split
from jackfield.errors import DesignError
from jackfield.model import (
    PhasorErrors,
    PhasorNet,
    PhasorRecipe,
    measure_phasor_accuracy,
    neurons_alike,
    phasor_matrices,
    round_phasor_weights,
    run_continuous,
    run_spikes,
    spike_trains,
    spike_turns,
    train_phasor,
)
from jackfield.physics import PhaseEncoding, Resonators

RECIPE = PhasorRecipe(epochs=8, batch=32, rate=2e-2, loss="cross_entropy", decay=0.1)


@pytest.fixture(scope="module")
def trained() -> PhasorNet:
    network = PhasorNet((40, 10), inputs=64)
    train_phasor(network, digits_split(), RECIPE)
    return network


def wrapped(difference: np.ndarray) -> np.ndarray:
    return np.asarray((difference + 1) % 2 - 1)


def some(*shape: int) -> torch.Tensor:
    """Inputs from 0 to 1, always the same."""
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0))


def test_a_dense_layer_is_the_direction_of_the_weighted_sum() -> None:
    network = PhasorNet((3,), inputs=5, encoding="sign").double()
    x = some(4, 5).double()
    with torch.no_grad():
        matrix = network.layers[0].matrix().numpy()
        z = np.exp(1j * np.pi * network.encoder(x).numpy()) @ matrix[:, :5].T + matrix[:, 5]
        assert wrapped(network(x).numpy() - np.angle(z) / np.pi) == pytest.approx(0, abs=1e-12)


def test_gradients_are_those_of_finite_differences() -> None:
    network = PhasorNet((("conv", 2, 2), ("pool", 2), 3), inputs=25, grid=(1, 5, 5), encoding="sign").double()
    x = some(2, 25).double()
    weights = [parameter for parameter in network.parameters() if parameter.requires_grad]
    loss = network.scores(network(x))[:, 0].sum()
    gradients = torch.autograd.grad(loss, weights)
    for weight, gradient in zip(weights, gradients, strict=True):
        flat = weight.data.view(-1)
        for index in range(min(3, len(flat))):
            old, values = float(flat[index]), []
            for moved in (old + 1e-6, old - 1e-6):
                flat[index] = moved
                values.append(float(network.scores(network(x))[:, 0].sum().detach()))
            flat[index] = old
            assert float(gradient.view(-1)[index]) == pytest.approx((values[0] - values[1]) / 2e-6, rel=1e-5, abs=1e-8)


def test_a_convolution_is_its_matrix() -> None:
    network = PhasorNet((("conv", 3, 2),), inputs=32, grid=(2, 4, 4), encoding="sign")
    x = some(3, 32)
    with torch.no_grad():
        phases = network.encoder(x).double().numpy()
        matrix = network.layers[0].matrix().double().numpy()
        z = np.exp(1j * np.pi * phases) @ matrix[:, :-1].T + matrix[:, -1]
        assert wrapped(network(x).numpy() - np.angle(z) / np.pi) == pytest.approx(0, abs=1e-5)


def test_training_learns_and_one_seed_gives_the_same_numbers(trained: PhasorNet) -> None:
    data = digits_split()
    assert measure_phasor_accuracy(trained, torch.from_numpy(data.x_test), torch.from_numpy(data.y_test)).share > 0.9
    again = PhasorNet((40, 10), inputs=64)
    train_phasor(again, data, RECIPE)
    assert all(torch.equal(a, b) for a, b in zip(trained.parameters(), again.parameters(), strict=True))


def test_training_for_a_boards_errors_still_learns() -> None:
    network = PhasorNet((40, 10), inputs=64)
    recipe = PhasorRecipe(8, 32, 2e-2, "cross_entropy", 0.1, errors=PhasorErrors(bits=6, jitter=0.02, detuning=0.02))
    history = train_phasor(network, digits_split(), recipe)
    assert history[-1].validation.share > 0.88


def test_run_in_time_the_network_answers_as_without_time(trained: PhasorNet) -> None:
    x = torch.from_numpy(digits_split().x_test[:150])
    with torch.no_grad():
        phases, without = trained.encoder(x).double().numpy(), trained(x).numpy()
    cells = neurons_alike(trained, -0.2)
    spikes = run_spikes(trained, phases, cells)
    assert np.isfinite(spikes).mean() > 0.995
    assert (np.nan_to_num(np.sin(np.pi * spikes), nan=-2).argmax(1) == np.sin(np.pi * without).argmax(1)).mean() > 0.97
    assert np.sqrt(np.nanmean(wrapped(spikes - without) ** 2)) < 0.04
    exact = run_spikes(trained, phases[:20], cells, exact=True)
    assert np.nanmedian(np.abs(wrapped(exact - spikes[:20]))) < 2e-3


def test_continuous_waves_are_exact_at_any_quality(trained: PhasorNet) -> None:
    x = torch.from_numpy(digits_split().x_test[:20])
    with torch.no_grad():
        phases, without = trained.encoder(x).double().numpy(), trained(x).numpy()
    for decay in (-0.02, -1.5):
        waves = run_continuous(trained, phases, neurons_alike(trained, decay))
        assert wrapped(waves - without) == pytest.approx(0, abs=1e-4)


def test_turns_are_those_of_detuned_resonators_and_taken_off_again(trained: PhasorNet) -> None:
    data = digits_split()
    with torch.no_grad():
        phases, known = (
            trained.encoder(torch.from_numpy(x)).double().numpy() for x in (data.x_test[:60], data.x_train[:60])
        )
        without = trained(torch.from_numpy(data.x_test[:60])).numpy()
    off = [0.02 * np.where(np.arange(len(weights)) % 2, 1.0, -1.0) for weights in phasor_matrices(trained)]
    cells = [Resonators.drawn(-0.2, part, 0 * part) for part in off]
    turns = spike_turns(trained, known, cells, periods=20.0)
    for part, turn in zip(off, turns, strict=True):
        # z = S / (|lambda| - i delta omega): an early resonance leads, its spikes come early.
        lag = -np.arctan(2 * np.pi * part / (0.2 * (1 + part))) / np.pi
        assert np.median(np.abs(turn - lag)) < 0.02
    raw, mended = (run_spikes(trained, phases, cells, periods=20.0, turns=use) for use in (None, turns))
    away = [np.sqrt(np.nanmean(wrapped(found - without) ** 2)) for found in (raw, mended)]
    assert away[1] < 0.35 * away[0]


def test_jitter_of_the_last_layer_shows_in_its_phases() -> None:
    network = PhasorNet((30,), inputs=6, encoding="sign", seed=2)
    phases = np.random.default_rng(0).uniform(-1, 1, (40, 6))
    clean, dirty = (
        run_spikes(network, phases, neurons_alike(network, -0.2), jitter=width, seed=5) for width in (0, 0.01)
    )
    again = run_spikes(network, phases, neurons_alike(network, -0.2), jitter=0.01, seed=5)
    assert np.array_equal(dirty, again, equal_nan=True)
    assert np.nanstd(wrapped(dirty - clean)) == pytest.approx(0.02, rel=0.1)  # a period is two pi


def test_all_spikes_of_a_run_hold_the_decoded_ones(trained: PhasorNet) -> None:
    with torch.no_grad():
        phases = trained.encoder(torch.from_numpy(digits_split().x_test[:2])).double().numpy()
    cells = neurons_alike(trained, -0.2)
    trains = spike_trains(trained, phases, cells, periods=6.0)
    assert [train.shape[1] for train in trains] == [64, 40, 10]
    begin, end = PhaseEncoding(0.5).last_frame(6.0)
    inside = np.where((trains[-1] >= begin) & (trains[-1] < end), trains[-1], -np.inf).max(axis=2)
    decoded = run_spikes(trained, phases, cells, periods=6.0, exact=True)
    there = np.isfinite(inside)
    assert np.array_equal(there, np.isfinite(decoded))
    assert PhaseEncoding(0.5).phase(inside[there]) == pytest.approx(decoded[there])


def test_rounded_weights_lie_on_their_steps() -> None:
    network = PhasorNet((5, 3), inputs=6)
    round_phasor_weights(network, 4)
    for layer in network.layers:
        steps = (layer.weight / layer.weight.abs().max() * 7).detach().numpy()
        assert steps == pytest.approx(np.rint(steps), abs=1e-5)


def test_convolutions_and_pools_run_in_time() -> None:
    network = PhasorNet((("conv", 2, 3), ("pool", 2), 4), inputs=64, grid=(1, 8, 8), encoding="sign")
    x = some(40, 64)
    with torch.no_grad():
        phases, without = network.encoder(x).double().numpy(), network(x).numpy()
    spikes = run_spikes(network, phases, neurons_alike(network, -0.1), periods=20.0)
    assert np.nanmedian(np.abs(wrapped(spikes - without))) < 0.05


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(DesignError, match="wants rows and columns"):
        PhasorNet((("pool", 2),), inputs=16)
    with pytest.raises(DesignError, match="no encoding"):
        PhasorNet((4,), inputs=16, encoding="rate")
    with pytest.raises(DesignError, match="larger than 2 x 2"):
        PhasorNet((("conv", 1, 3),), inputs=4, grid=(1, 2, 2))
    with pytest.raises(DesignError, match="more classes than"):
        train_phasor(PhasorNet((4,), inputs=64), digits_split(), RECIPE)
    with pytest.raises(DesignError, match="choose similarity or cross_entropy"):
        PhasorRecipe(1, 1, 1.0, "hinge")
