"""The circuit that an image makes on a known board, in SI units."""

from collections.abc import Iterator
from math import ceil

import numpy as np
import torch
from torch import Tensor

from jackfield.board import BoardSpec, ConfigImage
from jackfield.compile.known import Floats, Integers, KnownBoard
from jackfield.physics import Circuit, EdgeSet, Imperfection, Slice

__all__ = ["board_circuit", "steps_to_follow"]

_TURN = 2.0  # of the fastest node in one step; the 3/8 rule is stable up to 2.7


def board_circuit(
    image: ConfigImage,
    steps: tuple[tuple[int, int], ...],
    spec: BoardSpec,
    known: KnownBoard,
    *,
    inputs: tuple[int, ...] = (),
    outputs: tuple[int, ...] = (),
    clamped: tuple[int, ...] = (),
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
        clamped=clamped,
    )


def steps_to_follow(circuit: Circuit, least: int) -> tuple[int, ...]:
    """Steps of the 3/8 rule for each slice of a board's circuit: `least`, and one where there are no edges.

    Circuits with driven nodes run to rest, long after their nodes have followed: there the rule has to stay stable.
    """
    return tuple(
        max(least, ceil(part.duration * _fastest(circuit, part) / _TURN) if circuit.clamped else 1) if part.edges else 1
        for part in circuit.slices
    )


def _fastest(circuit: Circuit, part: Slice) -> float:
    """The largest rate of a node, all its edges at their steepest, in 1/s."""
    reach = max(map(abs, circuit.rails or (1.0,)))
    rates = circuit.leak.detach().double().clone()
    for edges in part.edges:
        ends = torch.tensor([[reach], [0.0], [-reach]], dtype=circuit.dtype).expand(-1, len(edges))
        partials = edges.element_law.first_partials(ends, -ends, {k: p.detach() for k, p in edges.parameters.items()})
        steepest = torch.stack([partials["v_s"], partials["v_d"]]).expand(2, 3, -1).abs().amax((0, 1)).double()
        for nodes in (edges.source, edges.destination):
            rates = torch.cat([rates.new_zeros(1), rates]).index_add(0, nodes, steepest)[1:]
    return float((rates / circuit.capacitance.detach().double()).max())


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
