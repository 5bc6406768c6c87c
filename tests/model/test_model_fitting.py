"""Fitting voltages: a dynamical system from its trajectories, on a board of lanes."""

import pytest
import torch

from jackfield.compile import compile_circuit, twin
from jackfield.errors import DesignError
from jackfield.model import Architecture, Bounds, FitRecipe, KirchhoffNet, Listed, fit
from jackfield.session import load_spec

WELLS = Architecture(Listed(2, "1-0:3 2-0:3 1-2"), inputs=2, outputs=2, slices=1, law="polynomial", steps=8)


@pytest.fixture(scope="module")
def fitted() -> tuple[KirchhoffNet, torch.Tensor, torch.Tensor, float]:
    """Two coupled double wells, v' = v - v^3, seen at four times, and what was learned of them."""
    wells = KirchhoffNet(WELLS)
    with torch.no_grad():
        wells.values["g1"].copy_(torch.tensor([[-1.0, -1.0, 0.4]]))
        wells.values["g3"].copy_(torch.tensor([[1.0, 1.0, 0.0]]))
        x = 2 * torch.rand(64, 2, generator=torch.Generator().manual_seed(0)) - 1
        seen = wells.states(x, snapshots=4)
    spec = load_spec("lucidac-2024")
    learner = KirchhoffNet(WELLS, bounds=Bounds.from_spec(spec, 0.8, 300e-6, "polynomial"), seed=3)
    return learner, x, seen, fit(learner, x, seen, FitRecipe(epochs=250)).rms


def test_the_system_is_found_from_its_trajectories(
    fitted: tuple[KirchhoffNet, torch.Tensor, torch.Tensor, float],
) -> None:
    learner, _, _, rms = fitted
    assert rms < 5e-3
    assert learner.values["g1"][0].tolist() == pytest.approx([-1.0, -1.0, 0.4], abs=0.05)
    assert learner.values["g3"][0].tolist() == pytest.approx([1.0, 1.0, 0.0], abs=0.05)


def test_what_was_fitted_fits_the_board(fitted: tuple[KirchhoffNet, torch.Tensor, torch.Tensor, float]) -> None:
    learner, x, seen, _ = fitted
    assert learner.bounds is not None
    spec = load_spec("lucidac-2024")
    compiled = compile_circuit(learner.circuit(), spec, volts_per_unit=learner.bounds.volts_per_unit)
    volts, _ = twin(compiled, spec).predict(x[:8].double().numpy())
    assert abs(volts / learner.bounds.volts_per_unit - seen[-1, :8].numpy()).max() < 2e-2


def test_shapes_that_do_not_fit_are_refused() -> None:
    network = KirchhoffNet(WELLS)
    with pytest.raises(DesignError, match=r"wanted has shape \(3, 4, 2\)"):
        fit(network, torch.zeros(4, 2), torch.zeros(3, 4, 2))
    with pytest.raises(DesignError, match="both must be above zero"):
        FitRecipe(epochs=0)
