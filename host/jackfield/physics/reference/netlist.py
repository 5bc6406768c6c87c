"""SPICE text of a general network, where SPICE has the element."""

from jackfield.errors import DesignError
from jackfield.physics.reference.branches import Branches
from jackfield.physics.reference.network import Network

__all__ = ["network_netlist"]


def network_netlist(network: Network, start: list[float], duration: float, step: float) -> str:
    """ngspice text that runs `network` from node voltages and inductor currents `start` for `duration`.

    It prints time and all node voltages. Sources hold 0 V. Raises DesignError on memristors and on cubic inductors,
    which SPICE does not have.
    """
    if len(network.memristors):
        raise DesignError("SPICE has no fractional memristor; replace linear ones by resistors")
    if not network.inductors.is_linear:
        raise DesignError("SPICE has no inductor with a cubic flux; make its cubic part 0")
    lines = ["general network"]
    lines += [line for number in range(len(network.capacitors)) for line in _capacitor(network.capacitors, number)]
    lines += [_resistor(network.resistors, number) for number in range(len(network.resistors))]
    for number in range(len(network.inductors)):
        ends, begin = _ends(network.inductors, number), start[network.nodes + number]
        lines.append(f"L{number} {ends} {float(network.inductors.linear[number])!r} ic={begin!r}")
    lines += [f"V{number} {_ends(network.sources, number)} 0" for number in range(len(network.sources))]
    lines += [f".ic V(n{node + 1})={start[node]!r}" for node in range(network.nodes)]
    shown = " ".join(f"v(n{node + 1})" for node in range(network.nodes))
    options = ".options reltol=1e-7 abstol=1e-15 vntol=1e-12"
    return "\n".join([*lines, options, f".tran {step!r} {duration!r} 0 {step!r} uic", f".print tran {shown}", ".end"])


def _ends(kind: Branches, number: int) -> str:
    return " ".join(f"n{int(end)}" if end else "0" for end in (kind.a[number], kind.b[number]))


def _capacitor(kind: Branches, number: int) -> list[str]:
    """ngspice starts a capacitor with a charge formula at 0 V whatever `.ic` says. So the linear part is a plain
    capacitor, and its current, through a source of 0 V, says what the cubic part takes: 3 cubic v^2 dv/dt."""
    linear, cubic, ends = float(kind.linear[number]), float(kind.cubic[number]), _ends(kind, number)
    a, b = ends.split()
    if not cubic:
        return [f"C{number} {ends} {linear!r}"]
    v = f"V({a},{b})"
    return [
        f"C{number} {a} c{number} {linear!r}",
        f"VC{number} c{number} {b} 0",
        f"BC{number} {ends} I={3 * cubic / linear!r}*{v}*{v}*i(VC{number})",
    ]


def _resistor(kind: Branches, number: int) -> str:
    linear, cubic, ends = float(kind.linear[number]), float(kind.cubic[number]), _ends(kind, number)
    v = "V({},{})".format(*ends.split())
    return f"BR{number} {ends} I={linear!r}*{v}+({cubic!r})*{v}*{v}*{v}"
