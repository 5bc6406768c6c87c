"""The circuit that settings make on one particular board: SI units, imperfect cells; float32 where it is large."""

from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil, inf

import numpy as np
import torch
from numpy.typing import NDArray

from jackfield.board import BoardSpec
from jackfield.emulator.draws import DEFECTS, CellDraws, NodeDraws
from jackfield.emulator.drift import Drift
from jackfield.emulator.profiles import Profile
from jackfield.emulator.settings import Settings
from jackfield.physics import LAWS, Circuit, EdgeSet, Imperfection, Slice

__all__ = ["SINGLE_FROM", "Plant", "steps_for"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_DEAD, _OPEN, _STUCK, _SWAPPED = (DEFECTS.index(name) for name in ("dead", "open", "stuck", "swapped"))

NODE_RATE = 0.3
EDGE_RATE = 0.04
SPREAD = 6.0
FEWEST_STEPS = 4
SINGLE_FROM = 50_000  # edges: float32 is four times as fast there and its rounding moves no node by more than 1 uV


@dataclass(frozen=True)
class Plant:
    """Turns the settings of one bank into a circuit of one slice."""

    spec: BoardSpec
    profile: Profile
    cells: tuple[CellDraws, ...]
    nodes: NodeDraws
    drift: Drift

    def circuit(self, settings: Settings, bank: int, duration_s: float, epoch: int) -> Circuit:
        """Enabled cells only; cells with both ends on one node carry nothing and are left out."""
        found = (self._edges(draws, settings, bank, epoch) for draws in self.cells)
        edges = tuple(each for each in found if each is not None)
        dtype = torch.float32 if sum(map(len, edges)) > SINGLE_FROM else torch.float64
        injection = torch.from_numpy(self.injection(settings, bank)).to(dtype)
        return Circuit(
            nodes=self.spec.nodes.count,
            slices=(Slice(duration_s, tuple(_in(each, dtype) for each in edges), injection),),
            capacitance=self._capacitance.to(dtype),
            leak=self._leak.to(dtype),
            rails=self.spec.nodes.rail_V,
        )

    @cached_property
    def _capacitance(self) -> torch.Tensor:
        return torch.from_numpy(self.nodes.capacitance_F)

    @cached_property
    def _leak(self) -> torch.Tensor:
        return torch.from_numpy(self.nodes.leak_S)

    def injection(self, settings: Settings, bank: int) -> Floats:
        """Current into each node that flows whatever the cells do: trim and offset."""
        return np.asarray(self.nodes.trim_gain * self.spec.nodes.trim.value(settings.trim[bank]) + self.nodes.offset_A)

    def injected(self, codes: Integers | None) -> Floats | None:
        """Currents `[input, point, node]` that the injection DACs drive at `codes`."""
        injection = self.spec.nodes.injection
        if codes is None or injection is None:
            return None
        return np.asarray(self.nodes.injection_gain * injection.dac.value(codes))

    def _edges(self, draws: CellDraws, settings: Settings, bank: int, epoch: int) -> EdgeSet | None:
        members = draws.group.members
        source, destination = settings.source[bank, members], settings.destination[bank, members]
        conducts = settings.enable[bank, members] & (draws.defect != _DEAD) & (draws.defect != _OPEN)
        here = np.flatnonzero(conducts & (source != destination))
        if not here.size:
            return None
        swapped = draws.defect[here] == _SWAPPED
        start = np.where(swapped, destination[here], source[here])
        stop = np.where(swapped, source[here], destination[here])
        parameters = {
            name: torch.from_numpy(self._values(draws, name, settings.codes[name][bank, members][here], here, epoch))
            for name in draws.group.parameters
        }
        return EdgeSet(
            draws.group.law,
            torch.from_numpy(start.astype(np.int64)),
            torch.from_numpy(stop.astype(np.int64)),
            parameters,
            self._imperfection(draws, here),
        )

    def _values(self, draws: CellDraws, name: str, codes: Integers, here: Integers, epoch: int) -> Floats:
        drawn = draws.parameters[name]
        if not drawn.is_offset:
            codes = np.where(draws.defect[here] == _STUCK, drawn.stuck_code[here], codes)
        return drawn.value(codes, here, self.drift.of(draws, name, epoch)[here])

    def _imperfection(self, draws: CellDraws, here: Integers) -> Imperfection | None:
        knee, saturation = self.profile.knee_V, self.profile.saturation_of_limit
        offset = draws.current_A[here]
        if knee == 0 and saturation == inf and not offset.any():
            return None
        return Imperfection(
            torch.tensor(knee, dtype=torch.float64),
            torch.tensor(saturation * draws.group.output_limit_A, dtype=torch.float64),
            torch.from_numpy(offset),
        )


def _in(edges: EdgeSet, dtype: torch.dtype) -> EdgeSet:
    cell = edges.imperfection
    if cell is not None:
        cell = Imperfection(cell.knee.to(dtype), cell.saturation.to(dtype), cell.offset.to(dtype))
    parameters = {name: value.to(dtype) for name, value in edges.parameters.items()}
    return replace(edges, parameters=parameters, imperfection=cell)


def steps_for(circuit: Circuit) -> int:
    """Steps of the 3/8 rule that keep the error of the slice below 1e-5 V where no node reaches a rail.

    Two bounds, found on random circuits and held by a test. With h the step and C the node's capacitance:
    h (rate of the node's cells + leak)/C <= NODE_RATE for the rule's own error, and
    h (slope of any one cell)/C <= EDGE_RATE for its kink, which many cells on one node average out; a
    kink without a knee takes half of that. The rate of a node's cells is the sum of their slopes, or, where
    many of both signs make up for each other, what is left of it and SPREAD times the root of their squares.
    """
    part = circuit.slices[0]
    capacitance = circuit.capacitance.numpy()
    size, left, square = (np.zeros(circuit.nodes + 1) for _ in range(3))
    single = 0.0
    for edges in part.edges:
        steepest = _steepest(edges, circuit.rails or (-1.0, 1.0))
        for ends in (edges.source.numpy(), edges.destination.numpy()):
            for total, slopes in ((size, np.abs(steepest)), (left, steepest), (square, steepest**2)):
                total += np.bincount(ends, slopes, minlength=len(total))
        sharp = edges.imperfection is None or float(edges.imperfection.knee) == 0.0
        kinked = not edges.element_law.smooth
        single = max(single, float(np.abs(steepest).max()) * (2 if sharp and kinked else 1) * kinked)
    cells = np.minimum(size, np.abs(left) + SPREAD * np.sqrt(square))[1:]
    node_rate = float(((cells + circuit.leak.numpy()) / capacitance).max()) / NODE_RATE
    edge_rate = single / float(capacitance.min()) / EDGE_RATE
    return max(FEWEST_STEPS, ceil(part.duration * max(node_rate, edge_rate)))


def _steepest(edges: EdgeSet, rails: tuple[float, float]) -> Floats:
    """The slope di/dv of each edge, of either end, that is largest in size at the corners and the middle of the rails,
    with the sign that makes v_s - v_d decay where it is positive."""
    points = torch.tensor([rails[0], sum(rails) / 2, rails[1]], dtype=torch.float64)
    v_s, v_d = (grid.reshape(-1, 1) for grid in torch.meshgrid(points, points, indexing="ij"))
    partials = LAWS[edges.law].first_partials(v_s, v_d, edges.parameters)
    both = torch.cat([partials["v_s"].expand(9, len(edges)), -partials["v_d"].expand(9, len(edges))])
    return np.asarray(both.gather(0, both.abs().argmax(dim=0, keepdim=True))[0].numpy())
