"""A trained circuit on LUCIDAC: two moons, float against the board."""

import numpy as np
import torch

from jackfield.bench import Bench
from jackfield.board import CalibrationRecord
from jackfield.compile import compile_circuit
from jackfield.data import two_moons
from jackfield.device import AbstractBoard
from jackfield.evaluate import ask_board
from jackfield.model import MOONS_ARCHITECTURE, MOONS_RECIPE, Bounds, KirchhoffNet, train

__all__ = ["POINTS", "accuracies", "output_error", "trained"]

POINTS = 2_000  # half of them held out


def trained(bounds: Bounds, epochs: int, seed: int = 1) -> KirchhoffNet:
    """A network for `bounds`, trained by the recipe for `epochs` epochs."""
    from dataclasses import replace

    network = KirchhoffNet(MOONS_ARCHITECTURE, bounds=bounds, seed=seed)
    train(network, two_moons(POINTS), replace(MOONS_RECIPE, epochs=epochs), seed=seed)
    return network


def accuracies(
    network: KirchhoffNet, bench: Bench[AbstractBoard], count: int, record: CalibrationRecord | None = None
) -> tuple[float, float]:
    """Share of `count` held-out points that float and board answer rightly."""
    data = two_moons(POINTS)
    x, labels = data.x_test[:count], data.y_test[:count]
    assert network.bounds is not None
    scale = network.bounds.volts_per_unit
    compiled = compile_circuit(network.circuit(), bench.spec, volts_per_unit=scale, record=record)
    bench.board.apply(compiled.image)
    answers = ask_board(bench, compiled, np.asarray(x, dtype=np.float64), record)
    with torch.no_grad():
        logits = network(torch.from_numpy(np.ascontiguousarray(x))).numpy()
    return float((logits.argmax(1) == labels).mean()), float((answers.held_V.argmax(1) == labels).mean())


def output_error(
    network: KirchhoffNet, bench: Bench[AbstractBoard], count: int, record: CalibrationRecord | None
) -> float:
    """Rms of measured volts minus what the circuit asks for, over `count` held-out points."""
    x = two_moons(POINTS).x_test[:count]
    assert network.bounds is not None
    scale = network.bounds.volts_per_unit
    compiled = compile_circuit(network.circuit(), bench.spec, volts_per_unit=scale, record=record)
    bench.board.apply(compiled.image)
    answers = ask_board(bench, compiled, np.asarray(x, dtype=np.float64), record)
    with torch.no_grad():
        end = network.states(torch.from_numpy(np.ascontiguousarray(x)), steps=64)[-1].numpy()
    wanted = scale * end[:, [node - 1 for node in network.architecture.output_nodes]]
    return answers.error_rms_V(np.asarray(wanted, dtype=np.float64))
