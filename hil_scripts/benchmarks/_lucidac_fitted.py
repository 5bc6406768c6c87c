"""A function and a dynamical system, fitted within the board's ranges and codes, on LUCIDAC."""

from dataclasses import replace

import numpy as np
import torch

from jackfield.bench import Bench
from jackfield.compile import compile_circuit
from jackfield.data import trajectories
from jackfield.device import AbstractBoard
from jackfield.model import Bounds, FitPlan, KirchhoffNet, fit, fit_error

__all__ = ["fitted_errors"]


def fitted_errors(name: str, bench: Bench[AbstractBoard], epochs: int, count: int) -> tuple[float, float]:
    """Rms errors on `count` held-out examples at the end of the run, machine units: on the board, by the model."""
    plan, data = FitPlan.packaged(name), trajectories(name)
    recipe = plan.recipe
    bounds = Bounds.from_spec(bench.spec, recipe.volts_per_unit, recipe.seconds_per_unit, plan.architecture.law)
    network = KirchhoffNet(plan.architecture, bounds=bounds, seed=0)
    fit(network, torch.from_numpy(data.x_train), torch.from_numpy(data.wanted_train), replace(recipe, epochs=epochs))
    assert network.bounds is not None
    volts = network.bounds.volts_per_unit
    compiled = compile_circuit(network.circuit(), bench.spec, volts_per_unit=volts)
    x, wanted = data.x_test[:count], data.wanted_test[-1:, :count]
    bench.board.apply(compiled.image)
    read = bench.measure(compiled.input_codes(x.astype(np.float64)), replace(compiled.program, count=count))
    order = [read.nodes.index(node) for node in compiled.outputs]
    measured = float(np.sqrt(np.mean((read.values_V[:, order] / volts - wanted[0]) ** 2)))
    return measured, fit_error(network, torch.from_numpy(x), torch.from_numpy(wanted))
