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
    run_continuous,
    run_spikes,
    train_phasor,
)

RECIPE = PhasorRecipe(epochs=8, batch=32, rate=2e-2, loss="cross_entropy", decay=0.1)


@pytest.fixture(scope="module")
def trained() -> PhasorNet:
    network = PhasorNet((40, 10), inputs=64)
    train_phasor(network, digits_split(), RECIPE)
    return network


def wrapped(difference: np.ndarray) -> np.ndarray:
    return np.asarray((difference + 1) % 2 - 1)


def test_a_dense_layer_is_the_direction_of_the_weighted_sum() -> None:
    network = PhasorNet((3,), inputs=5, encoding="sign").double()
    x = torch.rand(4, 5, dtype=torch.float64)
    with torch.no_grad():
        matrix = network.layers[0].matrix().numpy()
        z = np.exp(1j * np.pi * network.encoder(x).numpy()) @ matrix[:, :5].T + matrix[:, 5]
        assert wrapped(network(x).numpy() - np.angle(z) / np.pi) == pytest.approx(0, abs=1e-12)


def test_gradients_are_those_of_finite_differences() -> None:
    network = PhasorNet((("conv", 2, 2), ("pool", 2), 3), inputs=25, grid=(1, 5, 5), encoding="sign").double()
    x = torch.rand(2, 25, dtype=torch.float64)
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
    x = torch.rand(3, 32)
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


def test_convolutions_and_pools_run_in_time() -> None:
    network = PhasorNet((("conv", 2, 3), ("pool", 2), 4), inputs=64, grid=(1, 8, 8), encoding="sign")
    x = torch.rand(6, 64)
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
