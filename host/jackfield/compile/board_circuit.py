"""The circuit that an image makes on a known board, in SI units."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from jackfield.board import BoardSpec, ConfigImage
from jackfield.compile.known import Floats, Integers, KnownBoard
from jackfield.physics import Circuit, EdgeSet, Imperfection, Slice

__all__ = ["board_circuit"]


def board_circuit(
    image: ConfigImage,
    steps: tuple[tuple[int, int], ...],
    spec: BoardSpec,
    known: KnownBoard,
    *,
    inputs: tuple[int, ...] = (),
    outputs: tuple[int, ...] = (),
    dtype: torch.dtype = torch.float64,
) -> Circuit:
    """Volts, seconds, siemens, amperes, farads; one slice a step `(bank, ticks)`, all nodes of the board.

    Every enabled cell is an edge with its curve, knee, saturation and offset current; trims and node offsets
    are injections; leaks and capacitances are the nodes' own; the rails clamp. Between steps stands a slice
    without edges: while banks change cells are off, and the next bank's trims flow already.
    """
    return Circuit(
        nodes=spec.nodes.count,
        slices=tuple(_slices(image, steps, spec, known, dtype)),
        capacitance=_tensor(spec.nodes.capacitance_F * known.capacitance_ratio, dtype),
        leak=_tensor(known.leak_S, dtype),
        rails=spec.nodes.rail_V,
        inputs=inputs,
        outputs=outputs,
    )


def _slices(
    image: ConfigImage, steps: tuple[tuple[int, int], ...], spec: BoardSpec, known: KnownBoard, dtype: torch.dtype
) -> Iterator[Slice]:
    for number, (bank, ticks) in enumerate(steps):
        trims = spec.nodes.trim.value(image.trim[bank]) * known.trim_gain
        injection = _tensor(trims + known.node_offset_A, dtype)
        if number and spec.run.bank_switch_s > 0:
            yield Slice(spec.run.bank_switch_s, (), injection)
        yield Slice(ticks * spec.run.tick_s, _edge_sets(image, bank, spec, known, dtype), injection)


def _edge_sets(
    image: ConfigImage, bank: int, spec: BoardSpec, known: KnownBoard, dtype: torch.dtype
) -> tuple[EdgeSet, ...]:
    sets = []
    # A cell from a node to itself carries nothing between nodes.
    live = image.enable[bank] & (image.source[bank] != image.destination[bank])
    for group in spec.groups:
        cells = group.first + np.flatnonzero(live[group.members])
        sets.append(
            EdgeSet(
                law=group.law,
                source=torch.from_numpy(image.source[bank, cells]),
                destination=torch.from_numpy(image.destination[bank, cells]),
                parameters={
                    name: _tensor(known.to_actual(name, cells, scale.value(image.codes[name][bank, cells])), dtype)
                    for name, scale in group.parameters.items()
                },
                imperfection=imperfection(cells, group.output_limit_A, known, dtype),
            )
        )
    return tuple(sets)


def imperfection(cells: Integers, output_limit: float, known: KnownBoard, dtype: torch.dtype) -> Imperfection:
    """Knee, saturation and offset current of `cells`, whose full-scale current is `output_limit` amperes."""
    return Imperfection(
        knee=_tensor(known.knee_V, dtype),
        saturation=_tensor(known.saturation * output_limit, dtype),
        offset=_tensor(known.current_offset_A[cells], dtype),
    )


def _tensor(values: Floats, dtype: torch.dtype) -> Tensor:
    return torch.from_numpy(np.asarray(values, dtype=np.float64)).to(dtype)
