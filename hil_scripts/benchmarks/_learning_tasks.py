"""What boards learn by their own gradients: networks of gains of one sign, inputs that stay driven, losses and scores.

Few edges, so that each cell matters and a board's thresholds show: redundant networks prove nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from benchmarks._gradients_board import UNIT_S
from benchmarks._gradients_circuits import REAL
from torch import Tensor
from torch.nn.functional import cross_entropy

from jackfield.board import BoardSpec
from jackfield.data import digits_split, two_moons
from jackfield.physics import Circuit, EdgeSet, Slice
from jackfield.session import load_spec
from jackfield.tune import LearnRecipe, Nudge, Parameters
from jackfield.tune.learn import Bounds

__all__ = ["TASKS", "Task"]

SWING_V = {"two moons": 0.6, "x0 x1": 0.5, "digits": 0.8}  # of inputs and references
PRODUCT_V = 0.15  # asked where x0 x1 = 1
DRAWS = {"two moons": 1008, "x0 x1": 1}  # of edges
SETTLE = 30.0  # six time constants of a node that nothing but its leak holds: it moves by 5 mV in the last quarter
NUDGE = Nudge(peak=0.04)  # a stronger one moves nodes past the kinks of their edges, 0.2 V where only a leak holds them


@dataclass(frozen=True, eq=False)
class Task:
    """Presets `starts` and `held_out` `[sample, node]` for `circuit` on `board`; `loss` of some of the trained samples,
    `score` of outputs of the held-out ones, smaller being better. A run to rest takes `settle` units. Learning begins
    with codes at random up to gains of `largest`."""

    name: str
    board: BoardSpec
    circuit: Circuit
    starts: Tensor
    held_out: Tensor
    loss: Callable[[Tensor], Any]
    score: Callable[[Tensor], float]
    nudge: Nudge
    settle: float
    recipe: LearnRecipe
    largest: float

    @property
    def first(self) -> Parameters:
        """The codes that learning begins with."""
        generator, count = torch.Generator().manual_seed(0), len(self.circuit.slices[0].edges[0])
        return (_random(count, self.largest, generator),)

    @property
    def bounds(self) -> Bounds:
        """What a weak cell still reaches when a record corrects it, and does not saturate at; nor do inputs drive a
        node to a rail through thresholds below zero."""
        (cells,) = self.board.groups
        unit_S = self.board.nodes.capacitance_F / UNIT_S
        lowest = max(-0.4, float(self.starts.abs().max()) - self.board.nodes.rail_V[1])
        return {"gain": (0.0, 0.5 * cells.parameters["gain"].hi / unit_S), "threshold": (lowest, 0.4)}


@cache
def _moons() -> Task:
    data, gain = two_moons(2_000), 150.0
    centre, size = data.x_train.mean(0), np.abs(data.x_train - data.x_train.mean(0)).max(0)
    y, held = torch.from_numpy(data.y_train), torch.from_numpy(data.y_test)

    def loss(chosen: Tensor) -> Any:
        return lambda out: cross_entropy(gain * out, y[chosen], reduction="none")

    def score(out: Tensor) -> float:
        return float((out.argmax(1) != held).double().mean())

    board, circuit = load_spec("jf16s"), _mixed_circuit(DRAWS["two moons"], 16, 86)
    starts, others = (_signed(SWING_V["two moons"], (x - centre) / size, circuit) for x in (data.x_train, data.x_test))
    recipe = LearnRecipe(500, batch=16, rate=0.03)
    return Task("two moons", board, circuit, starts, others, loss, score, NUDGE, SETTLE, recipe, largest=0.25)


@cache
def _product() -> Task:
    rng = np.random.default_rng(0)
    x, held = rng.uniform(-1, 1, (1_000, 2)), rng.uniform(-1, 1, (500, 2))
    asked, true = (torch.from_numpy(PRODUCT_V * points.prod(1)) for points in (x, held))

    def loss(chosen: Tensor) -> Any:
        return lambda out: (out[:, 0] - out[:, 1] - asked[chosen]) ** 2

    def score(out: Tensor) -> float:
        return float(((out[:, 0] - out[:, 1] - true) ** 2).mean())

    board, circuit = load_spec("jf16s"), _mixed_circuit(DRAWS["x0 x1"], 16, 86)
    starts, others = (_signed(SWING_V["x0 x1"], points, circuit) for points in (x, held))
    recipe = LearnRecipe(1_100, batch=16, rate=0.03, memory=100)
    nudge = Nudge(peak=0.1)  # the squares' forces are small
    return Task("x0 x1", board, circuit, starts, others, loss, score, nudge, SETTLE, recipe, largest=0.25)


@cache
def _digits() -> Task:
    data, gain, inputs, hidden, outputs = digits_split(), 20.0, 64, 12, 20
    y, held = torch.from_numpy(data.y_train), torch.from_numpy(data.y_test)

    def logits(out: Tensor) -> Tensor:
        """Each class has a node for and a node against it."""
        return gain * (out[:, :10] - out[:, 10:])

    def loss(chosen: Tensor) -> Any:
        return lambda out: cross_entropy(logits(out), y[chosen], reduction="none")

    def score(out: Tensor) -> float:
        return float((logits(out).argmax(1) != held).double().mean())

    def starts(x: Any) -> Tensor:
        values = torch.zeros(len(x), inputs + hidden + outputs, dtype=REAL)
        values[:, :inputs] = SWING_V["digits"] * torch.from_numpy(np.asarray(x, dtype=np.float64))
        return values

    free = range(inputs + 1, inputs + hidden + outputs + 1)
    pairs = [(a, b) for a in range(1, inputs + 1) for b in free]
    pairs += [(a, b) for a in free[:hidden] for b in free[hidden:]]
    pairs += [pair for node in free for pair in ((0, node), (node, 0))]  # these take up offset currents of 70 cells
    circuit = _circuit(torch.tensor(pairs), inputs, outputs, 1.0)
    return Task(
        "digits", load_spec("jf96s"), circuit, starts(data.x_train), starts(data.x_test), loss, score,
        Nudge(peak=0.06), 15.0, LearnRecipe(300, batch=16, rate=0.03, averaged=0.4), largest=0.2,
    )  # fmt: skip


def _mixed_circuit(draw: int, nodes: int, edges: int) -> Circuit:
    """Edges at random between 6 driven and the free nodes, the last two of which are outputs, and among free ones."""
    inputs = 6
    driven, every = range(1, inputs + 1), range(1, nodes + 1)
    pairs = [(a, b) for a in every for b in every if a != b and not (a in driven and b in driven)]
    generator = torch.Generator().manual_seed(draw)
    kept = torch.randperm(len(pairs), generator=generator)[:edges].sort().values
    return _circuit(torch.tensor(pairs)[kept], inputs, 2, 4.0)


def _circuit(pairs: Tensor, inputs: int, outputs: int, duration: float) -> Circuit:
    """Edges of no gain yet; a look at whether the ideal circuit rests takes `duration`."""
    source, destination = pairs.T.contiguous()
    values = {name: torch.zeros(len(pairs), dtype=REAL) for name in ("gain", "threshold")}
    nodes = int(pairs.max())
    ones, clamped = torch.ones(nodes, dtype=REAL), tuple(range(1, inputs + 1))
    part = Slice(duration, (EdgeSet("shifted_relu", source, destination, values),))
    ends = (clamped, tuple(range(nodes - outputs + 1, nodes + 1)), clamped)
    return Circuit(nodes, (part,), ones, 0.2 * ones, (-1.0, 1.0), *ends)


def _random(count: int, largest: float, generator: torch.Generator) -> dict[str, Tensor]:
    gain = largest * torch.rand(count, generator=generator, dtype=REAL)
    return {"gain": gain, "threshold": 0.1 * torch.randn(count, generator=generator, dtype=REAL).clamp(-2, 2)}


def _signed(swing_V: float, x: Any, circuit: Circuit) -> Tensor:
    """Presets: +-x0, +-x1 and references of both signs, the rest at zero."""
    values = torch.zeros(len(x), circuit.nodes, dtype=REAL)
    points = swing_V * torch.from_numpy(np.asarray(x, dtype=np.float64))
    values[:, 0:2], values[:, 2:4] = points, -points
    values[:, 4], values[:, 5] = swing_V, -swing_V
    return values


TASKS: dict[str, Callable[[], Task]] = {"two moons": _moons, "x0 x1": _product, "digits": _digits}
