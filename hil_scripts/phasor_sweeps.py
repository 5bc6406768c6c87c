"""How a phasor network stands what boards do to it: `python hil_scripts/phasor_sweeps.py [FOLDER] [--data IMAGES]`.

Weights of 8, 6, 5 and 4 bits, Q from 6 to 160, jitter of the spikes, detuning (raw, each neuron's spikes delayed by
what calibration says, each resonator tuned by the board's trim DAC): sweeps.png and sweeps.csv in FOLDER (here
without one), run in time by spikes. --data is a folder with the two training files of MNIST or FashionMNIST, or with
CIFAR-10's binary batches; without it the packaged digits are asked. --json prints the table as one JSON object.
"""

import argparse
import copy
import csv
import json
import math
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from jackfield.data import Split, cifar10_split, digits_split, find_cifar10, find_mnist, mnist_split
from jackfield.model import (
    PHASOR_BEST,
    PhasorNet,
    PhasorRecipe,
    neurons_alike,
    phasor_matrices,
    round_phasor_weights,
    run_spikes,
    spike_turns,
    train_phasor,
)
from jackfield.physics import Resonators
from jackfield.report import Sensitivity, sensitivity_picture
from jackfield.session import load_spec

QUALITY, CYCLES = math.pi / 0.2, 10
BITS, QUALITIES = (8, 6, 5, 4), (6, 10, 16, 30, 60, 100, 160)
JITTERS, DETUNINGS = (0.0, 0.005, 0.01, 0.02, 0.04), (0.0, 0.005, 0.01, 0.02, 0.03, 0.05)
DIGITS = PhasorRecipe(epochs=25, batch=64, rate=1e-2, loss="cross_entropy", decay=0.1)
KNOWN = 200  # calibration images
Floats = NDArray[np.float64]


class Asked:
    """A trained network and the held-out images it is asked."""

    def __init__(self, network: PhasorNet, data: Split, images: int) -> None:
        x, self.labels = torch.from_numpy(data.x_test[:images]), data.y_test[:images]
        with torch.no_grad():
            self.phases = network.encoder(x).double().numpy()
            self.known = network.encoder(torch.from_numpy(data.x_train[:KNOWN])).double().numpy()
            self.ideal = self.right(network(x).double().numpy())
        self.network = network

    def right(self, phases: Floats) -> float:
        """Share answered rightly."""
        answers = np.nan_to_num(np.sin(np.pi * phases), nan=-2.0).argmax(axis=1)
        return float((answers == self.labels).mean())

    def sweeps(self) -> Iterator[tuple[str, str, float, float]]:
        """Panel, line, value on the axis, share answered rightly."""
        alike = neurons_alike(self.network, -math.pi / QUALITY)
        for bits in BITS:
            rounded = copy.deepcopy(self.network)
            round_phasor_weights(rounded, bits)
            yield "weights (bits)", "raw", bits, self.right(run_spikes(rounded, self.phases, alike, periods=CYCLES))
        for quality in QUALITIES:
            cells = neurons_alike(self.network, -math.pi / quality)
            for line, cycles in (("10 cycles", CYCLES), ("as many as settle", settled(quality))):
                yield "Q", line, quality, self.right(run_spikes(self.network, self.phases, cells, periods=cycles))
        for jitter in JITTERS:
            answers = run_spikes(self.network, self.phases, alike, periods=CYCLES, jitter=jitter)
            yield "jitter of spikes (T)", "raw", jitter, self.right(answers)
        for detuning in DETUNINGS:
            yield from self._detuned(detuning)

    def _detuned(self, detuning: float) -> Iterator[tuple[str, str, float, float]]:
        random, step = np.random.default_rng(0), load_spec("jf-osc64").nodes.trim.lsb
        off = [detuning * random.standard_normal(len(weights)) for weights in phasor_matrices(self.network)]
        left = [part - step * np.rint(part / step) for part in off]
        for line, parts in (("raw", off), ("spikes delayed", off), ("resonators trimmed", left)):
            cells = [Resonators.drawn(-math.pi / QUALITY, part, 0 * part) for part in parts]
            turns = None if line == "raw" else spike_turns(self.network, self.known, cells, periods=CYCLES)
            answers = run_spikes(self.network, self.phases, cells, periods=CYCLES, turns=turns)
            yield "detuning (standard deviation)", line, detuning, self.right(answers)


def settled(quality: float) -> int:
    """Cycles after which as much of the start is left as after 10 of them at Q 16."""
    return max(CYCLES, math.ceil(CYCLES * quality / QUALITY))


def trained(data: Path | None) -> tuple[PhasorNet, Split]:
    """64-60-10 on the packaged digits, else a hidden layer of 100; colours are inputs like all others."""
    if data is None:
        split, network = digits_split(), PhasorNet((60, 10), inputs=64)
        train_phasor(network, split, DIGITS)
        return network, split
    colours = any(data.glob("data_batch_*.bin"))
    split = cifar10_split(find_cifar10(data)) if colours else mnist_split(*find_mnist(data))
    network = PhasorNet((100, split.classes), inputs=split.inputs)
    recipe = replace(PHASOR_BEST, shift_px=0) if colours else PHASOR_BEST
    train_phasor(network, split, recipe, grid=None if colours else (28, 28))
    return network, split


def main() -> None:
    """Train, sweep, write, print."""
    parser = argparse.ArgumentParser(description="Sweeps of a phasor network, as one figure and one table.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path())
    parser.add_argument("--data", type=Path, help="folder with MNIST's, FashionMNIST's or CIFAR-10's training files")
    parser.add_argument("--images", type=int, default=500, help="held-out images asked (500)")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    wanted = parser.parse_args()
    torch.set_num_threads(1)
    asked = Asked(*trained(wanted.data), wanted.images)
    rows = list(asked.sweeps())
    wanted.folder.mkdir(parents=True, exist_ok=True)
    write(wanted.folder, rows, asked.ideal)
    say(wanted.json, rows, asked.ideal)


def write(folder: Path, rows: list[tuple[str, str, float, float]], ideal: float) -> None:
    """The figure and the table."""
    with (folder / "sweeps.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["axis", "line", "value", "share_right"])
        writer.writerows(rows)
    (folder / "sweeps.png").write_bytes(sensitivity_picture(Sensitivity(tuple(rows), ideal)))


def say(as_json: bool, rows: list[tuple[str, str, float, float]], ideal: float) -> None:
    """The table on stdout."""
    if as_json:
        names = ("axis", "line", "value", "share_right")
        told: dict[str, Any] = {"atemporal": ideal, "rows": [dict(zip(names, row, strict=True)) for row in rows]}
        sys.stdout.write(json.dumps(told) + "\n")
        return
    sys.stdout.write(f"without time {100 * ideal:.1f} %\n")
    for axis, line, value, right in rows:
        sys.stdout.write(f"{axis:32} {line:20} {value:8g} {100 * right:6.1f} %\n")


if __name__ == "__main__":
    main()
