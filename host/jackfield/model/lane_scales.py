"""What lanes of a board of integrators and multipliers make of an edge's parameters, as if they were cells' DACs."""

from jackfield.board import BoardSpec, CodeScale
from jackfield.errors import DesignError
from jackfield.physics import LAWS

__all__ = ["has_lanes", "lane_scales"]

SHARE = 0.5  # of a node's difference that enters a multiplier, so that its input stays inside full scale


def has_lanes(spec: BoardSpec) -> bool:
    """Whether the board's elements are lanes."""
    return any(group.law == "lane" for group in spec.groups)


def lane_scales(spec: BoardSpec, law: str) -> dict[str, CodeScale]:
    """Ranges, in SI units, of the parameters of `law` at the fast integrators, upscaled behind multipliers only.

    A coefficient c carries c C k0 siemens; behind one or two multipliers a coefficient is worth less by the share of
    the difference that enters them. DesignError for other laws than conductance and polynomial.
    """
    orders = {"conductance": {"gain": 1}, "polynomial": {"g1": 1, "g2": 2, "g3": 3}}
    if law not in orders:
        raise DesignError(f"board {spec.name} has lanes, not cells of law {law}; train with {' or '.join(orders)}")
    coefficient = spec.group("L").parameters["coefficient"]
    upscale = spec.group("L").parameters["upscale"].hi
    siemens = spec.nodes.capacitance_F * spec.group("K").parameters["rate"].hi
    units = {parameter.name: parameter.unit for parameter in LAWS[law].parameters}
    return {
        name: _scaled(coefficient, siemens * (upscale * SHARE**order if order > 1 else 1.0), units[name])
        for name, order in orders[law].items()
    }


def _scaled(scale: CodeScale, factor: float, unit: str) -> CodeScale:
    return CodeScale(scale.lo * factor, scale.hi * factor, scale.bits, scale.coding, unit)
