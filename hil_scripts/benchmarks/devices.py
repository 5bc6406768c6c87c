"""Boards and instruments that people own: LUCIDAC against an independent peer, The Analog Thing, instruments."""

import runpy
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from benchmarks._devices_instruments import instrument_rows
from benchmarks._lucidac_calibrated import calibrated_rows
from benchmarks._lucidac_fitted import fitted_errors
from benchmarks._lucidac_peer import cubic_chain, on_board, peer, quadratic, random_case, ring, worst_error
from benchmarks._lucidac_trained import accuracies, trained
from benchmarks._patched_machine import patched_rows
from benchmarks._rows import Parts, Row

from jackfield.compile import compile_circuit
from jackfield.device import AbstractBoard
from jackfield.errors import JackfieldError
from jackfield.model import MOONS_RECIPE, Bounds
from jackfield.session import load_spec, open_bench, open_board, running_emulator
from jackfield.testing.echoing_port import echoing_port

__all__ = ["parts"]

SPEC = "lucidac-2024"
SCRIPTS = Path(__file__).parents[1]
CASES = 20
FULL_SCALES, POINTS_LOST = 1e-3, 0.01
FIT_LOST = 0.005  # machine units, of rms error


def parts(quick: bool) -> Parts:
    """LUCIDAC, the laboratory scripts, a machine patched by hand, instruments."""
    return {
        "peer": lambda: _peer_rows(quick),
        "trained": lambda: _trained_rows(quick),
        "fitted": lambda: _fitted_rows(quick),
        "calibrated": lambda: calibrated_rows(quick),
        "scripts": lambda: [_scripts()],
        "patched": lambda: patched_rows(quick),
        "instruments": lambda: instrument_rows(quick),
    }


def _row(
    name: str, workload: str, against: str, ours: float, theirs: float | None, unit: str, asked: str, holds: bool
) -> Row:
    ratio = theirs / ours if theirs is not None and ours else None
    return {
        "name": name, "workload": workload, "against": against, "ours": ours, "theirs": theirs, "unit": unit,
        "ratio": ratio, "error": ours, "asked": asked, "holds": holds,
    }  # fmt: skip


def _missing(name: str, why: object) -> Row:
    return _row(name, f"not run: {why}", "lucipy 1.7.2", float("nan"), None, "full scale", "the peer", False)


def _peer_rows(quick: bool) -> Iterator[Row]:
    cases = [ring(), quadratic(), cubic_chain(), *(random_case(seed) for seed in range(4 if quick else CASES))]

    def worst(board: AbstractBoard, chosen: int) -> float:
        return max(worst_error(case, lambda case: on_board(case, board)) for case in cases[:chosen])

    try:
        with peer() as port, open_board(f"socket://127.0.0.1:{port}", SPEC) as board:
            exact = worst(board, len(cases))
        with peer(exact=False) as port, open_board(f"socket://127.0.0.1:{port}", SPEC) as board:
            shipped = worst(board, len(cases))
        with peer() as port, echoing_port("127.0.0.1", port) as url, open_board(url, SPEC) as board:
            echoed = worst(board, 3)
    except (JackfieldError, OSError, ValueError) as error:
        yield _missing("lucidac circuits", error)
        return
    what = f"ring, 4 quadratic edges, cubic chain, {len(cases) - 3} random circuits, 3 starts each, over TCP"
    note = "scipy; lucipy computes, its solver at 1e-7 (theirs: at its own 1e-3)"
    asked = f"error <= {FULL_SCALES:g} of full scale"
    yield _row("lucidac circuits", what, note, exact, shipped, "full scale", asked, exact <= FULL_SCALES)
    what = "ring, 4 quadratic edges, cubic chain through a port with echo"
    yield _row("lucidac by usb", what, note, echoed, None, "full scale", asked, echoed <= FULL_SCALES)


@contextmanager
def _peer_bench() -> Iterator[Path]:
    with peer() as port, tempfile.TemporaryDirectory() as folder:
        bench = Path(folder) / "bench.toml"
        bench.write_text(f'[board]\nurl = "socket://127.0.0.1:{port}"\nspec = "{SPEC}"\n')
        yield bench


def _trained_rows(quick: bool) -> Iterator[Row]:
    spec = load_spec(SPEC)
    bounds = Bounds.from_spec(spec, MOONS_RECIPE.volts_per_unit, MOONS_RECIPE.seconds_per_unit, "polynomial")
    network, count = trained(bounds, 20 if quick else 60), 200 if quick else 1_000
    with _peer_bench() as bench, open_bench(bench) as opened:
        floating, measured = accuracies(network, opened, count)
    lost = floating - measured
    asked = "within 1 point of float"
    what = f"two moons, trained, {count} held-out points"
    yield _row("lucidac trained", what, "float", measured, floating, "share", asked, abs(lost) <= POINTS_LOST)


def _fitted_rows(quick: bool) -> Iterator[Row]:
    """A function and a dynamical system by their recipes; what the board adds to the model's own error."""
    with _peer_bench() as bench, open_bench(bench) as opened:
        for name in ("saddle", "populations"):
            measured, model = fitted_errors(name, opened, 100 if quick else 800, 20 if quick else 100)
            asked = f"rms error at most {FIT_LOST:g} above the model's"
            what = f"{name}, fitted, {20 if quick else 100} held-out examples"
            holds = measured <= model + FIT_LOST
            yield _row("lucidac fitted", what, "the model", measured, model, "machine unit, rms", asked, holds)


def _scripts() -> Row:
    """The laboratory scripts, unchanged, on an emulated jf16 and on LUCIDAC through the peer."""
    done = 0.0
    with tempfile.TemporaryDirectory() as folder:
        with running_emulator("emulator://jf16?profile=ideal&seed=1") as emulator:
            jf16 = Path(folder) / "jf16.toml"
            jf16.write_text(emulator.bench_toml)
            done += _all_scripts(jf16, "jf16", Path(folder) / "a")
        with _peer_bench() as lucidac:
            done += _all_scripts(lucidac, SPEC, Path(folder) / "b")
    what = "upload_image, run_inputs, calibrate_board on jf16 emulated and on LUCIDAC through the peer"
    return _row("scripts", what, "-", done, None, "scripts", "6 of 6", done == 6)


def _all_scripts(bench: Path, name: str, folder: Path) -> float:
    import os

    import torch

    from jackfield.physics import Circuit, EdgeSet, Slice

    folder.mkdir()
    spec = load_spec(name)
    reach = spec.groups[0].reach
    source, destination = next((s, d) for s in reach.sources(0) for d in reach.destinations(0) if s and d and s != d)
    ends = torch.tensor([source]), torch.tensor([destination])
    edge = EdgeSet("conductance", *ends, {"gain": torch.tensor([0.5])})
    if name == "jf16":  # without conductances, and its reach is listed
        edge = EdgeSet("shifted_relu", *ends, {"gain": torch.tensor([0.5]), "threshold": torch.tensor([0.0])})
    nodes = spec.nodes.count if name == "jf16" else 8
    every = torch.ones(nodes)
    circuit = Circuit(nodes, (Slice(1.0, (edge,)),), every, 0 * every, inputs=(source,), outputs=(source, destination))
    image = compile_circuit(circuit, spec, volts_per_unit=0.5, seconds_per_unit=100e-6).save(folder / "pair.jfi")
    np.save(folder / "x.npy", np.array([[1.0], [0.5]]))
    before, where = sys.argv, Path.cwd()
    os.chdir(folder)
    done = 0
    try:
        for script, *words in (
            ("upload_image.py", image, bench),
            ("run_inputs.py", image, folder / "x.npy", folder / "y.npz", bench),
            ("calibrate_board.py", bench, folder / "b.record", "nodes" if name == "jf16" else "cells"),
        ):
            sys.argv = [script, *map(str, words)]
            runpy.run_path(str(SCRIPTS / script), run_name="__main__")
            done += 1
    finally:
        sys.argv = before
        os.chdir(where)
    with np.load(folder / "y.npz") as found:
        decay = np.exp(-2 * 0.5)  # of the difference of two equal capacitors through one conductance
        wanted = 0.5 * np.array([[1.0], [0.5]]) * np.array([[1 + decay, 1 - decay]]) / 2
        return done if np.abs(found["volts"] - wanted).max() < 5e-3 else 0
