"""What a circuit asks of integrators and multipliers: its equations, sorted by kind of term."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jackfield.errors import DesignError
from jackfield.physics import Circuit, EdgeSet, Waveform

__all__ = ["CurvedPair", "Terms", "circuit_terms"]

Floats = NDArray[np.float64]
LAWS_OF_LANES = ("conductance", "polynomial")


@dataclass(frozen=True)
class CurvedPair:
    """All curved currents between two nodes: `square` d^2 + `cube` d^3 from `source` to `destination`.

    d = v_source - v_destination; `destination` 0 is ground.
    """

    source: int
    destination: int
    square: float
    cube: float

    @property
    def multipliers(self) -> int:
        """How many multipliers it takes."""
        return 2 if self.cube else 1

    def __str__(self) -> str:
        return f"n{self.source}->{f'n{self.destination}' if self.destination else 'ground'}"


@dataclass(frozen=True)
class Terms:
    """dv/dt in machine units: `linear[node, node]` v + `constant[node]` + the currents of `curved` over C.

    `per_capacitance[node]` is 1/C.
    """

    linear: Floats
    constant: Floats
    curved: tuple[CurvedPair, ...]
    per_capacitance: Floats

    @property
    def multipliers(self) -> int:
        """Multipliers that the curved pairs take."""
        return sum(pair.multipliers for pair in self.curved)


def circuit_terms(circuit: Circuit) -> Terms:
    """The terms of a circuit of one slice with `conductance` and `polynomial` edges.

    Edges between the same two nodes are summed. Raises DesignError for other laws or more slices.
    """
    if len(circuit.slices) != 1:
        raise DesignError(
            f"the circuit has {len(circuit.slices)} slices, boards of integrators and multipliers run one; "
            "train with slices = 1"
        )
    per_capacitance = 1 / circuit.capacitance.detach().cpu().double().numpy()
    linear = -np.diag(circuit.leak.detach().cpu().double().numpy())
    part = circuit.slices[0]
    constant = np.zeros(circuit.nodes)
    if isinstance(part.injection, Waveform) or (part.injection is not None and part.injection.dim() > 1):
        raise DesignError(
            "an injection changes in time or from input to input; boards of integrators and multipliers hold one "
            "constant for each node"
        )
    if part.injection is not None:
        constant = part.injection.detach().cpu().double().numpy()
    curved: dict[tuple[int, int], Floats] = {}
    for edges in part.edges:
        _add(edges, linear, curved)
    pairs = (CurvedPair(*ends, float(square), float(cube)) for ends, (square, cube) in sorted(curved.items()))
    return Terms(
        linear * per_capacitance[:, None],
        constant * per_capacitance,
        tuple(pair for pair in pairs if pair.square or pair.cube),
        per_capacitance,
    )


def _add(edges: EdgeSet, linear: Floats, curved: dict[tuple[int, int], Floats]) -> None:
    if edges.law not in LAWS_OF_LANES:
        raise DesignError(
            f"law {edges.law} is asked, a board of integrators and multipliers has {', '.join(LAWS_OF_LANES)}; "
            "train with the polynomial law"
        )
    values = {name: value.detach().cpu().double().numpy() for name, value in edges.parameters.items()}
    slope = values["gain"] if edges.law == "conductance" else values["g1"]
    for edge, (s, d) in enumerate(zip(edges.source.tolist(), edges.destination.tolist(), strict=True)):
        for node, other in ((s, d), (d, s)):
            if node:
                linear[node - 1, node - 1] -= slope[edge]
                if other:
                    linear[node - 1, other - 1] += slope[edge]
        if edges.law == "polynomial":
            # The pair is named by its larger end first when the other is ground, else by its lower one; turning an
            # edge round changes the sign of d, and so of the square term only.
            turned = s == 0 or (d != 0 and d < s)
            ends = (d, s) if turned else (s, d)
            found = curved.setdefault(ends, np.zeros(2))
            found += (-values["g2"][edge] if turned else values["g2"][edge], values["g3"][edge])
