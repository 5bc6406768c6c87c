"""The twin as a function of trainable codes: what gradients are taken of."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from jackfield.board import CellGroup, CodeScale, ConfigImage
from jackfield.compile import Twin, board_circuit, steps_to_follow
from jackfield.physics import EdgeSet, Slice, integrate

__all__ = ["Knob", "TwinGradient"]

STEPS = 8
DTYPE = torch.float32

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Knob:
    """One parameter of one group of cells in one bank, or the trims of a bank (`group` None).

    `places` are cells (indices in spec order) or nodes (index n - 1); trained values are in full scales of `dac`.
    """

    bank: int
    name: str
    group: CellGroup | None
    places: Integers
    dac: CodeScale

    @property
    def key(self) -> str:
        """A name for the trained values."""
        return f"{self.bank}_{self.group.name if self.group else 'node'}_{self.name}"

    def codes(self, values: Floats) -> Integers:
        """The nearest codes to `values` in full scales."""
        return self.dac.code(self.dac.clip(values * self.dac.hi))

    def of(self, image: ConfigImage) -> Integers:
        """This knob's codes in `image`."""
        codes = image.trim if self.group is None else image.codes[self.name]
        return np.asarray(codes[self.bank, self.places])


@dataclass(frozen=True)
class TwinGradient:
    """Node voltages of `twin` at the end of a run, differentiable to the codes of the cells that its image uses."""

    twin: Twin

    @cached_property
    def knobs(self) -> tuple[Knob, ...]:
        """Parameters of live cells and trims of every bank that the program plays."""
        spec, image = self.twin.compiled.spec, self.twin.image
        found = []
        for bank in sorted({bank for bank, _ in self.twin.compiled.program.steps}):
            live = image.enable[bank] & (image.source[bank] != image.destination[bank])
            for group in spec.groups:
                cells = group.first + np.flatnonzero(live[group.members])
                found += [Knob(bank, name, group, cells, dac) for name, dac in group.parameters.items() if len(cells)]
            found.append(Knob(bank, "trim", None, np.arange(spec.nodes.count), spec.nodes.trim))
        return tuple(found)

    def start(self) -> dict[str, Tensor]:
        """The values by key, in full scales, that the twin's image has."""
        image = self.twin.image
        return {knob.key: torch.from_numpy(knob.dac.value(knob.of(image)) / knob.dac.hi) for knob in self.knobs}

    def image(self, values: Mapping[str, Tensor]) -> ConfigImage:
        """The twin's image with `values` by key, in full scales, rounded to codes."""
        old = self.twin.image
        image = replace(old, codes={name: codes.copy() for name, codes in old.codes.items()}, trim=old.trim.copy())
        for knob in self.knobs:
            rounded = knob.codes(values[knob.key].detach().double().numpy())
            (image.trim if knob.group is None else image.codes[knob.name])[knob.bank, knob.places] = rounded
        return image

    @torch.no_grad()
    def confine(self, values: Mapping[str, Tensor]) -> None:
        """Bring every value back into the range of its DAC."""
        for knob in self.knobs:
            values[knob.key].clamp_(knob.dac.lo / knob.dac.hi, 1.0)

    def ends(self, image: ConfigImage, values: Mapping[str, Tensor], codes: Integers) -> Tensor:
        """Volts `[batch, node]` at HOLD after presets `codes` `[batch, node]`; `values` by key, in full scales, are
        those that `image` was rounded from."""
        compiled, known = self.twin.compiled, self.twin.known
        clamp = compiled.program.clamp
        circuit = board_circuit(image, compiled.program.steps, compiled.spec, known, clamped=clamp, dtype=DTYPE)
        banks = [bank for bank, _ in compiled.program.steps]
        playing, slices = 0, []
        for part in circuit.slices:
            if not part.edges:  # while banks change
                slices.append(self._trimmed(part, banks[playing], image, values))
                continue
            slices.append(self._tuned(part, banks[playing], image, values))
            playing += 1
        circuit = replace(circuit, slices=tuple(slices))
        start = self.twin.preset(codes).to(DTYPE)
        return integrate(circuit, start, steps=steps_to_follow(circuit, STEPS))[-1]

    def _tuned(self, part: Slice, bank: int, image: ConfigImage, values: Mapping[str, Tensor]) -> Slice:
        sets = []
        groups = zip(self.twin.compiled.spec.groups, part.edges, strict=True)
        for group, edges in groups:
            parameters = {
                knob.name: self._followed(knob, edges.parameters[knob.name], image, values[knob.key])
                for knob in self.knobs
                if knob.bank == bank and knob.group is group
            }
            if parameters:
                sets.append(EdgeSet(edges.law, edges.source, edges.destination, parameters, edges.imperfection))
        return self._trimmed(replace(part, edges=tuple(sets)), bank, image, values)

    def _trimmed(self, part: Slice, bank: int, image: ConfigImage, values: Mapping[str, Tensor]) -> Slice:
        knob = next(knob for knob in self.knobs if knob.bank == bank and knob.group is None)
        assert isinstance(part.injection, Tensor)
        return replace(part, injection=self._followed(knob, part.injection, image, values[knob.key]))

    def _followed(self, knob: Knob, actual: Tensor, image: ConfigImage, value: Tensor) -> Tensor:
        """`actual`, with the gradient that it has to `value`: rounding passes it on unchanged."""
        nominal = knob.dac.value(knob.of(image))
        known = self.twin.known
        slope = known.trim_gain if knob.group is None else known.slope(knob.name, knob.places, nominal)
        step = torch.from_numpy(np.asarray(slope) * knob.dac.hi) * (value - value.detach())
        return actual + step.to(DTYPE)
