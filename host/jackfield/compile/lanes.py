"""Compiles for boards of integrators, multipliers and lanes (LUCIDAC): sums over lanes instead of cells."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from jackfield.board import BoardSpec, CalibrationRecord, RunProgram
from jackfield.compile.compiled import CompiledCircuit
from jackfield.compile.lane_codes import Lane, LaneRangeError, laid_lanes, lane_image, report
from jackfield.compile.lane_known import KnownLanes
from jackfield.compile.lane_places import LARGEST_COEFFICIENT
from jackfield.compile.lane_terms import Terms, circuit_terms
from jackfield.compile.lane_wishes import check_room, wishes
from jackfield.compile.place import place
from jackfield.compile.scaling import Scaling
from jackfield.errors import DesignError
from jackfield.physics import Circuit
from jackfield.units import format_quantity

__all__ = ["check_fit", "compile_lanes", "is_lane_board"]

Floats = NDArray[np.float64]

HEADROOM = 0.9
SLOWEST = 1.5  # beyond that the board is not weak, the circuit is out of its reach
SLOW_BELOW = 0.01  # of the coefficient range: there the slow integrators make better use of the DACs


def is_lane_board(spec: BoardSpec) -> bool:
    """Whether `spec` is a board of integrators and lanes."""
    return any(group.law == "lane" for group in spec.groups)


def check_fit(circuit: Circuit, spec: BoardSpec) -> None:
    """Raise DesignError, naming what runs out, where `circuit` has more edges than `spec` has cells or lanes."""
    if is_lane_board(spec):
        check_room(circuit_terms(circuit), spec)
    else:
        place(circuit, spec)


def compile_lanes(
    circuit: Circuit,
    spec: BoardSpec,
    *,
    record: CalibrationRecord | None,
    record_name: str,
    largest_v: float | None,
    volts_per_unit: float | None,
    seconds_per_unit: float | Sequence[float] | None,
) -> CompiledCircuit:
    """`compile_circuit` for such a board, with the same arguments; errors say which resource ran out.

    Without `seconds_per_unit` a unit of time is as long as makes the rounded coefficients count least.
    """
    terms = circuit_terms(circuit)
    check_room(terms, spec)
    known = KnownLanes.from_record(spec, record)
    volts = _volts(volts_per_unit, largest_v, spec)
    duration = float(circuit.slices[0].duration)
    ticks, rate, lanes = _paced_lanes(terms, spec, known, volts, duration, seconds_per_unit)
    outputs = np.array_split(np.array(circuit.outputs, dtype=np.int64), spec.probe.count)
    return CompiledCircuit(
        spec=spec,
        image=lane_image(lanes, rate, circuit.nodes, spec),
        program=RunProgram(steps=((0, ticks),), scan=tuple(tuple(int(n) for n in share) for share in outputs)),
        scaling=Scaling(volts, (ticks * spec.run.tick_s / duration,)),
        inputs=tuple(circuit.inputs),
        outputs=tuple(circuit.outputs),
        preset_gain=known.preset_gain,
        preset_offset_V=known.preset_offset_V,
        droop_per_s=np.zeros(spec.nodes.count),
        record_id=record_name,
        report=report(lanes, spec),
    )


def _volts(volts_per_unit: float | None, largest_v: float | None, spec: BoardSpec) -> float:
    if volts_per_unit is not None:
        volts = volts_per_unit
    elif largest_v is not None and largest_v > 0:
        volts = HEADROOM * spec.nodes.rail_V[1] / largest_v
    else:
        raise DesignError(
            "the circuit's largest voltage is unknown, so no scaling follows; "
            "give it (a trained checkpoint holds it) or set --volts-per-unit"
        )
    if not (math.isfinite(volts) and volts > 0):
        raise DesignError(f"{volts:g} volts per unit is asked; give a positive number")
    return volts


def _at_true_speed(terms: Terms, known: KnownLanes) -> Terms:
    """What to ask of integrators whose k0 is known: each node's terms over its speed."""
    speed = known.speed[: len(terms.constant)]
    return Terms(terms.linear / speed[:, None], terms.constant / speed, terms.curved, terms.per_capacitance / speed)


def _paced_lanes(
    terms: Terms,
    spec: BoardSpec,
    known: KnownLanes,
    volts: float,
    duration: float,
    seconds_per_unit: float | Sequence[float] | None,
) -> tuple[int, int, list[Lane]]:
    """Ticks of the run, rate code of the integrators, and the lanes; slower where a known board's lanes are weak."""
    corrected, slower = _at_true_speed(terms, known), 1.0
    while True:
        ticks, rate = _pace(terms, spec, volts, duration, seconds_per_unit, slower)
        k0 = float(spec.group("K").parameters["rate"].value(rate))
        pace = duration / (k0 * ticks * spec.run.tick_s)
        try:
            return ticks, rate, laid_lanes(wishes(corrected, spec, volts, pace), spec, known)
        except LaneRangeError as error:
            slower *= error.excess * (1 + spec.run.tick_s / spec.run.min_s)
            if seconds_per_unit is not None or slower > SLOWEST:
                raise


def _pace(
    terms: Terms,
    spec: BoardSpec,
    volts: float,
    duration: float,
    seconds_per_unit: float | Sequence[float] | None,
    slower: float,
) -> tuple[int, int]:
    """Ticks of the run, and the rate code of the integrators; a run of our own choice is `slower` than best."""
    rates = spec.group("K").parameters["rate"]
    ports = [wish for wish in wishes(terms, spec, volts, 1.0) if wish.destination <= spec.group("K").count]
    values = np.array([abs(wish.value) for wish in ports])
    if seconds_per_unit is None:
        best = slower * _most_exact(values, np.array([wish.swing for wish in ports]), spec)
        ticks = math.ceil(max(best / rates.hi * duration, spec.run.min_s) / spec.run.tick_s * (1 - 1e-9))
    else:
        given = seconds_per_unit if isinstance(seconds_per_unit, int | float) else next(iter(seconds_per_unit))
        ticks = max(1, round(given * duration / spec.run.tick_s))
    length = ticks * spec.run.tick_s
    if not spec.run.min_s * (1 - 1e-9) <= length <= spec.run.max_s * (1 + 1e-9):
        raise DesignError(
            f"the run would last {format_quantity(length, 's')}; board {spec.name} runs "
            f"{format_quantity(spec.run.min_s, 's')} to {format_quantity(spec.run.max_s, 's')}; "
            "set --seconds-per-unit or train with smaller parameters"
        )
    use = float(values.max(initial=0.0)) / (rates.hi * length / duration)
    is_slow = use < SLOW_BELOW and use * rates.hi / rates.lo <= LARGEST_COEFFICIENT
    return ticks, int(rates.code(rates.lo if is_slow else rates.hi))


def _most_exact(values: Floats, swings: Floats, spec: BoardSpec) -> float:
    """The k0 tau at which rounding the coefficients values/(k0 tau) changes the equations least.

    Slow runs spend few codes on small coefficients, fast ones upscale large ones, whose codes are coarser: only
    those behind multipliers, whose outputs swing less.
    """
    upscale = spec.group("L").parameters["upscale"].hi
    least = max(values[swings >= 1].max(initial=0.0), values.max(initial=0.0) / upscale)
    paces = np.concatenate([values, values / upscale, [least]])
    paces = paces[paces >= least]
    factors = np.where(values <= paces[:, None], 1.0, upscale)
    errors = np.sum((factors * paces[:, None] * swings) ** 2, axis=1)
    return float(paces[np.argmin(errors)])
