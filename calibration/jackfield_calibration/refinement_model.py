"""The circuit of an image with corrections to what a record says, and the corrections that readings make likely.

Unknown are the gain scale, the gain at code zero and the threshold of every cell in use, and leak, offset current and
capacitance of every node, in standard errors of the record: each begins at 0 and leaving it costs half its square, so
that what the readings do not show stays as the record has it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from jackfield.board import BoardSpec, ConfigImage
from jackfield.compile import KnownBoard, board_circuit, steps_to_follow
from jackfield.physics import Circuit, Slice, integrate

__all__ = ["CELLS", "NODES", "Observed", "RefinementModel", "fit"]

CELLS = ("gain_scale", "gain_zero_S", "threshold_offset_V")
NODES = ("leak_S", "node_offset_A", "capacitance_ratio")

_STEPS = 8
_ITERATIONS = 40
_DTYPE = torch.float32

Floats = NDArray[np.float64]
Steps = tuple[tuple[int, int], ...]
Values = Mapping[str, Tensor]


@dataclass(frozen=True)
class Observed:
    """Volts at HOLD `end_V[input, node]` where `usable`, standard errors `se_V`, after `steps` from the presets
    `codes[input, node]`."""

    steps: Steps
    codes: NDArray[np.int64]
    end_V: Floats
    se_V: Floats
    usable: NDArray[np.bool_]

    def part(self, rows: slice) -> "Observed":
        """The inputs of `rows` alone."""
        return Observed(self.steps, self.codes[rows], self.end_V[rows], self.se_V[rows], self.usable[rows])


@dataclass(frozen=True)
class RefinementModel:
    """What `image` does on the board that `known` describes; `sigma` are the standard errors of its quantities."""

    spec: BoardSpec
    image: ConfigImage
    known: KnownBoard
    sigma: Mapping[str, Floats]

    def none(self) -> dict[str, Tensor]:
        """Corrections of zero, in standard errors."""
        return {name: torch.zeros(len(self._width[name]), dtype=_DTYPE) for name in (*CELLS, *NODES)}

    def shifts(self, values: Values) -> dict[str, Floats]:
        """The corrections in SI, by quantity."""
        return {name: (value.detach() * self._width[name]).double().numpy() for name, value in values.items()}

    def off_V(self, values: Values, observed: Observed) -> Tensor:
        """Predicted minus measured `[reading]` of all usable readings."""
        nominal = self.spec.nodes.preset.value(observed.codes)
        start = _tensor(nominal * self.known.preset_gain + self.known.preset_offset_V)
        circuit = self._circuit(values, observed.steps)
        end = integrate(circuit, start, steps=steps_to_follow(circuit, _STEPS))[-1]
        return (end - _tensor(observed.end_V))[torch.from_numpy(observed.usable)]

    def rms_V(self, values: Values, observed: list[Observed]) -> float:
        """Rms of predicted minus measured."""
        with torch.no_grad():
            return float(torch.cat([self.off_V(values, part) for part in observed]).square().mean().sqrt())

    @cached_property
    def _width(self) -> dict[str, Tensor]:
        """Standard errors; zero, which keeps a value, where there is none."""
        return {name: _tensor(np.nan_to_num(self.sigma[name], posinf=0.0)) for name in (*CELLS, *NODES)}

    def _circuit(self, values: Values, steps: Steps) -> Circuit:
        circuit = board_circuit(self.image, steps, self.spec, self.known, dtype=_DTYPE)
        shift = {name: values[name] * self._width[name] for name in values}
        banks = iter([bank for bank, _ in steps])
        slices = [self._corrected(part, next(banks), shift) if part.edges else part for part in circuit.slices]
        return replace(
            circuit,
            slices=tuple(_injected(part, shift["node_offset_A"]) for part in slices),
            leak=circuit.leak + shift["leak_S"],
            capacitance=circuit.capacitance + shift["capacitance_ratio"] * self.spec.nodes.capacitance_F,
        )

    def _corrected(self, part: Slice, bank: int, shift: Values) -> Slice:
        image, sets = self.image, []
        live = image.enable[bank] & (image.source[bank] != image.destination[bank])
        for group, edges in zip(self.spec.groups, part.edges, strict=True):
            cells = group.first + np.flatnonzero(live[group.members])
            parameters = dict(edges.parameters)
            if "gain" in parameters:
                nominal = _tensor(group.parameters["gain"].value(image.codes["gain"][bank, cells]))
                parameters["gain"] = (
                    parameters["gain"] + shift["gain_scale"][cells] * nominal + shift["gain_zero_S"][cells]
                )
            if "threshold" in parameters:
                parameters["threshold"] = parameters["threshold"] + shift["threshold_offset_V"][cells]
            sets.append(replace(edges, parameters=parameters))
        return replace(part, edges=tuple(sets))


def fit(model: RefinementModel, observed: list[Observed]) -> dict[str, Tensor]:
    """The most likely corrections, in standard errors.

    What the model leaves out (charge at a bank switch, crosstalk) counts as noise: readings weigh as much as the rms of
    what an earlier fit has left over allows.
    """
    values = _fitted(model, observed, model.none(), 0.0)
    return _fitted(model, observed, values, model.rms_V(values, observed))


def _fitted(model: RefinementModel, observed: list[Observed], begin: Values, left_over_V: float) -> dict[str, Tensor]:
    """By L-BFGS, from `begin`."""
    values = {name: value.clone().requires_grad_() for name, value in begin.items()}
    weights = [1 / (float(np.mean(part.se_V[part.usable] ** 2)) + left_over_V**2) for part in observed]
    optimiser = torch.optim.LBFGS(
        list(values.values()), max_iter=_ITERATIONS, history_size=20, line_search_fn="strong_wolfe"
    )

    def cost() -> Tensor:
        optimiser.zero_grad()
        total = torch.stack([value.square().sum() for value in values.values()]).sum()
        for part, weight in zip(observed, weights, strict=True):
            total = total + weight * model.off_V(values, part).square().sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    optimiser.step(cost)  # type: ignore[no-untyped-call]
    return {name: value.detach() for name, value in values.items()}


def _injected(part: Slice, more_A: Tensor) -> Slice:
    assert isinstance(part.injection, Tensor)  # no waveform: the image drives nothing
    return replace(part, injection=part.injection + more_A)


def _tensor(values: Floats) -> Tensor:
    return torch.from_numpy(np.asarray(values, dtype=np.float64)).to(_DTYPE)
