"""Gradients measured on the circuit itself, against implicit and discrete ones; and what each estimator costs."""

from dataclasses import replace
from math import log2

import torch
from benchmarks._gradients_board import ep_rows
from benchmarks._gradients_circuits import compared, flat, implicit, row, settling, through_time
from benchmarks._gradients_costs import cost_rows
from benchmarks._gradients_learning import learning_rows
from benchmarks._gradients_networks import rows as network_rows
from benchmarks._gradients_replay import replay_rows
from benchmarks._rows import Parts, Row

from jackfield.tune import (
    CenteredPropagation,
    CompensatedReplay,
    Estimator,
    Nudge,
    OneSidedPropagation,
    PhysicsPlant,
    Reading,
)

__all__ = ["parts"]

FIXED = "implicit gradient"


def parts(quick: bool) -> Parts:
    """Quick: one board of each kind and fewer passes, which then does not hold."""
    torch.set_num_threads(1)
    return {
        "fixed_point": lambda: [_linear(), *_orders(), _kinked(), *_read()],
        "replay": lambda: [_replay()],
        "networks": network_rows,
        "ep_on_board": lambda: ep_rows(quick),
        "replay_on_board": lambda: replay_rows(quick),
        "costs": cost_rows,
        "learning": lambda: learning_rows(quick),
    }


def _errors(law: str, estimators: list[Estimator]) -> list[tuple[float, float]]:
    circuit, start, loss = settling(law, 16, 1)
    plant = PhysicsPlant(circuit)
    true = implicit(circuit, plant.settle(start).values, loss)
    return [compared(flat(one.estimate(plant, start, loss).gradients), true) for one in estimators]


def _linear() -> Row:
    ((error, _),) = _errors("conductance", [CenteredPropagation(Nudge(0.1))])
    work = "conductance, 16 nodes, beta 0.1"
    return row("ep_centered", work, FIXED, error, "relative error", "< 1e-12", error < 1e-12)


def _orders() -> list[Row]:
    (coarse, _), (fine, _) = _errors("tanh_diff", [CenteredPropagation(Nudge(beta)) for beta in (0.2, 0.1)])
    order, work = log2(coarse / fine), "tanh_diff of slope 2, 16 nodes"
    one = _errors("tanh_diff", [OneSidedPropagation(Nudge(beta)) for beta in (0.2, 0.1)])
    slope = log2(one[0][0] / one[1][0])
    unit = "order in beta"
    return [
        row("ep_centered", f"{work}, beta 0.1", FIXED, fine, "relative error", "< 5e-3", fine < 5e-3),
        row("ep_centered", work, FIXED, order, unit, "2 +- 0.2", abs(order - 2) <= 0.2, error=fine),
        row("ep_one_sided", work, FIXED, slope, unit, "1 +- 0.2", abs(slope - 1) <= 0.2, error=one[1][0]),
    ]


def _kinked() -> Row:
    ((error, cosine),) = _errors("shifted_relu", [CenteredPropagation(Nudge(0.1))])
    work = "shifted_relu, 16 nodes, beta 0.1"
    return row("ep_centered", work, FIXED, cosine, "cosine", "> 0.99", cosine > 0.99, error=error)


def _read() -> list[Row]:
    found = []
    like_digits = {"inputs": 64, "outputs": 10, "samples": 24, "degree": 0.45}
    for law, nodes, shape, bar in (("tanh_diff", 16, {}, 0.999), ("shifted_relu", 96, like_digits, 0.99)):
        circuit, start, loss = settling(law, nodes, 1, **shape)
        true = implicit(circuit, PhysicsPlant(circuit).settle(start).values, loss)
        plant = PhysicsPlant(circuit, reading=Reading(12, 1.0, 1e-3))
        estimate = CenteredPropagation(Nudge(peak=1.0)).estimate(plant, start, loss)
        error, cosine = compared(flat(estimate.gradients), true)
        work = f"{law}, {nodes} nodes, 12 bits over +-1 V, 1 mV noise, nudged by 1 G V"
        found.append(row("ep_centered", work, FIXED, cosine, "cosine", f"> {bar:g}", cosine > bar, error=error))
    return found


def _replay() -> Row:
    circuit, start, loss = settling("tanh_diff", 16, 1)
    circuit = replace(circuit, clamped=())
    found = CompensatedReplay(Nudge(1e-3), 0.5).estimate(PhysicsPlant(circuit, steps=1024), start, loss)
    error, cosine = compared(flat(found.gradients), through_time(circuit, start, 0.5, loss))
    work = "KirchhoffNet transient, tanh_diff, 16 nodes, eps 1e-3"
    return row("compensated_replay", work, "discrete", cosine, "cosine", "> 0.9999", cosine > 0.9999, error=error)
