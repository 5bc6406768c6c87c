"""A circuit as an ngspice netlist: behavioural current sources, one transient over all slices."""

from math import inf

import torch
from torch import Tensor

from jackfield.errors import DesignError
from jackfield.physics.circuit import Circuit, EdgeSet, Slice, Waveform


def spice_netlist(circuit: Circuit, v0: Tensor, *, tolerance: float = 1e-6, points: int = 1000) -> str:
    """Text that `ngspice -b FILE` runs; it prints v(n1)[last] = ... for every node at the end.

    `v0` is [node]. The circuit's numbers are taken as SI. `tolerance` is ngspice's reltol (its abstol,
    vntol and chgtol follow from it), `points` the least number of time steps in a slice: tighten both
    until the answer stands, for ngspice's own defaults are off by up to 1.6e-2 here. Rails are not
    written: compare runs that stay inside them. Raises DesignError on a v0 of another shape, on a population of
    boards and on injections of single samples.
    """
    if v0.shape != (circuit.nodes,):
        raise DesignError(f"v0 has shape {tuple(v0.shape)}; give [{circuit.nodes}], one run is one netlist")
    shapes = [_constant(part.injection).dim() for part in circuit.slices if part.injection is not None]
    if circuit.boards is not None or any(dimensions > 1 for dimensions in shapes):
        raise DesignError("a population or injections of single samples are given; one netlist is one board, one run")
    lines = ["* jackfield: one transient over the slices of a circuit"]
    lines += _nodes(circuit, v0)
    starts = [sum(part.duration for part in circuit.slices[:k]) for k in range(len(circuit.slices) + 1)]
    for index, part in enumerate(circuit.slices):
        lines += _sources(part, index, starts[index], starts[index + 1], len(circuit.slices), circuit.nodes)
    lines += _breakpoints(starts[1:-1])
    return "\n".join([*lines, *_analysis(circuit, starts[-1], tolerance, points)]) + "\n"


def _name(node: int) -> str:
    return f"n{node}" if node else "0"


def _volts(node: int) -> str:
    return f"v(n{node})" if node else "0"


def _nodes(circuit: Circuit, v0: Tensor) -> list[str]:
    lines = []
    values = zip(circuit.capacitance.tolist(), circuit.leak.tolist(), v0.tolist(), strict=True)
    for node, (capacitance, leak, volts) in enumerate(values, start=1):
        lines.append(f"C{node} n{node} 0 {capacitance!r} ic={volts!r}")
        if node in circuit.clamped:
            lines.append(f"V{node} n{node} 0 {volts!r}")
        if leak != 0:
            lines.append(f"G{node} n{node} 0 n{node} 0 {leak!r}")
    return lines


def _sources(part: Slice, index: int, start: float, stop: float, slices: int, nodes: int) -> list[str]:
    def gated(expression: str) -> str:
        late, early = f"time<={stop!r}*(1+1e-12)", f"time>{start!r}*(1+1e-12)"
        tests = [early] * (index > 0) + [late] * (index < slices - 1)
        for test in tests:
            expression = f"({test} ? ({expression}) : 0)"
        return expression

    lines = []
    for number, edges in enumerate(part.edges):
        for edge, text in enumerate(_expressions(edges)):
            ends = f"{_name(int(edges.source[edge]))} {_name(int(edges.destination[edge]))}"
            lines.append(f"B{index}_{number}_{edge} {ends} i={gated(text)}")
    for node in range(1, nodes + 1) if part.injection is not None else ():
        current, source = _injected(part, index, node, start, stop)
        lines += [*source, f"B{index}_i{node} 0 n{node} i={gated(current)}"]
    return lines


def _constant(injection: Tensor | Waveform | None) -> Tensor:
    """An injection at the start of its slice; nothing where there is none."""
    if injection is None:
        return torch.zeros(0)
    return injection.points[0] if isinstance(injection, Waveform) else injection


def _injected(part: Slice, index: int, node: int, start: float, stop: float) -> tuple[str, list[str]]:
    """Expression of the current into a node, and the source it may need: a voltage that plays the waveform."""
    if not isinstance(part.injection, Waveform):
        return repr(float(_constant(part.injection)[node - 1].detach())), []
    values = part.injection.points[:, node - 1].tolist()
    times = torch.linspace(start, stop, len(values), dtype=torch.float64).tolist()
    corners = " ".join(f"{time!r} {value!r}" for time, value in zip(times, values, strict=True))
    return f"v(w{index}_{node})", [f"Vw{index}_{node} w{index}_{node} 0 pwl({corners})"]


def _expressions(edges: EdgeSet) -> list[str]:
    count, cell = len(edges), edges.imperfection
    shapes: list[list[float]] = [[0.0, inf, 0.0]] * count
    if cell is not None:
        columns = [x.expand(count).tolist() for x in (cell.knee, cell.saturation, cell.offset)]
        shapes = [list(row) for row in zip(*columns, strict=True)]
    columns = [edges.parameters[name].tolist() for name in edges.element_law.parameter_names]
    return [
        edges.element_law.spice(
            _volts(source),
            _volts(destination),
            dict(zip(edges.element_law.parameter_names, values, strict=True)),
            (shape[0], shape[1], shape[2]),
        )
        for source, destination, shape, *values in zip(
            edges.source.tolist(), edges.destination.tolist(), shapes, *columns, strict=True
        )
    ]


def _breakpoints(times: list[float]) -> list[str]:
    """A source nobody listens to, whose corners make ngspice end a step where a slice ends."""
    if not times:
        return []
    corners = " ".join(f"{time!r} {k % 2}" for k, time in enumerate(times, start=1))
    return [f"Vslices slices 0 pwl(0 0 {corners})", "Rslices slices 0 1"]


def _analysis(circuit: Circuit, stop: float, tolerance: float, points: int) -> list[str]:
    # A slice without edges is a straight line: it needs no steps of its own.
    step = min((part.duration for part in circuit.slices if part.edges), default=stop) / points
    charge = min(circuit.capacitance.tolist()) * tolerance
    names = [f"v(n{node})[last]" for node in range(1, circuit.nodes + 1)]
    return [
        f".options method=trap reltol={tolerance!r} vntol={tolerance * 1e-3!r} "
        f"abstol={charge / stop * 1e-3!r} chgtol={charge * 1e-3!r} trtol=1 itl4=200 numdgt=12",
        f".tran {step!r} {stop!r} 0 {step!r} uic",
        ".control",
        "set numdgt=12",
        "run",
        "let last = length(time) - 1",
        *[f"print {name}" for name in names],
        "quit",
        ".endc",
        ".end",
    ]
