"""Rows of the phasor benchmark about one neuron: its spikes in ngspice, and phases through it unchanged."""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from benchmarks._rows import Row
from numpy.typing import NDArray

from jackfield.physics import PhaseEncoding, Resonators, SpikeRule, exact_spikes, last_spikes, resonator_netlist

__all__ = ["identity_row", "spice_rows"]

_Real = NDArray[np.float64]
_PERIODS, _SOURCES = 10.0, 9
_RULE = SpikeRule()


def spice_rows() -> list[Row]:
    """Largest distance of a spike from ngspice's, for both circuits; they do not hold where ngspice is missing."""
    rng = np.random.default_rng(0)
    phases, weights = rng.uniform(-1, 1, (1, _SOURCES)), rng.normal(size=(1, _SOURCES))
    neuron = Resonators.alike(1, -0.2)
    train = PhaseEncoding().train(phases, _PERIODS)
    exact = exact_spikes(train, weights, neuron, _PERIODS, _RULE)
    found = exact[np.isfinite(exact)]
    times, heights = train[0].ravel().tolist(), weights[0].repeat(train.shape[2]).tolist()
    rows = []
    for form, bar in (("gm-c", 5e-4), ("rlc", 3e-3)):
        text = resonator_netlist(list(zip(times, heights, strict=True)), complex(neuron.k[0]), form=form)
        peaks = _ngspice(text) if shutil.which("ngspice") else np.empty(0)
        away = float(np.abs(peaks - found).max()) if len(peaks) == len(found) else float("inf")
        rows.append(_row("spice", f"{form}, {_SOURCES} sources, {len(found)} spikes", "ngspice", away, "T", bar))
    return rows


def identity_row() -> Row:
    """51 phases within +-0.95, one at a time, through one neuron of one source."""
    phases = np.linspace(-0.95, 0.95, 51)[:, None]
    encoding = PhaseEncoding(0.25)
    train = PhaseEncoding().train(phases, _PERIODS)
    frame = encoding.last_frame(_PERIODS)
    spikes = last_spikes(train, np.ones((1, 1)), Resonators.alike(1, -0.2), frame, _RULE)
    correlation = float(np.corrcoef(encoding.phase(spikes)[:, 0], phases[:, 0])[0, 1])
    return {
        "name": "identity",
        "workload": "51 phases in +-0.95",
        "against": "themselves",
        "ours": correlation,
        "theirs": None,
        "unit": "correlation",
        "ratio": None,
        "error": None,
        "asked": "> 0.9999",
        "holds": correlation > 0.9999,
    }


def _ngspice(text: str) -> _Real:
    """Times in periods of the maxima of Im z above the threshold."""
    with tempfile.TemporaryDirectory() as folder:
        netlist = Path(folder) / "neuron.cir"
        netlist.write_text(text)
        answer = subprocess.run(
            ["ngspice", "-b", str(netlist)], capture_output=True, text=True, timeout=60, check=False
        )
    rows = re.findall(r"^\d+\t(\S+)\t(\S+)\t?$", answer.stdout, re.MULTILINE)
    if not rows:
        return np.empty(0)
    time, v = np.array(rows, dtype=float).T
    at = np.flatnonzero((v[1:-1] > v[:-2]) & (v[1:-1] >= v[2:]) & (v[1:-1] > _RULE.threshold)) + 1
    return np.asarray(time[at] * 10e3)


def _row(name: str, workload: str, against: str, error: float, unit: str, bar: float) -> Row:
    return {
        "name": name,
        "workload": workload,
        "against": against,
        "ours": error,
        "theirs": None,
        "unit": unit,
        "ratio": None,
        "error": error,
        "asked": f"<= {bar:g}",
        "holds": error <= bar,
    }
