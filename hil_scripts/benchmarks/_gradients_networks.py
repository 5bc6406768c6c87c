"""Rows about transients of general networks: what holds on a causal circuit, and what does not."""

from collections.abc import Callable
from math import log2
from typing import Any

import torch
from benchmarks._gradients_circuits import REAL, compared, ladder_network, leafed, row
from benchmarks._rows import Row
from torch import Tensor

from jackfield.physics.reference import Network, respond, run
from jackfield.tune import live_nudge, node_fluxes, phase_conjugated_error, reversed_replay, time_reversed_error

__all__ = ["rows", "table"]

STEPS, H = 80, 0.1
CONTROLLED = 8  # nodes of the negative controls
TIMES = (torch.arange(STEPS, dtype=REAL) + 0.5) * H
LAST = torch.tensor([0.0, 0.0, 0.0, 1.0], dtype=REAL)


def rows() -> list[Row]:
    """All of them."""
    return [_time_reversed(), _phase_conjugated(), _echo(), _replay(), *_negative_controls()]


def table(found: list[Row]) -> list[str]:
    """Lines of the table in host/GRADIENTS.md, from `rows`."""
    lines = []
    for one in found:
        shown = f"{one['ours']:.2f}" if one["unit"] in ("cosine", "order in eps") else "below 1e-9"
        if one["name"] == "compensated_replay":
            shown = "above 0.9999"
        circuit, _, _ = one["workload"].partition("; ")
        half = "" if one["theirs"] is None else f", with the half-derivative term {one['theirs']:.2f}"
        lines.append(f"| {one['name']} | {circuit} | {one['unit']} {shown}{half} |")
    return lines


def _drive(nodes: int = 4) -> Tensor:
    current = torch.zeros(STEPS, 1, nodes, dtype=REAL)
    current[:, 0, 0] = torch.sin(1.3 * TIMES) + 0.5 * torch.cos(2.9 * TIMES)
    return current


def _rest(network: Network) -> Tensor:
    return torch.zeros(1, network.size, dtype=REAL)


def _truth(network: Network, loss: Callable[[Network], Tensor]) -> dict[str, Tensor]:
    live, leaves = leafed(network)
    return dict(zip(leaves, torch.autograd.grad(loss(live).sum(), list(leaves.values())), strict=True))


def _against(found: dict[str, Tensor], true: dict[str, Tensor]) -> tuple[float, float]:
    kinds = [kind for kind in true if kind in found]
    return compared(torch.cat([found[kind] for kind in kinds]), torch.cat([true[kind] for kind in kinds]))


def _time_reversed() -> Row:
    network, drive, asked = ladder_network(1), _drive(), torch.cos(TIMES)[:, None, None]

    def loss(v: Tensor) -> Tensor:
        return H * ((v - asked) ** 4 * LAST).sum((0, 2))

    true = _truth(network, lambda live: loss(run(live, _rest(live), H, drive).middles[..., :4]))
    error, _ = _against(time_reversed_error(network, H, drive, loss, amplitude=3.0), true)
    work = "linear RLC, 4 nodes, loss to the fourth power, amplitude 3"
    return row("time_reversed_error", work, "autograd", error, "relative error", "< 1e-9", error < 1e-9)


def _phase_conjugated() -> Row:
    network, omega = ladder_network(1), 1.7
    drive = torch.randn(3, 4, dtype=torch.complex128, generator=torch.Generator().manual_seed(1))

    def loss(v: Tensor) -> Tensor:
        return ((v - 1j).abs() ** 2 * LAST).sum(-1)

    true = _truth(network, lambda live: loss(respond(live, omega, drive)[..., :4]))
    error, _ = _against(phase_conjugated_error(network, omega, drive, loss), true)
    work = "linear RLC at one frequency, 3 drives"
    return row("phase_conjugated", work, "autograd", error, "relative error", "< 1e-9", error < 1e-9)


def _flux_loss(asked: Tensor, weight: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda flux: H * ((flux - asked) ** 2 * weight / 2).sum((0, 2))


def _flux_truth(network: Network, loss: Any) -> dict[str, Tensor]:
    drive = _drive(network.nodes)
    return _truth(network, lambda live: loss(node_fluxes(live, run(live, _rest(live), H, drive), H)))


def _replayed(network: Network, sizes: tuple[float, ...]) -> list[tuple[float, float]]:
    loss = _flux_loss(torch.cos(TIMES)[:, None, None], LAST)
    true = _flux_truth(network, loss)
    return [_against(reversed_replay(network, _rest(network), H, _drive(), loss, eps), true) for eps in sizes]


def _echo() -> Row:
    (coarse, _), (fine, _) = _replayed(ladder_network(2, charge=0.3, loss=0.0), (0.4, 0.2))
    slope = log2(coarse / fine)
    work = "lossless, cubic capacitors, eps 0.4 and 0.2"
    return row(
        "hamiltonian_echo", work, "autograd", slope, "order in eps", "2 +- 0.2", abs(slope - 2) <= 0.2, error=fine
    )


def _replay() -> Row:
    ((error, cosine),) = _replayed(ladder_network(2, charge=0.3), (0.01,))
    work = "cubic capacitors, linear loss, eps 0.01"
    return row("compensated_replay", work, "autograd", cosine, "cosine", "> 0.9999", cosine > 0.9999, error=error)


def _negative_controls() -> list[Row]:
    """Circuits of 24 elements: of two vectors with 12 entries that have nothing to do with each other every tenth pair
    has a cosine beyond 0.5."""
    found, last = [], torch.eye(CONTROLLED, dtype=REAL)[-1]
    for seed in range(3, 7):
        asked = torch.cos((1 + 0.3 * (seed - 3)) * TIMES)[:, None, None]
        loss = _flux_loss(asked, last)
        cosines = []
        for fractional in (False, True):
            network = ladder_network(seed, nodes=CONTROLLED, fractional=fractional)
            guess = live_nudge(network, _rest(network), H, _drive(CONTROLLED), asked, CONTROLLED, 1e-3)
            cosines.append(_against(guess, _flux_truth(network, loss))[1])
        plain, half = cosines
        work = f"RLC circuit {seed - 2}, {CONTROLLED} nodes, causal, beta 1e-3; theirs: with the half-derivative term"
        asked_for = "|cosine| < 0.5: no gradient"
        found.append(row("live_nudge", work, "autograd", plain, "cosine", asked_for, abs(plain) < 0.5, theirs=half))
    return found
