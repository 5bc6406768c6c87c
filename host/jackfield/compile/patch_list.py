"""A circuit as a list of cables and potentiometers, for a machine that is patched by hand (The Analog Thing).

Integrators and inverters negate, multipliers do not; a potentiometer takes a share between 0 and 1 of what it gets;
an integrator has inputs of gain 1 and 10. One unit is the machine's full scale, k0 what an integrator moves by in a
second at an input of 1 and gain 1 (the-analog-thing.org, wiki pages Integrator and Coefficients/Potentiometers).
"""

from collections.abc import Sequence

from jackfield.board import Cable, PatchedMachine, PatchList
from jackfield.compile.lane_terms import Terms, circuit_terms
from jackfield.errors import DesignError
from jackfield.physics import Circuit

__all__ = ["patch_list"]

MS_A_SECOND = 1000
HEADROOM = 0.9  # of a knob's way, so that there is room to correct it


def patch_list(
    circuit: Circuit,
    machine: PatchedMachine,
    volts_per_unit: float,
    seconds_per_unit: float | None = None,
    inputs: Sequence[float] = (),
) -> PatchList:
    """The cables for `circuit` (one slice of conductances and quadratic edges to ground, in machine units).

    `volts_per_unit` counts in full scales. OP lasts whole milliseconds; without `seconds_per_unit` it is the shortest
    for which slow integrators need no gain of 10: a slow run is logged at many points. `inputs` (machine units, in the
    order of the circuit's) take potentiometers too. Raises DesignError naming what runs out or is out of reach.
    """
    terms, duration = circuit_terms(circuit), float(circuit.slices[0].duration)
    if len(inputs) not in (0, len(circuit.inputs)):
        raise DesignError(f"{len(inputs)} inputs are given, the circuit takes {len(circuit.inputs)}; give one for each")
    largest = _largest(terms, volts_per_unit)
    fast, slow = machine.k0_per_s
    if seconds_per_unit is None:
        seconds_per_unit = largest / slow / HEADROOM
    op_ms = max(1, -int(-seconds_per_unit * duration * MS_A_SECOND * (1 - 1e-9) // 1))
    seconds = op_ms / MS_A_SECOND / duration
    is_slow = largest / (slow * seconds) <= machine.input_gains[1]
    k0 = slow if is_slow else fast
    patch = _Patch(machine)
    for node in range(1, len(terms.constant) + 1):
        _inputs_of(node, terms, patch, volts_per_unit, 1 / (k0 * seconds))
    start = [0.0] * len(terms.constant)
    for node, value in zip(circuit.inputs, inputs, strict=False):
        start[node - 1] = value * volts_per_unit
        if value:
            patch.begin(node, start[node - 1])
    patch.check(len(terms.constant))
    return PatchList(
        machine=machine.name,
        machine_digest=machine.digest,
        nodes=len(terms.constant),
        k0_per_s=k0,
        op_ms=op_ms,
        duration=duration,
        units_per_scale=1 / volts_per_unit,
        slow=is_slow,
        start=tuple(start),
        shown=tuple(dict.fromkeys((*circuit.outputs, *range(1, len(start) + 1))))[: len(machine.outputs)],
        outputs=machine.outputs,
        cables=tuple(patch.cables),
    )


def _largest(terms: Terms, volts: float) -> float:
    """The largest coefficient a unit of time, with a full scale as the unit of voltage."""
    squares = [
        abs(pair.square) * terms.per_capacitance[node - 1] / volts
        for pair in terms.curved
        for node in (pair.source, pair.destination)
        if node
    ]
    return float(max([abs(terms.linear).max(), abs(terms.constant).max() * volts, *squares]))


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
            self.cables.append(Cable(jack, f"input of {self._inverted[jack]}"))
        return self._inverted[jack]

    def square(self, node: int) -> str:
        """A jack that shows the square of the node's voltage."""
        if node not in self._squares:
            self._squares[node] = f"multiplier {len(self._squares) + 1}"
            for side in "AB":
                self.cables.append(Cable(f"integrator {node}", f"input {side} of {self._squares[node]}"))
        return self._squares[node]

    def connect(self, jack: str, node: int, gain: float) -> None:
        """`jack` into integrator `node` times `gain`."""
        one, ten = self._machine.input_gains
        if gain > ten:
            raise DesignError(
                f"{jack} to integrator {node} needs a gain of {gain:.3g}, {ten:g} is possible; take more seconds a unit"
            )
        factor = ten if gain > one else one
        self._through(jack, f"input x{factor:g} of integrator {node}", gain / factor)

    def begin(self, node: int, volts: float) -> None:
        """What integrator `node` shows before OP."""
        if abs(volts) > 1:
            raise DesignError(
                f"integrator {node} is to begin at {volts:.3g} full scales, 1 is possible; take fewer volts a unit"
            )
        self._through("+1" if volts > 0 else "-1", f"IC of integrator {node}", abs(volts))

    def _through(self, jack: str, destination: str, share: float) -> None:
        self._pots += 1
        self.cables.append(Cable(jack, destination, self._pots, float(share), float(share)))

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
