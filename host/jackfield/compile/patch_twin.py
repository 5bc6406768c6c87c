"""The twin of a patched machine: the equations of lanes (lane_machine) with each cable into an integrator as a lane."""

import re
from dataclasses import dataclass

import torch
from torch import Tensor

from jackfield.board import PatchList
from jackfield.compile.lane_machine import LaneParameters, LaneSettings, lane_response
from jackfield.errors import DesignError

__all__ = ["PatchTwin"]

STEPS_A_PACE = 20  # of 1/(k0 coefficient): the rule's error stays far below a converter's code
_INTO = re.compile(r"input x(\d+) of integrator (\d+)|input ([AB]) of multiplier (\d+)")


@dataclass(frozen=True)
class PatchTwin:
    """`patch` as lanes; `pots[lane]` is the potentiometer in each that goes into an integrator, 0 for the rest."""

    patch: PatchList
    pots: tuple[int, ...]
    settings: LaneSettings
    multipliers: int

    @classmethod
    def of(cls, patch: PatchList) -> "PatchTwin":
        """Inverters become signs; what only goes to an inverter, a jack or IC is no lane."""
        inverted = {
            c.destination.removeprefix("input of "): c.source for c in patch.cables if "inverter" in c.destination
        }
        multipliers = max((int(number) for c in patch.cables for number in _multiplier(c.destination)), default=0)
        rows = []
        for cable in patch.cables:
            found = _INTO.fullmatch(cable.destination)
            if found is None:
                continue
            gain, node, side, multiplier = found.groups()
            jack, sign = cable.source, 1.0
            while jack in inverted:
                jack, sign = inverted[jack], -sign
            if jack in ("+1", "-1"):
                source, sign, constant = 0, sign * float(jack), True
            else:
                source, constant = _output(jack, patch), False
            port = int(node) - 1 if node else patch.nodes + 2 * int(multiplier) - (2 if side == "A" else 1)
            rows.append((sign * float(gain or 1) * cable.dial, source, port, constant, cable.pot))
        settings = LaneSettings(
            value=torch.tensor([[row[0] for row in rows]], dtype=torch.float64),
            source=torch.tensor([[row[1] for row in rows]]),
            destination=torch.tensor([[row[2] for row in rows]]),
            on=torch.ones(1, len(rows), dtype=torch.bool),
            constant=torch.tensor([[row[3] for row in rows]]),
            rate=torch.tensor([patch.k0_per_s], dtype=torch.float64),
        )
        return cls(patch, tuple(row[4] for row in rows), settings, multipliers)

    @property
    def steady_nodes(self) -> list[int]:
        """Integrators, from 0, that a constant enters."""
        where = self.settings.destination[0][self.settings.constant[0]].tolist()
        return sorted(node for node in set(where) if node < self.patch.nodes)

    def states(self, gain: Tensor, offset: Tensor, start: Tensor, seconds: float, snapshots: int) -> Tensor:
        """Integrators as read `[snapshot, run, node]` at equal times up to `seconds`, the first at the beginning.

        `gain[lane]` is over the dial, `offset[node]` enters each integrator besides, `start[run, node]` is read in IC.
        """
        runs = len(start)
        one = self.settings
        value, source, destination, on, constant = (
            row.expand(runs, -1) for row in (one.value, one.source, one.destination, one.on, one.constant)
        )
        settings = LaneSettings(value, source, destination, on, constant, one.rate.expand(runs))
        nodes, lanes = self.patch.nodes, len(self.pots)
        more = self.multipliers + nodes
        ports = nodes + 2 * self.multipliers
        ones, zeros = gain.new_ones(more), gain.new_zeros(ports)
        board = LaneParameters(
            gain=torch.cat([gain, ones]),
            offset=gain.new_zeros(lanes + more),
            input_offset=torch.cat([offset, gain.new_zeros(ports - nodes)]),
            speed=gain.new_ones(nodes),
            reading_gain=gain.new_ones(ports),
            reading_offset_V=zeros,
        )
        fastest = self.patch.k0_per_s * float(self.settings.value.abs().max()) * seconds
        steps = snapshots * max(2, round(fastest * STEPS_A_PACE / snapshots + 0.5))
        time = torch.full((runs,), seconds, dtype=torch.float64)
        return torch.cat([start[None], lane_response(board, settings, start, time, steps, snapshots)])


def _multiplier(destination: str) -> list[str]:
    return re.findall(r"input [AB] of multiplier (\d+)", destination)


def _output(jack: str, patch: PatchList) -> int:
    """Number of an output from 0: integrators, then multipliers."""
    kind, _, number = jack.partition(" ")
    if kind not in ("integrator", "multiplier"):
        raise DesignError(f"{jack!r} is no jack that shows something; make the patch file again")
    return int(number) - 1 + (patch.nodes if kind == "multiplier" else 0)
