"""From a circuit's edges to edges that a board's cells can hold, as plain arrays."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jackfield.board import BoardSpec, CodeScale
from jackfield.errors import DesignError
from jackfield.physics import LAWS, Circuit, EdgeSet, Parameter, Slice, Waveform

__all__ = ["LoweredSlice", "check_leak", "farads_per_unit", "lower"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_LEAK_TOLERANCE = 0.01


@dataclass(frozen=True)
class LoweredSlice:
    """One slice, one row an edge, in machine units.

    `law[edge]`, `source[edge]`, `destination[edge]` (0 is ground), `parameters[name][edge]` (NaN where the
    law has none of that name), `origin[edge]`: number of the circuit's edge it comes from, counted over the
    slice's edge sets; `injection[node]` current into each node of the board.
    """

    duration: float
    law: NDArray[np.str_]
    source: Integers
    destination: Integers
    parameters: Mapping[str, Floats]
    origin: Integers
    injection: Floats

    @property
    def count(self) -> int:
        """Edges of the slice."""
        return len(self.origin)

    def parameters_of(self, spec: BoardSpec) -> Iterator[tuple[Parameter, CodeScale, Floats]]:
        """Each group's parameters: the law's description, the DAC, the machine values of the edges of that law."""
        for group in spec.groups:
            rows = self.law == group.law
            for parameter in LAWS[group.law].parameters:
                if rows.any():
                    yield parameter, group.parameters[parameter.name], self.parameters[parameter.name][rows]

    def describe(self, edge: int) -> str:
        """The edge for people: `edge 17 (n3->n9)`."""
        ends = ["ground" if n == 0 else f"n{n}" for n in (self.source[edge], self.destination[edge])]
        return f"edge {self.origin[edge]} ({ends[0]}->{ends[1]})"


def lower(circuit: Circuit, spec: BoardSpec) -> tuple[LoweredSlice, ...]:
    """The slices of `circuit` in laws that `spec` has.

    A conductance on a board that has only shifted_relu cells becomes two antiparallel cells with threshold
    zero. Raises DesignError where the circuit has more nodes or slices than the board, a law that it lacks, nodes
    that stay driven on a board that presets nodes before a run alone, or injections that are not constant.
    """
    if circuit.boards is not None:
        raise DesignError(f"the circuit is a population of boards; compile it for one of its {circuit.boards}")
    if circuit.clamped and not spec.nodes.clamp:
        raise DesignError(
            f"the circuit keeps node {circuit.clamped[0]} driven; board {spec.name} presets nodes before a run alone: "
            "choose one that drives nodes, such as jf16s or jf96s"
        )
    if circuit.nodes > spec.nodes.count:
        raise DesignError(
            f"the circuit has {circuit.nodes} nodes, board {spec.name} has {spec.nodes.count}; "
            "choose a larger board or a smaller circuit"
        )
    if not 1 <= len(circuit.slices) <= spec.run.banks:
        raise DesignError(
            f"the circuit has {len(circuit.slices)} slices, board {spec.name} plays one from each of its "
            f"{spec.run.banks} banks; train with at most {spec.run.banks} slices, or use compile_passes"
        )
    return tuple(_lower_slice(part, spec) for part in circuit.slices)


def _lower_slice(part: Slice, spec: BoardSpec) -> LoweredSlice:
    sets, first = [], 0
    for edges in part.edges:
        sets.extend(_lower_set(edges, spec, first))
        first += len(edges.source)
    injection = np.zeros(spec.nodes.count)
    if isinstance(part.injection, Waveform) or (part.injection is not None and part.injection.dim() > 1):
        raise DesignError(
            f"an injection changes in time or from input to input; the trims of board {spec.name} are constant; "
            "give one constant for each node"
        )
    if part.injection is not None:
        given = part.injection.detach().cpu().double().numpy()
        injection[: len(given)] = given
    names = spec.parameter_names
    return LoweredSlice(
        duration=float(part.duration),
        law=_joined([s.law for s in sets], np.str_),
        source=_joined([s.source for s in sets], np.int64),
        destination=_joined([s.destination for s in sets], np.int64),
        parameters={
            name: _joined([s.parameters.get(name, np.full(s.count, np.nan)) for s in sets], np.float64)
            for name in names
        },
        origin=_joined([s.origin for s in sets], np.int64),
        injection=injection,
    )


def _joined(parts: list[NDArray[Any]], kind: type) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=kind)


def _lower_set(edges: EdgeSet, spec: BoardSpec, first: int) -> list[LoweredSlice]:
    laws = {group.law for group in spec.groups}
    plain = _plain(edges, first)
    if edges.law in laws:
        return [plain]
    if edges.law == "conductance" and "shifted_relu" in laws:
        return _antiparallel(plain)
    raise DesignError(
        f"law {edges.law} is asked, board {spec.name} has {', '.join(sorted(laws))}; "
        "train with a law of the board or choose another board"
    )


def _plain(edges: EdgeSet, first: int) -> LoweredSlice:
    source, destination = (end.detach().cpu().numpy().astype(np.int64) for end in (edges.source, edges.destination))
    return LoweredSlice(
        duration=0.0,
        law=np.full(len(source), edges.law),
        source=source,
        destination=destination,
        parameters={name: value.detach().cpu().double().numpy() for name, value in edges.parameters.items()},
        origin=first + np.arange(len(source)),
        injection=np.zeros(0),
    )


def _antiparallel(edges: LoweredSlice) -> list[LoweredSlice]:
    # g d = g relu(d) from s to d, plus g relu(-d) from d to s.
    ends = ((edges.source, edges.destination), (edges.destination, edges.source))
    gain = edges.parameters["gain"]
    return [
        LoweredSlice(
            duration=0.0,
            law=np.full(edges.count, "shifted_relu"),
            source=source,
            destination=destination,
            parameters={"gain": gain, "threshold": np.zeros(edges.count)},
            origin=edges.origin,
            injection=np.zeros(0),
        )
        for source, destination in ends
    ]


def farads_per_unit(circuit: Circuit, spec: BoardSpec) -> float:
    """The board's capacitance over the circuit's, in F a machine unit.

    Raises DesignError where the circuit's nodes have different capacitances: the board's are all alike.
    """
    capacitance = circuit.capacitance.detach().cpu().double().numpy()
    if not np.allclose(capacitance, capacitance[0], rtol=1e-6, atol=0) or not capacitance[0] > 0:
        raise DesignError(
            f"the circuit's capacitances range from {capacitance.min():g} to {capacitance.max():g}, the nodes of "
            f"board {spec.name} are alike; train with one capacitance for all nodes"
        )
    return float(spec.nodes.capacitance_F / capacitance[0])


def check_leak(circuit: Circuit, spec: BoardSpec, farads: float, seconds_per_unit: tuple[float, ...]) -> None:
    """Raise DesignError where the circuit's leak is not the board's, within 1 % of C over a slice."""
    leak = circuit.leak.detach().cpu().double().numpy()
    for number, (part, tau) in enumerate(zip(circuit.slices, seconds_per_unit, strict=True)):
        wrong = (leak * farads / tau - spec.nodes.leak_S) * float(part.duration) * tau / spec.nodes.capacitance_F
        if np.abs(wrong).max(initial=0) > _LEAK_TOLERANCE:
            node = int(np.abs(wrong).argmax())
            raise DesignError(
                f"node {node + 1} leaks {leak[node]:g} in machine units in slice {number}, the nodes of board "
                f"{spec.name} leak {spec.nodes.leak_S:g} S; write the difference as conductance edges to ground"
            )
