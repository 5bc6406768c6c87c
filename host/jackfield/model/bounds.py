"""What a board allows a network: rails, ranges and codes of its cells, in machine units.

With U volts per machine unit, tau seconds per unit of time and C the nodes' capacitance, a unit of current is
A = C U/tau amperes, and a law's parameter is U^volts A^amperes times its machine value.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Self

from torch import Tensor

from jackfield.board import BoardSpec, CellGroup, CodeScale
from jackfield.errors import DesignError
from jackfield.model.lane_scales import has_lanes, lane_scales
from jackfield.model.tables import check_keys, from_table
from jackfield.physics import LAWS

__all__ = ["Bounds"]

_SHARE_OF_RAIL = 0.9


@dataclass(frozen=True)
class Bounds:
    """Ranges for a network of edges of `law` on one board.

    `scales` are the DACs of the law's parameters in SI units, `rail_V` the rails about the common mode.
    """

    board: str
    spec_digest: str
    law: str
    capacitance_F: float
    rail_V: tuple[float, float]
    volts_per_unit: float
    seconds_per_unit: float
    scales: Mapping[str, CodeScale]

    @classmethod
    def from_spec(
        cls, spec: BoardSpec, volts_per_unit: float, seconds_per_unit: float, law: str = "shifted_relu"
    ) -> Self:
        """The bounds of a board with cells of `law` at U = `volts_per_unit`, tau = `seconds_per_unit`.

        Raises DesignError where the board has no such cells, or U or tau is not above zero.
        """
        if not (volts_per_unit > 0 and seconds_per_unit > 0):
            raise DesignError(
                f"{volts_per_unit:g} volts and {seconds_per_unit:g} seconds per unit are asked; both must be above zero"
            )
        scales = lane_scales(spec, law) if has_lanes(spec) else _scales_of_cells(spec, law)
        low, high = (rail - spec.nodes.common_mode_V for rail in spec.nodes.rail_V)
        farads = spec.nodes.capacitance_F
        return cls(spec.name, spec.digest, law, farads, (low, high), volts_per_unit, seconds_per_unit, scales)

    @property
    def rails(self) -> tuple[float, float]:
        """The rails in machine units."""
        return self.rail_V[0] / self.volts_per_unit, self.rail_V[1] / self.volts_per_unit

    @property
    def largest_v(self) -> float:
        """The largest |v|, machine units, that a network for this board should reach: 0.9 of the nearer rail."""
        return _SHARE_OF_RAIL * min(-self.rails[0], self.rails[1])

    @cached_property
    def codes(self) -> Mapping[str, CodeScale]:
        """The DACs of the law's parameters in machine units."""
        return {name: self._machine(name) for name in self.scales}

    def _machine(self, name: str) -> CodeScale:
        parameter = next(item for item in LAWS[self.law].parameters if item.name == name)
        amperes = self.capacitance_F * self.volts_per_unit / self.seconds_per_unit
        factor = self.volts_per_unit**parameter.volts * amperes**parameter.amperes
        scale = self.scales[name]
        return CodeScale(scale.lo / factor, scale.hi / factor, scale.bits, scale.coding, "1")

    def fitting_volts(self, largest_v: float, parameters: Mapping[str, Tensor]) -> float:
        """The U that brings `largest_v` to 0.9 of the nearer rail, or as near to it as the parameters' codes allow.

        A code's value in machine units goes with a power of U: what fits at one U need not fit at another.
        """
        least, most = 0.0, math.inf
        for parameter in LAWS[self.law].parameters:
            power = parameter.volts + parameter.amperes
            if power:
                end = self.volts_per_unit * self._room(parameter.name, parameters) ** (1 / power)
                least, most = (least, min(most, end)) if power > 0 else (max(least, end), most)
        return min(max(self.volts_per_unit * self.largest_v / largest_v, least), most)

    def _room(self, name: str, parameters: Mapping[str, Tensor]) -> float:
        """How many times larger the values of `name` could be."""
        values, scale = parameters[name].detach(), self.codes[name]
        ends = ((scale.hi, float(values.max())), (scale.lo, float(values.min())))
        return min((limit / extreme for limit, extreme in ends if extreme * limit > 0), default=math.inf)

    def to_table(self) -> dict[str, Any]:
        """Plain values for TOML."""
        return asdict(self)

    @classmethod
    def from_table(cls, table: Mapping[str, Any], place: str) -> Self:
        """The bounds that `table` spells out; DesignError, naming `place` and key, where it does not."""
        plain = {name: value for name, value in table.items() if name != "scales"}
        scales = table.get("scales")
        if not isinstance(scales, Mapping) or plain.get("law") not in LAWS:
            raise DesignError(f"{place}: a known law and the table scales are needed; train the network again")
        check_keys(scales, list(LAWS[plain["law"]].parameter_names), f"{place}.scales")
        read = {name: from_table(CodeScale, scale, f"{place}.scales.{name}") for name, scale in scales.items()}
        return cls(**asdict(from_table(_Numbers, plain, place)), scales=read)


@dataclass(frozen=True)
class _Numbers:
    """What bounds have beside their scales, for reading."""

    board: str
    spec_digest: str
    law: str
    capacitance_F: float
    rail_V: tuple[float, float]
    volts_per_unit: float
    seconds_per_unit: float


def _scales_of_cells(spec: BoardSpec, law: str) -> dict[str, CodeScale]:
    group = _group_for(spec, law)
    return {name: group.parameters[name] for name in LAWS[law].parameter_names}


def _group_for(spec: BoardSpec, law: str) -> CellGroup:
    # Without cells of its own a conductance is made of two antiparallel shifted_relu cells of the same gain.
    for wanted in (law, "shifted_relu") if law == "conductance" else (law,):
        for group in spec.groups:
            if group.law == wanted:
                return group
    have = ", ".join(dict.fromkeys(group.law for group in spec.groups))
    raise DesignError(f"board {spec.name} has no cells of law {law}; it has {have}: choose one or another board")
