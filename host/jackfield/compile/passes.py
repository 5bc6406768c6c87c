"""More slices than a board has banks: several passes, the host carrying the node voltages between them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from jackfield.board import BoardSpec, CalibrationRecord
from jackfield.compile.compiled import CompiledCircuit
from jackfield.compile.compiler import compile_circuit
from jackfield.compile.jfi import ImageFile, read_image_file, write_image_file
from jackfield.compile.report import QuantisationReport
from jackfield.compile.scaling import choose_scaling
from jackfield.errors import DesignError
from jackfield.physics import Circuit, integrate

__all__ = ["CompiledPasses", "compile_passes"]

_STEPS = 32


@dataclass(frozen=True)
class CompiledPasses:
    """A circuit as `passes` over one board, an image each; one where the slices fit the banks.

    All passes but the last read every node of the circuit, all but the first preset every node: their `outputs`
    and `inputs` are these nodes in the same order.
    """

    passes: tuple[CompiledCircuit, ...]

    @property
    def only(self) -> CompiledCircuit:
        """The one pass; raises DesignError where there are several."""
        if len(self.passes) > 1:
            raise DesignError(
                f"the circuit runs in {len(self.passes)} passes on board {self.spec.name}, one is possible here; "
                "`jackfield run` and `jackfield evaluate` play it"
            )
        return self.passes[0]

    @property
    def spec(self) -> BoardSpec:
        """The board."""
        return self.passes[0].spec

    @property
    def inputs(self) -> tuple[int, ...]:
        """Nodes that the circuit's inputs preset, in the first pass."""
        return self.passes[0].inputs

    @property
    def outputs(self) -> tuple[int, ...]:
        """Nodes whose voltages at the end of the last pass are the answer."""
        return self.passes[-1].outputs

    @property
    def volts_per_unit(self) -> float:
        """U, the same in all passes."""
        return self.passes[0].scaling.volts_per_unit

    @property
    def record_id(self) -> str:
        """The record that codes and corrections come from, "" for none."""
        return self.passes[0].record_id

    @property
    def record(self) -> Mapping[str, Any]:
        """What that record's provenance says of the board, empty for none."""
        return self.passes[0].record

    @property
    def report(self) -> QuantisationReport | None:
        """What was asked of the cells of all passes and what their codes give; None for what a file held."""
        reports = [part.report for part in self.passes if part.report is not None]
        return QuantisationReport.joined(reports) if reports else None

    def carried(self, number: int, shown_V: NDArray[np.float64]) -> NDArray[np.int64]:
        """Preset codes `[batch, node]` that start pass `number` + 1 from what the probes showed after pass `number`.

        `shown_V` `[batch, output]` is corrected for the droop since HOLD and brought into the presets' range.
        """
        before, after = self.passes[number : number + 2]
        return after.codes_at(shown_V / before.held_share)

    def save(self, path: Path | str) -> Path:
        """Write one image file and return its name, which ends in .jfi; raises DesignError where it cannot."""
        images = (part.image.payload(self.spec) for part in self.passes)
        return write_image_file(path, ImageFile(tuple(part.header for part in self.passes), tuple(images)))

    @classmethod
    def load(cls, path: Path | str, spec: BoardSpec) -> Self:
        """What `save` wrote, for board `spec`; errors as for CompiledCircuit.load."""
        file = read_image_file(path)
        parts = zip(file.headers, file.payloads, strict=True)
        return cls(tuple(CompiledCircuit.from_header(header, payload, spec, path) for header, payload in parts))


def compile_passes(
    circuit: Circuit,
    spec: BoardSpec,
    *,
    record: CalibrationRecord | None = None,
    largest_v: float | None = None,
    volts_per_unit: float | None = None,
    seconds_per_unit: float | Sequence[float] | None = None,
    allow_clipped: int = 0,
    fit_inputs: Tensor | None = None,
) -> CompiledPasses:
    """`compile_circuit` for any number of slices, as many a pass as the board has banks.

    `allow_clipped` counts for each pass. Raises as compile_circuit does, for the pass that does not fit.
    """
    parts = _parts(circuit, spec)
    if len(parts) == 1:
        only = compile_circuit(
            circuit,
            spec,
            record=record,
            largest_v=largest_v,
            volts_per_unit=volts_per_unit,
            seconds_per_unit=seconds_per_unit,
            allow_clipped=allow_clipped,
            fit_inputs=fit_inputs,
        )
        return CompiledPasses((only,))
    taus = _taus_of(parts, seconds_per_unit)
    volts = min(
        choose_scaling(
            part, spec, largest_v=largest_v, volts_per_unit=volts_per_unit, seconds_per_unit=tau
        ).volts_per_unit
        for part, tau in zip(parts, taus, strict=True)
    )
    passes, start = [], fit_inputs
    for part, tau in zip(parts, taus, strict=True):
        passes.append(
            compile_circuit(
                part,
                spec,
                record=record,
                volts_per_unit=volts,
                seconds_per_unit=tau,
                allow_clipped=allow_clipped,
                fit_inputs=start,
            )
        )
        start = None if start is None else _end(part, start)
    return CompiledPasses(tuple(passes))


def _parts(circuit: Circuit, spec: BoardSpec) -> list[Circuit]:
    """The circuit's slices pass by pass; where one pass hands over to the next every node is output and input."""
    banks, count = spec.run.banks, len(circuit.slices)
    every = tuple(range(1, circuit.nodes + 1))
    return [
        replace(
            circuit,
            slices=circuit.slices[first : first + banks],
            inputs=every if first else circuit.inputs,
            outputs=circuit.outputs if first + banks >= count else every,
        )
        for first in range(0, max(count, 1), banks)
    ]


def _taus_of(
    parts: Sequence[Circuit], seconds_per_unit: float | Sequence[float] | None
) -> list[float | Sequence[float] | None]:
    """`seconds_per_unit` of each pass; a list that fits no pass is left whole, for choose_scaling to refuse."""
    if seconds_per_unit is None or isinstance(seconds_per_unit, int | float):
        return [seconds_per_unit] * len(parts)
    sizes = [len(part.slices) for part in parts]
    if len(seconds_per_unit) != sum(sizes):
        return [seconds_per_unit] * len(parts)
    begins = [sum(sizes[:k]) for k in range(len(sizes))]
    return [seconds_per_unit[begin : begin + size] for begin, size in zip(begins, sizes, strict=True)]


def _end(circuit: Circuit, inputs: Tensor) -> Tensor:
    """States `[batch, node]` at the end of `circuit` for `inputs` `[batch, input]`, machine units."""
    v0 = torch.zeros(len(inputs), circuit.nodes, dtype=circuit.dtype)
    v0[:, torch.tensor(circuit.inputs) - 1] = inputs.to(circuit.dtype)
    with torch.no_grad():
        return integrate(circuit, v0, steps=_STEPS)[-1]
