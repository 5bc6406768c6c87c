"""Trained networks: the packaged MNIST network inside its rails, the pace of its training, the density of two moons.

MNIST's two training files are looked for where JACKFIELD_MNIST says; without them its rows have no figure.
"""

import dataclasses
import os
import time
from itertools import pairwise

import torch
from benchmarks._rows import Parts, Row

from jackfield.cli.models import MNIST_FOLDER, mnist_at
from jackfield.data import Split, density_points
from jackfield.model import (
    DensityPlan,
    KirchhoffDensity,
    KirchhoffNet,
    Likelihood,
    Recipe,
    load_checkpoint,
    measure_accuracy,
    measure_largest_v,
    measure_likelihood,
    packaged_model,
    packaged_plan,
    train,
    train_density,
)

__all__ = ["parts"]

ACCURACY, LARGEST_V, MEGABYTES, EPOCH_S, MOONS_NATS = 0.991, 1.5, 2.0, 150.0, 1.0106
PUBLISHED_ACCURACY, PUBLISHED_EPOCH_S = 0.9942, 4.76 * 60
LOOKS = 8  # times a slice at which voltages are looked at, and steps of the answer
TIMED_BATCHES = 20


def parts(quick: bool) -> Parts:
    """`quick` takes 500 images, a few batches and a short training of the density."""
    data = mnist_at(None) if os.environ.get(MNIST_FOLDER) else None
    return {
        "packaged": lambda: _packaged(data, quick),
        "pace": lambda: [_pace(data, quick)],
        "two_moons": lambda: _two_moons(quick),
    }


def _row(name: str, workload: str, ours: float | None, theirs: float | None, unit: str, asked: float, low: bool) -> Row:
    missing = ours is None
    value = float("nan") if ours is None else ours
    return {
        "name": name,
        "workload": workload,
        "against": "published" if theirs is not None else "bar",
        "ours": value,
        "theirs": theirs,
        "unit": unit,
        "ratio": None if missing or theirs is None else (theirs / value if low else value / theirs),
        "error": None,
        "asked": f"{'at most' if low else 'at least'} {asked:g}",
        "holds": not missing and (value <= asked if low else value >= asked),
    }


def _packaged(data: Split | None, quick: bool) -> list[Row]:
    """The packaged network with 8-bit parameters, rails on, on the held-back images."""
    folder = packaged_model("mnist")
    accuracy = largest_v = size = None
    if folder is not None:
        size = sum(file.stat().st_size for file in folder.iterdir()) / 1e6
    if folder is not None and data is not None:
        network, count = load_checkpoint(folder).network, 500 if quick else len(data.x_test)
        x, y = torch.from_numpy(data.x_test[:count]), torch.from_numpy(data.y_test[:count])
        fine = _with_steps(network, LOOKS)
        accuracy = measure_accuracy(fine, x, y, quantised=True, rails=True).share
        largest_v = measure_largest_v(fine, x, quantised=True)
    workload = "834 nodes, 2 x 230,068 edges, 8-bit, rails"
    return [
        _row("mnist_accuracy", workload, accuracy, PUBLISHED_ACCURACY, "share", ACCURACY, low=False),
        _row("mnist_largest_v", workload, largest_v, None, "input full scales", LARGEST_V, low=True),
        _row("mnist_checkpoint", "model folder", size, None, "MB", MEGABYTES, low=True),
    ]


def _with_steps(network: KirchhoffNet, steps: int) -> KirchhoffNet:
    """The same network, integrated in `steps` steps a slice."""
    finer = KirchhoffNet(dataclasses.replace(network.architecture, steps=steps), bounds=network.bounds)
    finer.load_state_dict(network.state_dict())
    return finer


def _pace(data: Split | None, quick: bool) -> Row:
    """An epoch's time, from the batches of a short training, coarse and fine ones in the recipe's shares."""
    seconds = None
    if data is not None:
        plan = packaged_plan("mnist")
        recipe = dataclasses.replace(plan.recipe, epochs=1, validation_share=0.5)
        batches = 2 if quick else TIMED_BATCHES
        few = dataclasses.replace(
            data,
            x_train=data.x_train[: 2 * recipe.batch * batches],
            y_train=data.y_train[: 2 * recipe.batch * batches],
            x_test=data.x_test[:1],
            y_test=data.y_test[:1],
        )
        each = [_a_batch(few, dataclasses.replace(recipe, coarse_until=float(coarse))) for coarse in (False, True)]
        share = min(plan.recipe.coarse_until, 1.0)
        seconds = len(data.x_train) / recipe.batch * (share * each[1] + (1 - share) * each[0])
    workload = "50,000 images, batch 128, forward, backward and step"
    return _row("mnist_epoch", workload, seconds, PUBLISHED_EPOCH_S, "s", EPOCH_S, low=True)


def _a_batch(data: Split, recipe: Recipe) -> float:
    """Median seconds a batch, the first not counted."""
    plan = packaged_plan("mnist")
    network = KirchhoffNet(plan.architecture)
    times = [time.perf_counter()]

    def mark(_done: int, _total: int) -> None:
        times.append(time.perf_counter())

    train(network, data, dataclasses.replace(recipe, as_codes=False), advance=mark)
    spans = sorted(after - before for before, after in pairwise(times[1:]))
    return spans[len(spans) // 2]


def _two_moons(quick: bool) -> list[Row]:
    plan = DensityPlan.packaged()
    recipe = dataclasses.replace(plan.recipe, descents=10, points=400) if quick else plan.recipe
    points = torch.from_numpy(density_points("two_moons", recipe.points, 0))
    held_out = torch.from_numpy(density_points("two_moons", 400 if quick else recipe.held_out, 1))
    density = KirchhoffDensity(plan.architecture)
    train_density(density, points, recipe, name="two_moons")
    train_nats, held_nats = (measure_likelihood(density, part) for part in (points, held_out))
    workload = f"{len(points)} points, noise 0.1"
    rows = _row("two_moons_train", workload, train_nats.nats, MOONS_NATS, "nats", MOONS_NATS, low=True)
    return [rows, _held_out_row(held_nats)]


def _held_out_row(held: Likelihood) -> Row:
    """Printed beside the bar, none of its own."""
    row = _row("two_moons_held_out", f"{held.n} fresh points", held.nats, None, "nats", float("inf"), low=True)
    return {**row, "error": held.half_width, "asked": "printed"}
