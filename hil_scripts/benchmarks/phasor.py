"""Phasor networks on MNIST: trained without time, run in time. MNIST is read from JACKFIELD_MNIST.

Speeds are processor time of one thread. The published figures are those of Olin-Ammentorp and Bazhenov's code.
"""

import dataclasses
import os
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import torch
from benchmarks._phasor_board import answers_of, board_rows
from benchmarks._phasor_circuit import identity_row, spice_rows
from benchmarks._phasor_detuned import detuned_rows
from benchmarks._phasor_heun import heun_spikes
from benchmarks._rows import Parts, Row
from numpy.typing import NDArray

from jackfield.data import Split, mnist_split
from jackfield.errors import DesignError
from jackfield.model import (
    PHASOR_BEST,
    PHASOR_PUBLISHED,
    PHASOR_TWO_EPOCHS,
    PhasorNet,
    PhasorRecipe,
    neurons_alike,
    run_spikes,
    train_phasor,
)
from jackfield.physics import PhaseEncoding, SpikeRule, exact_spikes, periodic_spikes

__all__ = ["parts"]

_Real = NDArray[np.float64]
_GRID = (28, 28)
_RULE = SpikeRule()


def parts(quick: bool) -> Parts:
    """Quick: fewer images and epochs, so that the accuracy of the best recipe does not hold."""
    torch.set_num_threads(1)

    @cache
    def published() -> float:
        return _trained(_mnist(), PHASOR_PUBLISHED)[0]

    @cache
    def best() -> tuple[float, PhasorNet]:
        return _trained(_mnist(), dataclasses.replace(PHASOR_BEST, epochs=3) if quick else PHASOR_BEST)

    def phases(count: int) -> _Real:
        with torch.no_grad():
            return best()[1].encoder(torch.from_numpy(_mnist().x_test[:count])).double().numpy()

    def two_epochs() -> list[Row]:
        ours = _trained(_mnist(), PHASOR_TWO_EPOCHS)[0]
        return [
            _share("atemporal_2_epochs", "published recipe", published(), 0.935, 0.9486),
            _share("atemporal_2_epochs", "ours", ours, 0.949, published()),
        ]

    images, count = (500, 64) if quick else (10_000, 625)
    return {
        "circuit": lambda: [*spice_rows(), identity_row()],
        "two_epochs": two_epochs,
        "best": lambda: [_share("atemporal_best", "784-100-10", best()[0], 0.975, published())],
        "temporal": lambda: _temporal(best()[1], _mnist(), phases(images)),
        "speed": lambda: _speed(best()[1], phases(200 if quick else 1_000)),
        "exact": lambda: _against_exact(best()[1], phases(20 if quick else 200)),
        "detuned": lambda: detuned_rows(best()[1], _mnist(), 200 if quick else 2_000),
        "board": lambda: board_rows(best()[1], _mnist(), count, (1,) if quick else (1, 2, 3)),
    }


@cache
def _mnist() -> Split:
    folder = os.environ.get("JACKFIELD_MNIST")
    if not folder:
        raise DesignError("these rows are about MNIST; set JACKFIELD_MNIST to the folder of its IDX files")
    images, labels = (sorted(Path(folder).glob(f"train-{kind}*"))[0] for kind in ("images", "labels"))
    return mnist_split(images, labels)


def _trained(data: Split, recipe: PhasorRecipe) -> tuple[float, PhasorNet]:
    network = PhasorNet((100, 10), inputs=784)
    return train_phasor(network, data, recipe, grid=_GRID)[-1].validation.share, network


def _row(
    name: str, workload: str, against: str, figures: tuple[float, float | None], unit: str, asked: str, holds: bool
) -> Row:
    ours, theirs = figures
    return {
        "name": name,
        "workload": workload,
        "against": against,
        "ours": ours,
        "theirs": theirs,
        "unit": unit,
        "ratio": ours / theirs if theirs else None,
        "error": None,
        "asked": asked,
        "holds": holds,
    }


def _share(name: str, workload: str, ours: float, bar: float, published: float) -> Row:
    return _row(name, workload, "published", (ours, published), "share right", f">= {bar:g}", ours >= bar)


def _temporal(network: PhasorNet, data: Split, phases: _Real) -> list[Row]:
    rows, y = [], data.y_test[: len(phases)]
    with torch.no_grad():
        without = network(torch.from_numpy(data.x_test[: len(phases)])).double().numpy()
    for decay, periods, gap_bar, error_bar in ((-0.2, 10.0, 0.003, 0.025), (-0.1, 20.0, 0.0015, 0.012)):
        spikes = run_spikes(network, phases, neurons_alike(network, decay), periods=periods)
        answers, asked = answers_of(spikes), answers_of(without)
        gap, same = float((asked == y).mean() - (answers == y).mean()), float((answers == asked).mean())
        error = float(np.sqrt(np.nanmean(_wrapped(spikes - without) ** 2)))
        work = f"decay {decay:g}, {periods:g} cycles, {len(y)} images"
        rows.append(_row("temporal", work, "atemporal: gap", (gap, 0.0042), "share", f"<= {gap_bar:g}", gap <= gap_bar))
        rows.append(_row("temporal", work, "same answer", (same, None), "share", ">= 0.99", same >= 0.99))
        rows.append(_row("temporal", work, "rms phase", (error, 0.040), "pi", f"<= {error_bar:g}", error <= error_bar))
    return rows


def _speed(network: PhasorNet, phases: _Real) -> list[Row]:
    cells = neurons_alike(network, -0.2)
    run_spikes(network, phases[:2], cells)
    ours = len(phases) / min(_seconds(lambda: run_spikes(network, phases, cells)) for _ in range(3))
    few = phases[:50]
    coarse = len(few) / _seconds(lambda: _heun(network, few, 0.02))
    equal = len(few) / _seconds(lambda: _heun(network, few, 0.004))
    work = f"{len(phases)} images, 10 cycles, processor time"
    return [
        _row("images_per_s", work, "asked", (ours, 1_500.0), "1/s", ">= 1500", ours >= 1_500),
        _row("images_per_s", work, "heun 0.02 T", (ours, coarse), "1/s", "ratio >= 10", ours >= 10 * coarse),
        _row("images_per_s", work, "heun 0.004 T", (ours, equal), "1/s", "ratio >= 50", ours >= 50 * equal),
    ]


def _heun(network: PhasorNet, phases: _Real, dt: float) -> _Real:
    trains, k = PhaseEncoding().train(phases, 10.0), complex(-0.2, 2 * np.pi)
    for depth, layer in enumerate(network.layers):
        bias = PhaseEncoding(depth / 4).train(np.zeros((len(phases), 1)), 10.0)
        slots = max(trains.shape[2], bias.shape[2])
        fed = np.full((len(phases), trains.shape[1] + 1, slots), np.nan)
        fed[:, :-1, : trains.shape[2]], fed[:, -1:, : bias.shape[2]] = trains, bias
        trains = heun_spikes(fed, layer.matrix().double().numpy(), k, 10.0, dt, _RULE.half_width)
    return trains


def _against_exact(network: PhasorNet, phases: _Real) -> list[Row]:
    cells = neurons_alike(network, -0.2)
    sources = np.concatenate([phases, np.zeros((len(phases), 1))], axis=1)
    weights = network.layers[0].matrix().double().numpy()
    exact = exact_spikes(PhaseEncoding().train(sources, 10.0), weights, cells[0], 10.0, _RULE)
    hidden = _rms(_last(periodic_spikes(sources, weights, cells[0], 10.0, _RULE)) - _last(exact))
    outputs = run_spikes(network, phases, cells) - run_spikes(network, phases, cells, exact=True)
    output = _rms(_wrapped(outputs) / 2)
    work = f"{len(phases)} images, rms"
    return [
        _row("fast_against_exact", work, "hidden", (hidden, None), "T", "<= 0.0005", hidden <= 5e-4),
        _row("fast_against_exact", work, "output", (output, None), "T", "<= 0.003", output <= 3e-3),
    ]


def _last(spikes: _Real) -> _Real:
    last = np.where((spikes >= 8.25) & (spikes < 9.25), spikes, -np.inf).max(axis=2)
    return np.where(np.isfinite(last), last, np.nan)


def _rms(periods: _Real) -> float:
    return float(np.sqrt(np.nanmean(((periods + 0.5) % 1 - 0.5) ** 2)))


def _wrapped(difference: _Real) -> _Real:
    return np.asarray((difference + 1) % 2 - 1)


def _seconds(job: Callable[[], object]) -> float:
    begin = time.process_time()
    job()
    return time.process_time() - begin
