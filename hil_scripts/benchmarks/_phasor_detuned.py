"""Row of the phasor benchmark about resonators off the reference's frequency, in spike mode."""

import numpy as np
import torch
from benchmarks._phasor_board import answers_of
from benchmarks._rows import Row

from jackfield.data import Split
from jackfield.model import PhasorNet, phasor_matrices, run_spikes, spike_turns
from jackfield.physics import Resonators
from jackfield.session import load_spec

__all__ = ["detuned_rows"]

_DETUNING, _DECAY, _BAR = 0.03, -0.2, 0.015
_DRAWS, _CALIBRATION_IMAGES = 5, 300


def detuned_rows(network: PhasorNet, data: Split, images: int) -> list[Row]:
    """Mean gap to the atemporal accuracy over several draws: raw; each neuron's spikes delayed by what calibration
    images say; each resonator tuned by the board's trim DAC, half a step of which is left, and delayed."""
    x, y = torch.from_numpy(data.x_test[:images]), data.y_test[:images]
    with torch.no_grad():
        phases, ideal = network.encoder(x).double().numpy(), answers_of(network(x).double().numpy())
        known = network.encoder(torch.from_numpy(data.x_train[:_CALIBRATION_IMAGES])).double().numpy()
    step = load_spec("jf-osc64").nodes.trim.lsb
    gaps: dict[str, list[float]] = {"raw": [], "delays": [], "trims and delays": []}
    for seed in range(_DRAWS):
        rng = np.random.default_rng(seed)
        detuning = [_DETUNING * rng.standard_normal(len(weights)) for weights in phasor_matrices(network)]
        left = [off - step * np.rint(off / step) for off in detuning]
        drawn, tuned = ([Resonators.drawn(_DECAY, off, 0 * off) for off in each] for each in (detuning, left))
        for rung, cells in (("raw", drawn), ("delays", drawn), ("trims and delays", tuned)):
            turns = None if rung == "raw" else spike_turns(network, known, cells)
            answers = answers_of(run_spikes(network, phases, cells, turns=turns))
            gaps[rung].append(float((ideal == y).mean() - (answers == y).mean()))
    return [_row(rung, found, images) for rung, found in gaps.items()]


def _row(rung: str, gaps: list[float], images: int) -> Row:
    gap, barred = float(np.mean(gaps)), rung == "trims and delays"  # what a record makes of the board
    return {
        "name": "spike_detuned",
        "workload": f"{images} images, {len(gaps)} draws of 3 %, {rung}",
        "against": "atemporal: gap",
        "ours": gap,
        "theirs": None,
        "unit": "share",
        "ratio": None,
        "error": float(np.std(gaps)),
        "asked": f"<= {_BAR:g}" if barred else "printed",
        "holds": gap <= _BAR or not barred,
    }
