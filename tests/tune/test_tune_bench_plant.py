"""A plant on a bench: emulated boards without mismatch run and settle as the circuit that was asked."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch

from jackfield.bench import Bench
from jackfield.errors import DesignError
from jackfield.physics import Circuit, EdgeSet, Slice, Waveform, integrate
from jackfield.session import open_bench
from jackfield.tune import Ability, BenchPlant, PhysicsPlant

REAL = torch.float64
SCALE: dict[str, Any] = {"volts_per_unit": 1.0, "seconds_per_unit": 1e-4, "settle": 30.0}
START = torch.tensor([[0.6, 0.0, -0.2], [-0.5, 0.1, 0.0]], dtype=REAL)


def _circuit(leak: float, nodes: int = 3) -> Circuit:
    """Node 1 driven, 2 and 3 free; edges 1-2, 2-3 and 3-1. More nodes have none."""
    ends = torch.tensor([1, 2, 3]), torch.tensor([2, 3, 1])
    values = {
        "gain": torch.tensor([0.6, 0.4, 0.5], dtype=REAL),
        "threshold": torch.tensor([0.1, -0.1, 0.0], dtype=REAL),
    }
    ones = torch.ones(nodes, dtype=REAL)
    return Circuit(
        nodes, (Slice(3.0, (EdgeSet("shifted_relu", *ends, values),)),), ones, leak * ones, None, (1,), (3,), (1,)
    )


@pytest.fixture(scope="module")
def runs_waveforms() -> Iterator[Bench[Any]]:
    with open_bench("emulator://jf16w?profile=ideal&seed=1") as bench:
        yield bench


@pytest.fixture(scope="module")
def settles() -> Iterator[Bench[Any]]:
    with open_bench("emulator://jf16s?profile=ideal&seed=1") as bench:
        yield bench


def test_a_transient_is_that_of_the_circuit_under_the_same_waveform(runs_waveforms: Bench[Any]) -> None:
    plant = BenchPlant(runs_waveforms, _circuit(0.0), **SCALE)
    assert plant.abilities == {Ability.SETTLE, Ability.WAVEFORM}
    points, duration = 33, 3.0
    wave = torch.zeros(points, 2, 3, dtype=REAL)
    wave[:, 0, 1] = 0.2 * torch.sin(torch.linspace(0, 6, points, dtype=REAL))
    wave[:, 1, 2] = torch.linspace(-0.1, 0.2, points, dtype=REAL)
    seen = plant.transient(START, points, duration, wave)
    part = replace(plant.circuit.slices[0], duration=duration, injection=Waveform(wave))
    gaps = points - 1
    wanted = integrate(replace(plant.circuit, slices=(part,)), START, steps=8 * gaps, snapshots=gaps)
    assert float((seen[1:] - wanted).abs().max()) < 6e-3
    assert float((seen[0] - START).abs().max()) < 6e-3
    assert (plant.passes, plant.reads) == (4, 2 * 4 * points)


def test_rest_is_that_of_the_circuit_under_the_same_currents(settles: Bench[Any]) -> None:
    plant = BenchPlant(settles, _circuit(0.2), **SCALE)
    assert plant.abilities == {Ability.SETTLE}
    push = torch.tensor([[0.0, 0.05, 0.0], [0.0, 0.0, -0.1]], dtype=REAL)
    seen = plant.settle(START, push)
    wanted = PhysicsPlant(plant.circuit).settle(START, push)
    assert bool(seen.settled.all())
    assert not bool(seen.railed.any())
    assert float((seen.values - wanted.values).abs().max()) < 4e-3


def test_a_board_that_still_moves_is_told(settles: Bench[Any]) -> None:
    seen = BenchPlant(settles, _circuit(0.2), **(SCALE | {"settle": 0.5})).settle(START)
    assert not bool(seen.settled.any())


def test_noise_is_not_taken_for_motion() -> None:
    with open_bench("emulator://jf16s?profile=rough&seed=1") as bench:
        plant = BenchPlant(bench, _circuit(0.2, 16), **SCALE)
        for gain in (0.2, 0.4, 0.6):
            edges = plant.circuit.slices[0].edges[0]
            plant.configure((dict(edges.parameters) | {"gain": torch.full((3,), gain, dtype=REAL)},))
            assert bool(plant.settle(torch.zeros(4, 16, dtype=REAL)).settled.all())


def test_injection_dacs_without_mismatch_have_gain_one(settles: Bench[Any]) -> None:
    plant = BenchPlant(settles, _circuit(0.2), **SCALE)
    assert plant.measure_injection() == pytest.approx(1.0, abs=0.01)


def test_what_does_not_fit_the_board_is_refused(settles: Bench[Any]) -> None:
    with pytest.raises(DesignError, match="give the circuit that leak or change seconds_per_unit"):
        BenchPlant(settles, _circuit(0.3), **SCALE)
    edges = EdgeSet("conductance", torch.tensor([1]), torch.tensor([2]), {"gain": torch.ones(1, dtype=REAL)})
    circuit = replace(_circuit(0.2), slices=(Slice(1.0, (edges,)),))
    with pytest.raises(DesignError, match="edges of law conductance are asked"):
        BenchPlant(settles, circuit, **SCALE)
