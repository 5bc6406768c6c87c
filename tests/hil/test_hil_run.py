"""What a run reads agrees with physics within its own standard errors, and the check can fail."""

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.linalg import expm

from jackfield.bench import Bench
from jackfield.bench.bench import SAMPLES_PER_SLOT
from jackfield.board import BoardSpec, ConfigImage, RunProgram
from jackfield.device import AbstractBoard
from jackfield.physics import Circuit, EdgeSet, Slice, integrate

Floats = NDArray[np.float64]

TICKS = 150


def scan_all(spec: BoardSpec) -> tuple[tuple[int, ...], ...]:
    nodes = range(1, spec.nodes.count + 1)
    return tuple(tuple(nodes[probe :: spec.probe.count]) for probe in range(spec.probe.count))


def program(spec: BoardSpec) -> RunProgram:
    return RunProgram(steps=((0, TICKS),), scan=scan_all(spec))


def random_inputs(spec: BoardSpec, rng: np.random.Generator, count: int) -> NDArray[np.int64]:
    return spec.nodes.preset.code(rng.uniform(-0.7, 0.7, (count, spec.nodes.count)))


def random_image(spec: BoardSpec, rng: np.random.Generator, pairs: bool) -> ConfigImage:
    """Cells with random gains between random nodes within reach; `pairs` makes each edge linear.

    A shifted_relu cell at threshold zero and its mirror image with the same gain carry g (v_s - v_d).
    """
    image, group = ConfigImage.safe(spec).copy(), spec.groups[0]
    free = list(range(group.count))
    while free:
        cell = free.pop(0)
        ends = [(s, d) for s in group.reach.sources(cell) for d in group.reach.destinations(cell) if s != d]
        source, destination = ends[rng.integers(len(ends))]
        mirror = next((c for c in free if group.reach.allows(c, destination, source)), None)
        gain = group.parameters["gain"].code(rng.uniform(-0.05, 0.25) * group.parameters["gain"].hi)
        threshold = group.parameters["threshold"].code(0.0 if pairs else rng.uniform(-0.2, 0.2))
        routes = [(cell, source, destination)]
        if pairs:
            if mirror is None:
                continue
            free.remove(mirror)
            routes.append((mirror, destination, source))
        for index, start, stop in routes:
            at = (0, group.first + index)
            image.enable[at], image.source[at], image.destination[at] = True, start, stop
            image.codes["gain"][at], image.codes["threshold"][at] = gain, threshold
    return image


def laplacian(spec: BoardSpec, image: ConfigImage) -> Floats:
    """Conductances `[node, node]` in siemens of an image of mirrored pairs; each cell of a pair adds half."""
    matrix = np.zeros((spec.nodes.count + 1, spec.nodes.count + 1))
    gains = spec.groups[0].parameters["gain"].value(image.codes["gain"][0])
    for cell in np.flatnonzero(image.enable[0]):
        s, d = image.source[0, cell], image.destination[0, cell]
        matrix[[s, d], [s, d]] += gains[cell] / 2
        matrix[[s, d], [d, s]] -= gains[cell] / 2
    return matrix[1:, 1:]


def scanned(spec: BoardSpec, volts: Floats) -> Floats:
    return volts[:, [node - 1 for nodes in scan_all(spec) for node in nodes]]


def rounding_V(bench: Bench[AbstractBoard]) -> float:
    """What the oscilloscope's codes, rounded independently, leave in the mean of a slot: much on one of eight bits."""
    if bench.digitizer is None:
        return 0.0
    step = max(waveform.resolution_V for waveform in bench.digitizer.read().values())  # of the record just made
    return step / float(np.sqrt(12 * SAMPLES_PER_SLOT * (1 - bench.spec.probe.settle_fraction)))


def deviations(read: Any, expected: Floats) -> Floats:
    """(measured - expected)/standard error of what is neither clipped nor railed."""
    kept = ~(read.clipped | read.railed)
    assert kept.mean() > 0.95
    return np.asarray(((read.values_V - expected) / read.se_V)[kept])


def test_linear_rc_agrees_with_the_matrix_exponential(bench: Bench[AbstractBoard], ideal: bool) -> None:
    if not ideal:
        pytest.skip("only an ideal board follows its spec exactly; pass --bench emulator://jf16?profile=ideal&seed=1")
    spec, rng = bench.spec, np.random.default_rng(11)
    image = random_image(spec, rng, pairs=True)
    assert image.enable.sum() >= 8
    inputs = random_inputs(spec, rng, 64)
    bench.board.apply(image)
    read = bench.measure(inputs, program(spec))
    duration = TICKS * spec.run.tick_s
    start = spec.nodes.preset.value(inputs)

    def expected(gain_error: float) -> Floats:
        decay = -laplacian(spec, image) * (1 + gain_error) - spec.nodes.leak_S * np.eye(spec.nodes.count)
        return scanned(spec, start @ expm(decay * duration / spec.nodes.capacitance_F).T)

    z = deviations(read, expected(0.0))
    assert 0.7 < np.sqrt(np.mean(z**2)) < 1.3
    assert np.abs(z).max() < 6
    assert np.median(read.se_V) < 1e-3 + rounding_V(bench)
    spoiled = deviations(read, expected(0.05))
    assert np.sqrt(np.mean(spoiled**2)) > 2


def test_shifted_relu_agrees_with_the_integrator(bench: Bench[AbstractBoard], ideal: bool) -> None:
    if not ideal:
        pytest.skip("only an ideal board follows its spec exactly; pass --bench emulator://jf16?profile=ideal&seed=1")
    spec, rng = bench.spec, np.random.default_rng(12)
    image = random_image(spec, rng, pairs=False)
    inputs = random_inputs(spec, rng, 64)
    bench.board.apply(image)
    read = bench.measure(inputs, program(spec))
    on, group = image.enable[0], spec.groups[0]
    parameters = {
        name: torch.from_numpy(scale.value(image.codes[name][0, on])) for name, scale in group.parameters.items()
    }
    edges = EdgeSet(
        group.law, torch.from_numpy(image.source[0, on]), torch.from_numpy(image.destination[0, on]), parameters
    )
    ones = torch.ones(spec.nodes.count, dtype=torch.float64)
    circuit = Circuit(
        nodes=spec.nodes.count,
        slices=(Slice(TICKS * spec.run.tick_s, (edges,), None),),
        capacitance=spec.nodes.capacitance_F * ones,
        leak=spec.nodes.leak_S * ones,
        rails=spec.nodes.rail_V,
    )
    end = integrate(circuit, torch.from_numpy(spec.nodes.preset.value(inputs)), steps=2000)[-1].numpy()
    z = deviations(read, scanned(spec, end))
    assert 0.7 < np.sqrt(np.mean(z**2)) < 1.3
    assert np.abs(z).max() < 6


def test_idle_nodes_keep_their_presets(bench: Bench[AbstractBoard], ideal: bool) -> None:
    spec, rng = bench.spec, np.random.default_rng(13)
    inputs = random_inputs(spec, rng, 80)
    bench.board.apply(ConfigImage.safe(spec))
    read = bench.measure(inputs, program(spec))
    presets = scanned(spec, spec.nodes.preset.value(inputs))
    assert read.values_V.shape == presets.shape
    assert read.ground_V.shape == (80, spec.probe.count)
    assert np.abs(read.values_V - presets).max() < (5e-3 if ideal else 0.1)
    assert np.abs(read.clock_ratio - 1) < 1e-3


def test_watch_ends_where_run_reads(bench: Bench[AbstractBoard]) -> None:
    spec, rng = bench.spec, np.random.default_rng(14)
    image = random_image(spec, rng, pairs=True)
    inputs = random_inputs(spec, rng, 1)
    bench.board.apply(image)
    bench.board.load_inputs(inputs)
    held = bench.read(program(spec))
    watch = RunProgram(steps=((0, TICKS),), scan=tuple((nodes[0],) for nodes in scan_all(spec)), mode="watch")
    trace = bench.watch(watch)
    first = [held.nodes.index(nodes[0]) for nodes in watch.scan]
    assert trace.t_s[0] == pytest.approx(0, abs=2e-6)
    assert trace.t_s[-1] == pytest.approx(TICKS * spec.run.tick_s, abs=2e-6)
    tail = trace.volts[:, trace.t_s > (TICKS - 4) * spec.run.tick_s].mean(axis=1)
    assert np.abs(tail - held.values_V[0, first]).max() < 0.015


def test_the_reference_is_near_its_nominal_value(bench: Bench[AbstractBoard]) -> None:
    nominal = bench.spec.probe.reference_V
    assert bench.reference_V() == pytest.approx(nominal, rel=0.02)
    assert all(identity for identity in bench.identities)
