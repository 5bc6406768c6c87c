"""A circuit as a list of cables and potentiometers, for an analog computer that is patched by hand (The Analog Thing).

Integrators and inverters negate, multipliers do not; a potentiometer takes a share between 0 and 1 of what it gets;
an integrator has inputs of gain 1 and 10. One unit is the machine's full scale, `k0` what an integrator moves by in a
second at an input of 1 and gain 1.
"""

from dataclasses import dataclass
from html import escape

from jackfield.compile.lane_terms import Terms, circuit_terms
from jackfield.errors import DesignError
from jackfield.physics import Circuit

__all__ = ["Cable", "PatchList", "PatchedMachine", "patch_list"]

LARGEST_GAIN = 10.0


@dataclass(frozen=True)
class PatchedMachine:
    """What a machine has, by the numbers on its front."""

    name: str
    integrators: int
    inverters: int
    multipliers: int
    potentiometers: int
    k0_per_s: float


THE_ANALOG_THING = PatchedMachine("The Analog Thing", 5, 4, 2, 8, 1000.0)


@dataclass(frozen=True)
class Cable:
    """One connection from a jack to another, through potentiometer `pot` set to `setting` where there is one."""

    source: str
    destination: str
    pot: str
    setting: float

    def __str__(self) -> str:
        through = f" through {self.pot} set to {self.setting:.3f}" if self.pot else ""
        return f"{self.source} to {self.destination}{through}"


@dataclass(frozen=True)
class PatchList:
    """All cables of a circuit; `op_s` is how long OP lasts, `initial` the jacks that take the initial values."""

    machine: str
    cables: tuple[Cable, ...]
    initial: tuple[str, ...]
    op_s: float

    def page(self, title: str) -> str:
        """A printable page: one row a cable with a box to tick, then the run."""
        rows = "".join(
            f"<tr><td>&#9744;</td><td>{escape(c.source)}</td><td>{escape(c.destination)}</td>"
            f"<td>{escape(c.pot)}</td><td>{f'{c.setting:.3f}' if c.pot else ''}</td></tr>"
            for c in self.cables
        )
        head = "<tr><th></th><th>from</th><th>to</th><th>through</th><th>set to</th></tr>"
        run = (
            f"Initial values at {escape(', '.join(self.initial))}. IC, then OP for {self.op_s * 1e3:.3f} ms, then HALT."
        )
        return (
            f"<!doctype html><meta charset='utf-8'><title>{escape(title)}</title>"
            "<style>table{border-collapse:collapse}td,th{border:1px solid;padding:.2em .6em}</style>"
            f"<h1>{escape(title)}: {escape(self.machine)}</h1><table>{head}{rows}</table><p>{run}</p>"
        )


def patch_list(
    circuit: Circuit, volts_per_unit: float, seconds_per_unit: float, machine: PatchedMachine = THE_ANALOG_THING
) -> PatchList:
    """The cables for `circuit` (one slice of conductances and quadratic edges to ground, in machine units).

    `volts_per_unit` counts in full scales. Raises DesignError naming what runs out, or a coefficient out of reach.
    """
    terms = circuit_terms(circuit)
    patch = _Patch(machine)
    for node in range(1, len(terms.constant) + 1):
        _inputs_of(node, terms, patch, volts_per_unit, 1 / (machine.k0_per_s * seconds_per_unit))
    patch.check(len(terms.constant))
    initial = tuple(f"IC of integrator {node}" for node in circuit.inputs)
    return PatchList(machine.name, tuple(patch.cables), initial, float(circuit.slices[0].duration) * seconds_per_unit)


def _inputs_of(node: int, terms: Terms, patch: "_Patch", volts: float, pace: float) -> None:
    """What goes into an integrator, which negates: what raises the node comes in with the other sign."""
    for other, value in enumerate(terms.linear[node - 1], start=1):
        if value:
            patch.connect(patch.output(other, positive=value < 0), node, abs(value) * pace)
    if terms.constant[node - 1]:
        value = terms.constant[node - 1] * volts
        patch.connect("+1" if value < 0 else "-1", node, abs(value) * pace)
    for pair in terms.curved:
        if node not in (pair.source, pair.destination):
            continue
        if pair.destination or pair.cube:
            raise DesignError(
                f"edge {pair} needs more than a square to ground; patch conductances, or use another board"
            )
        square = patch.square(pair.source)
        value = -pair.square * terms.per_capacitance[node - 1] / volts
        patch.connect(square if value < 0 else patch.inverted(square), node, abs(value) * pace)


class _Patch:
    """Cables so far, and what is in use."""

    def __init__(self, machine: PatchedMachine) -> None:
        self.cables: list[Cable] = []
        self._machine = machine
        self._inverted: dict[str, str] = {}
        self._squares: dict[int, str] = {}
        self._pots = 0

    def output(self, node: int, positive: bool) -> str:
        """A jack that shows the node's voltage, or its opposite."""
        jack = f"integrator {node}"
        return jack if positive else self.inverted(jack)

    def inverted(self, jack: str) -> str:
        """A jack that shows the opposite of `jack`."""
        if jack not in self._inverted:
            self._inverted[jack] = f"inverter {len(self._inverted) + 1}"
            self.cables.append(Cable(jack, f"input of {self._inverted[jack]}", "", 1.0))
        return self._inverted[jack]

    def square(self, node: int) -> str:
        """A jack that shows the square of the node's voltage."""
        if node not in self._squares:
            self._squares[node] = f"multiplier {len(self._squares) + 1}"
            for side in "AB":
                self.cables.append(Cable(f"integrator {node}", f"input {side} of {self._squares[node]}", "", 1.0))
        return self._squares[node]

    def connect(self, jack: str, node: int, gain: float) -> None:
        """`jack` into integrator `node` times `gain`."""
        if gain > LARGEST_GAIN:
            raise DesignError(
                f"{jack} to integrator {node} needs a gain of {gain:.3g}, {LARGEST_GAIN:g} is possible; "
                "take more seconds a unit"
            )
        fast = 10 if gain > 1 else 1
        self._pots += 1
        self.cables.append(
            Cable(jack, f"input x{fast} of integrator {node}", f"potentiometer {self._pots}", gain / fast)
        )

    def check(self, nodes: int) -> None:
        """Raise DesignError where the machine has less than is used."""
        machine = self._machine
        for what, used, there in (
            ("integrators", nodes, machine.integrators),
            ("inverters", len(self._inverted), machine.inverters),
            ("multipliers", len(self._squares), machine.multipliers),
            ("potentiometers", self._pots, machine.potentiometers),
        ):
            if used > there:
                raise DesignError(
                    f"{what} run out: the circuit takes {used}, {machine.name} has {there}; leave out edges or nodes"
                )
