"""Between a circuit's machine units and a board's volts, seconds, siemens and amperes.

v_V = U v; t_s = tau t; injected I_A = A i with A = C U/tau amperes a unit; a law's parameter: U^volts A^amperes
times its machine value, with the powers that the law states. U is one number a circuit, tau one a slice.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from jackfield.board import BoardSpec, CodeScale
from jackfield.compile.lower import Floats, LoweredSlice, farads_per_unit, lower
from jackfield.errors import DesignError
from jackfield.physics import Circuit, Parameter
from jackfield.units import format_quantity

__all__ = ["Scaling", "choose_scaling"]

_HEADROOM = 0.9
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Scaling:
    """`volts_per_unit` (U) and `seconds_per_unit` (tau of each slice)."""

    volts_per_unit: float
    seconds_per_unit: tuple[float, ...]

    def amperes_per_unit(self, number: int, farads: float) -> float:
        """Amperes a machine unit of current in slice `number`; `farads` is C a machine unit of capacitance."""
        return farads * self.volts_per_unit / self.seconds_per_unit[number]

    def trim_stretch(self, number: int, duration: float, spec: BoardSpec) -> float:
        """How much longer trims flow in slice `number`, of `duration` in machine units, than its cells conduct."""
        run_s = duration * self.seconds_per_unit[number]
        return 1 + spec.run.bank_switch_s / run_s if number % spec.run.banks else 1.0

    def factor(self, parameter: Parameter, number: int, farads: float) -> float:
        """SI value over machine value of a law's parameter in slice `number`."""
        amperes = self.amperes_per_unit(number, farads)
        return float(self.volts_per_unit**parameter.volts * amperes**parameter.amperes)


def choose_scaling(
    circuit: Circuit,
    spec: BoardSpec,
    *,
    largest_v: float | None = None,
    volts_per_unit: float | None = None,
    seconds_per_unit: float | Sequence[float] | None = None,
) -> Scaling:
    """The scaling of `circuit` on board `spec`.

    U is 0.9 rail over `largest_v`, the largest |v| in machine units, or less where a threshold would not fit.
    tau is the shortest run within the board's timing for which the largest gain fits its range. Whatever is
    given is kept, tau rounded to whole ticks. Raises DesignError where neither `largest_v` nor
    `volts_per_unit` is given, or the run does not fit the timing.
    """
    slices, farads = lower(circuit, spec), farads_per_unit(circuit, spec)
    volts = volts_per_unit if volts_per_unit is not None else _default_volts(slices, spec, largest_v)
    if not (math.isfinite(volts) and volts > 0):
        raise DesignError(f"{volts:g} volts per unit is asked; give a positive number")
    if seconds_per_unit is None:
        ticks = _shortest_ticks(slices, spec, farads, volts)
    else:
        ticks = _whole_ticks(slices, spec, seconds_per_unit)
    tick = spec.run.tick_s
    return Scaling(volts, tuple(n * tick / part.duration for n, part in zip(ticks, slices, strict=True)))


def _default_volts(slices: Sequence[LoweredSlice], spec: BoardSpec, largest_v: float | None) -> float:
    if largest_v is None or not largest_v > 0:
        raise DesignError(
            "the circuit's largest voltage is unknown, so no scaling follows; "
            "give it (a trained checkpoint holds it) or set --volts-per-unit"
        )
    lo, hi = spec.nodes.rail_V
    middle = spec.nodes.common_mode_V
    volts = _HEADROOM * min(hi - middle, middle - lo) / largest_v
    for part in slices:
        for parameter, scale, values in part.parameters_of(spec):
            if (parameter.volts, parameter.amperes) == (1, 0):
                volts = min(volts, 1 / max(_usage(values, scale), 1e-12))
    return volts


def _usage(values: Floats, scale: CodeScale) -> float:
    """The largest of `values` as a share of the range on its side of zero; infinite where that side is missing."""
    used = 0.0
    for extreme, limit in ((float(values.max(initial=0)), scale.hi), (-float(values.min(initial=0)), -scale.lo)):
        if extreme > 0:
            used = max(used, extreme / limit if limit > 0 else math.inf)
    return used


def _shortest_ticks(slices: Sequence[LoweredSlice], spec: BoardSpec, farads: float, volts: float) -> list[int]:
    tick = spec.run.tick_s
    ticks = []
    for part in slices:
        # Amperes a machine unit, times the slice's seconds: what each current needs of its range shrinks with time.
        charge = farads * volts * part.duration
        uses = [_usage(part.injection * charge, spec.nodes.trim)]
        for parameter, scale, values in part.parameters_of(spec):
            if parameter.amperes:
                uses.append(_usage(values * volts**parameter.volts * charge, scale))
        # A value on a side that the range lacks fits at no speed; quantising names its edge.
        seconds = max(use for use in [0.0, *uses] if math.isfinite(use))
        # A gain that fits but for float32 rounding must not cost one more tick.
        ticks.append(max(1, math.ceil(seconds / tick * (1 - _ROUNDING))))
    stretch = spec.run.min_s / (sum(ticks) * tick)
    if stretch > 1:
        ticks = [math.ceil(n * stretch * (1 - _ROUNDING)) for n in ticks]
    _check_total(sum(ticks), spec)
    return ticks


def _whole_ticks(
    slices: Sequence[LoweredSlice], spec: BoardSpec, seconds_per_unit: float | Sequence[float]
) -> list[int]:
    given = [seconds_per_unit] * len(slices) if isinstance(seconds_per_unit, int | float) else list(seconds_per_unit)
    if len(given) != len(slices) or not all(math.isfinite(s) and s > 0 for s in given):
        raise DesignError(f"seconds per unit {given} do not fit {len(slices)} slices; give one or one a slice, above 0")
    ticks = [max(1, round(s * p.duration / spec.run.tick_s)) for s, p in zip(given, slices, strict=True)]
    _check_total(sum(ticks), spec)
    return ticks


def _check_total(ticks: int, spec: BoardSpec) -> None:
    length = ticks * spec.run.tick_s
    if not spec.run.min_s * (1 - 1e-9) <= length <= spec.run.max_s * (1 + 1e-9):
        raise DesignError(
            f"the run would last {format_quantity(length, 's')}; board {spec.name} runs "
            f"{format_quantity(spec.run.min_s, 's')} to {format_quantity(spec.run.max_s, 's')}; "
            "set --seconds-per-unit or train with smaller gains"
        )
