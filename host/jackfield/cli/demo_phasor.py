"""`jackfield demo --model phasor`: a phasor network in time, and on a board of resonators, raw to calibrated."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from jackfield import __version__
from jackfield.bench import Bench
from jackfield.board import CalibrationRecord
from jackfield.cli.live import live_view
from jackfield.cli.output import Output
from jackfield.compile import compile_phasors
from jackfield.data import Split
from jackfield.device import AbstractBoard
from jackfield.evaluate import Rung, ladder, play_phasors, score
from jackfield.journal import Run, save_record
from jackfield.model import (
    PhasorNet,
    PhasorRecipe,
    neurons_alike,
    phasor_matrices,
    run_spikes,
    spike_trains,
    train_phasor,
)
from jackfield.report import PhasorContent, Raster, Scatter
from jackfield_calibration import calibrate

__all__ = ["BOARD", "PhasorDemo", "network_name", "phasor_content", "run_phasors", "trained_phasors"]

BOARD = "jf-osc64"
HIDDEN, CLASSES = 60, 10
RECIPE = PhasorRecipe(epochs=25, batch=64, rate=1e-2, loss="cross_entropy", decay=0.1)
DECAY = -0.2  # a period; Q 16
PERIODS = 10.0
QUICK_INPUTS = 96
# What is calibrated before each way to run on the board; by spikes with the record of the way before.
BOARD_RUNGS = {"board_raw": None, "board_per_neuron": "nodes", "board_calibrated": "cells", "board_by_spikes": None}
SHOWN_PERIODS = 5.0

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PhasorDemo:
    """Everything that the demo prints and shows; phases in units of pi, by rung."""

    board_id: str
    rungs: tuple[Rung, ...]
    phases: dict[str, Floats]
    record: CalibrationRecord
    raster: Raster

    def away(self, rung: str) -> float:
        """Rms distance of a rung's output phases from those without time, in units of pi."""
        distance = (self.phases[rung] - self.phases["float"] + 1) % 2 - 1
        return float(np.sqrt(np.nanmean(distance**2)))


def trained_phasors(data: Split, output: Output) -> PhasorNet:
    """A small network for the 8x8 digits, trained without time."""
    network = PhasorNet((HIDDEN, CLASSES), inputs=data.inputs)
    with output.progress("training") as advance:
        history = train_phasor(network, data, RECIPE, progress=lambda epoch: advance(epoch.number, epoch.count))
    output.say(f"trained without time: {history[-1].validation} of held-out digits")
    return network


def network_name(network: PhasorNet) -> str:
    """Inputs and neurons of each layer, as 64-60-10."""
    matrices = phasor_matrices(network)
    return "-".join(str(size) for size in (matrices[0].shape[1] - 1, *(len(weights) for weights in matrices)))


def run_phasors(
    bench: Bench[AbstractBoard], network: PhasorNet, data: Split, run: Run, *, seed: int, quick: bool, output: Output
) -> PhasorDemo:
    """Without time, in time, and four times on the board on `bench`; the record is kept in the run folder."""
    count = QUICK_INPUTS if quick else len(data.x_test)
    x, labels = torch.from_numpy(data.x_test[:count]), data.y_test[:count]
    with torch.no_grad():
        encoded, wanted = network.encoder(x).double().numpy(), network(x).double().numpy()
        usual = network.encoder(torch.from_numpy(data.x_train)).double().numpy()
    cells = neurons_alike(network, DECAY)
    phases = {"float": wanted, "in_time": run_spikes(network, encoded, cells, periods=PERIODS)}
    record: CalibrationRecord | None = None
    for rung, level in BOARD_RUNGS.items():
        if level is not None:
            record = _calibrated(bench, run, level, seed, output)
        tiles = compile_phasors(network, bench.spec, usual, record, spikes=rung == "board_by_spikes")
        with output.progress(f"running {rung.removeprefix('board_').replace('_', ' ')}") as advance:
            phases[rung] = play_phasors(bench, network, tiles, encoded, advance)
    assert record is not None
    save_record(record, run.folder / "board.record")
    scores = {rung: np.nan_to_num(np.sin(np.pi * found), nan=-2.0) for rung, found in phases.items()}
    rungs = ladder([score(rung, found, labels) for rung, found in scores.items()])
    raster = _raster(network, encoded[:1], int(scores["in_time"][0].argmax()))
    return PhasorDemo(bench.board.hello.board_id, rungs, phases, record, raster)


def phasor_content(result: PhasorDemo, facts: dict[str, str]) -> PhasorContent:
    """What the page shows; the same results give the same page."""
    wanted, tables = result.phases["float"], result.record.tables
    names = {
        "in_time": "by spikes",
        "board_raw": "board, raw",
        "board_per_neuron": "board, neurons calibrated",
        "board_calibrated": "board, gain matrix, too",
        "board_by_spikes": "board, by spikes",
    }
    more = {
        "calibration": f"{result.record.provenance['reads']} reads, "
        f"{result.record.provenance['reads_per_parameter']:.1f} a cell",
        "phases away from those without time, rms": "; ".join(
            f"{name} {result.away(rung):.4f} pi" for rung, name in names.items()
        ),
    }
    return PhasorContent(
        title="Handwritten digits by the phases of resonators",
        facts=facts | more,
        rungs=tuple((rung.rung, rung.accuracy, rung.interval, rung.n) for rung in result.rungs),
        raster=result.raster,
        scatters=tuple(Scatter(name, wanted, result.phases[rung]) for rung, name in names.items()),
        detuning=tables["detuning"].value,
        quality_ratio=tables["quality_ratio"].value,
    )


def _raster(network: PhasorNet, encoded: Floats, answer: int) -> Raster:
    trains = spike_trains(network, encoded, neurons_alike(network, DECAY), periods=SHOWN_PERIODS)
    names = ("input", *(f"layer {number}" for number in range(1, len(trains))))
    layers = tuple((name, train[0]) for name, train in zip(names, trains, strict=True))
    return Raster(layers, tuple(number / 4 for number in range(len(trains))), SHOWN_PERIODS, answer)


def _calibrated(bench: Bench[AbstractBoard], run: Run, level: str, seed: int, output: Output) -> CalibrationRecord:
    hello = bench.board.hello
    provenance = {
        "board_id": hello.board_id,
        "started_utc": run.details["started_utc"],
        "firmware": hello.firmware,
        "instruments": "; ".join(bench.identities),
        "software": f"jackfield {__version__}",
    }
    with live_view(output, "calibrating") as view:
        record = calibrate(bench, bench.spec, run, seed=seed, level=level, provenance=provenance, observer=view)
    output.say(f"calibrated with {record.provenance['reads']} reads")
    return record
