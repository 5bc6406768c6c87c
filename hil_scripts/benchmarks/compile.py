"""The MNIST network for jf1024: how long, how large, and whether the board agrees; several passes on jf96.

Boards are raw but for their trims, which come from the truth, and their presets where passes hand voltages on: every
cell has the codes of the nominal board.
"""

import multiprocessing
import resource
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import torch
from benchmarks._mnist_size import LARGEST_V, mnist, pictures, random_circuit, true_record
from benchmarks._rows import Parts, Row, figure_row
from numpy.typing import NDArray

from jackfield.bench import Bench
from jackfield.board import BoardSpec, CalibrationRecord
from jackfield.compile import CompiledPasses, Twin, compile_passes, twin_of_passes
from jackfield.device import AbstractBoard
from jackfield.evaluate import Played, answers_of, play
from jackfield.physics import Circuit, integrate, mixed
from jackfield.session import load_spec, open_bench

Floats = NDArray[np.float64]

TOPOLOGY_S, COMPILE_S, COMPILE_GB, UPLOAD_S, RUN_S, AGREEMENT = 1.0, 20.0, 4.0, 8.0, 30.0, 1.2
TRIMS, PRESETS = ("current_offset_A", "node_offset_A", "trim_gain"), ("preset_gain", "preset_offset_V")
SEED, DRAWS, STEPS = 1, 6, 8


def parts(quick: bool) -> Parts:
    """Quick ones ask the emulated boards a few inputs and only the ideal one of jf1024."""

    def large() -> Iterator[Row]:
        circuit, volts, seconds = mnist()
        for profile in ("ideal",) if quick else ("ideal", "modules"):
            job = _job(load_spec("jf1024"), profile, circuit, volts, seconds)
            yield from _board_rows(job, pictures(8 if quick else 16, 28))

    def passes() -> list[Row]:
        deep = random_circuit(mixed(1, 8, 8, 3, 32, (1, 1)), 64, 4)
        job = _job(load_spec("jf96"), "modules", deep, 0.9 / LARGEST_V, None)
        return _board_rows(job, pictures(8 if quick else 64, 8))

    return {"topology": _topology, "compile": _compile_rows, "jf1024": large, "passes": passes}


def _row(name: str, workload: str, ours: float, unit: str, bar: float, against: str = "-") -> Row:
    return figure_row(name, workload, against, (ours, unit), f"at most {bar:g}", ours <= bar)


def _topology() -> list[Row]:
    makers: dict[str, Callable[[], object]] = {
        "mixed, 230,068 edges": lambda: mixed(1, 28, 28, 4, 50, (1, 1)),
        "mixed, 1,138,096 edges": lambda: mixed(4, 32, 32, 3, 0, (1, 0)),
    }
    return [_row("topology", name, _seconds(make)[0], "s", TOPOLOGY_S) for name, make in makers.items()]


def _seconds(job: Callable[[], object]) -> tuple[float, object]:
    begin = time.perf_counter()
    made = job()
    return time.perf_counter() - begin, made


def _compile_rows() -> list[Row]:
    """In a process of its own, whose largest size is that of the compiler."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        seconds, gigabytes = pool.submit(_compile).result()
    workload = "834 nodes, 2 x 230,068 edges, jf1024: codes, report, input codes, twin"
    return [
        _row("compile_jf1024", workload, seconds, "s", COMPILE_S),
        _row("compile_jf1024", workload, gigabytes, "GB", COMPILE_GB),
    ]


def _compile() -> tuple[float, float]:
    spec, (circuit, volts, tau) = load_spec("jf1024"), mnist()

    def whole() -> None:
        compiled = compile_passes(circuit, spec, volts_per_unit=volts, seconds_per_unit=tau)
        assert compiled.report is not None
        compiled.report.summary(spec)
        compiled.passes[0].image.payload(spec)
        compiled.passes[0].input_codes(pictures(64, 28))
        assert twin_of_passes(compiled, spec).twins[0].circuit.nodes == spec.nodes.count

    seconds, _ = _seconds(whole)
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


@dataclass(frozen=True)
class _Job:
    """A circuit compiled for one emulated board, of which all is known that a record can say."""

    profile: str
    compiled: CompiledPasses
    record: CalibrationRecord
    switch_V: float

    @property
    def spec(self) -> BoardSpec:
        return self.compiled.spec


def _job(spec: BoardSpec, profile: str, circuit: Circuit, volts: float, seconds: float | None) -> _Job:
    record, switch_V = true_record(spec, profile, SEED)
    # What the twin knows of presets must not count as unknown where voltages are handed on.
    names = TRIMS if len(circuit.slices) <= spec.run.banks else TRIMS + PRESETS
    trims = CalibrationRecord(record.provenance, {name: record.tables[name] for name in names})
    compiled = compile_passes(circuit, spec, record=trims, volts_per_unit=volts, seconds_per_unit=seconds)
    droop = record.tables["droop_per_s"].value
    drooping = tuple(replace(part, droop_per_s=droop) for part in compiled.passes)
    return _Job(profile, CompiledPasses(drooping), record, switch_V)


def _board_rows(job: _Job, x: Floats) -> list[Row]:
    """An emulated board against its twin, which knows all but the charge of bank switches, crosstalk and noise."""
    compiled, name = job.compiled, job.spec.name
    with open_bench(f"emulator://{name}?profile={job.profile}&seed={SEED}") as bench:
        upload_s, _ = _seconds(lambda: bench.board.apply(compiled.passes[0].image))
        run_s, played = _timed(bench, compiled, x)
    workload = f"{name}, {job.profile}, {len(compiled.passes)} passes, {len(x)} inputs"
    rows = [_row("agreement", workload, _off(job, x, played), "mean |z|", AGREEMENT, against="twin")]
    if len(compiled.passes) == 1:
        rows += [_row("upload", workload, upload_s, "s", UPLOAD_S), _row("run", workload, run_s, "s", RUN_S)]
    costs = twin_of_passes(compiled, job.spec, job.record, readout_V=played.readout_V).costs(x[:8])
    ratios = (cost.measured_V / cost.predicted_V for cost in costs)
    return rows + [_row("handing_over", workload, ratio, "on the twin over predicted", 1.5) for ratio in ratios]


def _timed(bench: Bench[AbstractBoard], compiled: CompiledPasses, x: Floats) -> tuple[float, Played]:
    begin = time.perf_counter()
    played = play(bench, compiled, x)
    return time.perf_counter() - begin, played


def _off(job: _Job, x: Floats, played: Played) -> float:
    """Mean of |read - predicted| over the standard error of the reading and of what the twin cannot know."""
    compiled, switch_V = job.compiled, job.switch_V
    known = twin_of_passes(compiled, job.spec, job.record, readout_V=played.readout_V)
    answers = answers_of(played.measured, compiled.passes[-1], None)
    sizes = job.spec.statistics[job.profile]
    last, codes = known.twins[0], compiled.passes[0].input_codes(x)
    predicted, carried_V = last.shown(codes), 0.0
    for number, part in enumerate(known.twins[1:]):
        codes, last = compiled.carried(number, predicted), part
        predicted = part.shown(codes)
    if len(known.twins) > 1:
        node_V = float(np.sqrt(played.readout_V**2 + sizes["node_noise"] ** 2 + switch_V**2))
        carried_V = sum(cost.predicted_V for cost in replace(known, readout_V=node_V).costs(x[:8]))
    unknown = _switch_spread(last, codes, switch_V) ** 2 + sizes["node_noise"] ** 2 + carried_V**2
    unknown += (sizes["crosstalk"] * np.abs(predicted).mean()) ** 2
    return float(np.mean(np.abs(answers.shown_V - predicted) / np.sqrt(answers.se_V**2 + unknown)))


def _switch_spread(part: Twin, codes: NDArray[np.int64], switch_V: float) -> Floats:
    """Standard deviation of the outputs `[batch, output]` for charges of `switch_V` rms at the bank switch."""
    circuit, rng = part.circuit, np.random.default_rng(SEED)
    if switch_V == 0 or len(circuit.slices) == 1:
        return np.zeros((len(codes), len(part.compiled.outputs)))
    before, change, after = circuit.slices
    assert change.injection is not None
    ends, steps = [], (STEPS, 1, STEPS)
    for _ in range(DRAWS):
        volts = torch.from_numpy(switch_V * rng.standard_normal(circuit.nodes))
        charged = replace(change, injection=change.injection + circuit.capacitance * volts / change.duration)
        with torch.no_grad():
            end = integrate(replace(circuit, slices=(before, charged, after)), part.preset(codes), steps=steps)[-1]
        ends.append(end[:, np.array(part.compiled.outputs) - 1].numpy())
    return np.asarray(np.std(ends, axis=0, ddof=1))
