"""Rows of the phasor benchmark on the emulated board of resonators, through serial port and VISA, tile by tile."""

import tempfile
from pathlib import Path

import numpy as np
import torch
from benchmarks._rows import Row
from numpy.typing import NDArray

from jackfield.bench import Bench
from jackfield.board import CalibrationRecord
from jackfield.compile import compile_phasors
from jackfield.data import Split
from jackfield.device import AbstractBoard
from jackfield.evaluate import play_phasors
from jackfield.journal import Run
from jackfield.model import PhasorNet
from jackfield.session import open_bench
from jackfield_calibration import calibrate

__all__ = ["answers_of", "board_figures", "board_rows", "rows_of"]

_Real = NDArray[np.float64]
# Rung: least share of the ideal accuracy, least share of the same answers. By spikes 1.5 points are allowed.
_BARS = {"raw": (0.0, 0.0), "per neuron": (0.99, 0.98), "gain matrix": (0.997, 0.995), "by spikes": (0.985, 0.0)}
_LEVELS = {"raw": None, "per neuron": "nodes", "gain matrix": "cells"}
_HEADROOM_IMAGES = 2_000


def board_rows(network: PhasorNet, data: Split, images: int, seeds: tuple[int, ...]) -> list[Row]:
    """Means over boards of profile cmos (3 % frequency, 5 % Q, 5 % gain, 5 degrees)."""
    return rows_of([board_figures(network, data, images, seed) for seed in seeds], images)


def rows_of(boards: list[dict[str, tuple[float, float]]], images: int) -> list[Row]:
    """Rows of the figures of several boards: both bars of each rung."""
    rows = list[Row]()
    work = f"{images} images, {len(boards)} boards"
    for rung, bars in _BARS.items():
        names = "accuracy over ideal", "same answers"
        for number, (name, bar) in enumerate(zip(names, bars, strict=True)):
            each = [board[rung][number] for board in boards]
            share = float(np.mean(each))
            rows.append(
                {
                    "name": "spike_detuned" if rung == "by spikes" else "cw_calibrated",
                    "workload": f"{work}, {rung}",
                    "against": f"atemporal: {name}",
                    "ours": share,
                    "theirs": None,
                    "unit": "share",
                    "ratio": None,
                    "error": float(np.std(each)),
                    "asked": f">= {bar:g}" if bar else "-",
                    "holds": share >= bar,
                }
            )
    return rows


def board_figures(network: PhasorNet, data: Split, images: int, seed: int) -> dict[str, tuple[float, float]]:
    """Of one board, by rung: accuracy over that of the atemporal network, and how many answers are the same."""
    x, y = torch.from_numpy(data.x_test[:images]), data.y_test[:images]
    with torch.no_grad():
        phases, ideal = network.encoder(x).double().numpy(), answers_of(network(x).double().numpy())
        usual = network.encoder(torch.from_numpy(data.x_train[:_HEADROOM_IMAGES])).double().numpy()
    found = {}
    with open_bench(f"emulator://jf-osc64?profile=cmos&seed={seed}") as bench:

        def play(record: CalibrationRecord | None, spikes: bool = False) -> tuple[float, float]:
            tiles = compile_phasors(network, bench.spec, usual, record, spikes=spikes)
            answers = answers_of(play_phasors(bench, network, tiles, phases))
            return float((answers == y).sum() / (ideal == y).sum()), float((answers == ideal).mean())

        record = None
        for rung, level in _LEVELS.items():
            record = None if level is None else _calibrated(bench, level, seed)
            found[rung] = play(record)
        found["by spikes"] = play(record, spikes=True)
    return found


def answers_of(phases: _Real) -> NDArray[np.int64]:
    """Classes [example] of output phases [example, class]: the one nearest to a quarter period."""
    return np.asarray(np.nan_to_num(np.sin(np.pi * phases), nan=-2.0).argmax(axis=1))


def _calibrated(bench: Bench[AbstractBoard], level: str, seed: int) -> CalibrationRecord:
    name = bench.board.hello.board_id
    with tempfile.TemporaryDirectory() as folder, Run.create(Path(folder), "calibrate", name) as run:
        return calibrate(bench, bench.spec, run, seed=seed, level=level, provenance={"board_id": name})
