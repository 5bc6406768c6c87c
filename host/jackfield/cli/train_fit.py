"""`jackfield train` for functions and dynamical systems: voltages fitted to numbers, in a board's ranges and codes."""

from dataclasses import asdict, replace
from pathlib import Path

import torch

from jackfield.cli.output import Output
from jackfield.compile import check_fit
from jackfield.data import trajectories
from jackfield.model import Bounds, Checkpoint, FitFacts, FitPlan, KirchhoffNet, fit, fit_error, save_checkpoint
from jackfield.session import load_spec

__all__ = ["train_voltages"]


def train_voltages(
    name: str, board: str, plan: FitPlan, epochs: int | None, seed: int, model: Path, output: Output
) -> None:
    """Fit the network of `plan` to the function or system `name`; write the folder `model`, say how far it is off.

    Raises DesignError where the network does not fit the board, before any training.
    """
    recipe = plan.recipe if epochs is None else replace(plan.recipe, epochs=epochs)
    spec, data = load_spec(board or plan.board), trajectories(name)
    x, wanted = torch.from_numpy(data.x_train), torch.from_numpy(data.wanted_train)
    bounds = Bounds.from_spec(spec, recipe.volts_per_unit, recipe.seconds_per_unit, plan.architecture.law)
    network = KirchhoffNet(plan.architecture, bounds=bounds, seed=seed)
    check_fit(network.circuit(), spec)
    with output.progress("training") as advance:
        found = fit(network, x, wanted, recipe, advance=advance)
    held_out = fit_error(network, torch.from_numpy(data.x_test), torch.from_numpy(data.wanted_test))
    facts = FitFacts(data.name, seed, found.largest_v, found.rms, held_out)
    save_checkpoint(Checkpoint(network, recipe, facts), model)
    output.say(f"rms error with the board's codes: training {found.rms:.4f}, held out {held_out:.4f}; {model}")
    output.result({"model": model, "board": spec.name, "epochs": recipe.epochs} | asdict(facts))
