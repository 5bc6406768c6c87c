"""One resonate-and-fire neuron as an ngspice netlist: two capacitors and transconductances, or a series RLC."""

import math

import numpy as np
from numpy.typing import NDArray

from jackfield.errors import DesignError

__all__ = ["resonator_netlist"]

_RAMP = 1e-5  # periods that an edge of a current takes, centred on it
_CAPACITANCE_F = 10e-9
_INDUCTANCE_H = 10e-3


def resonator_netlist(
    spikes: list[tuple[float, float]],
    k: complex,
    *,
    form: str = "gm-c",
    half_width: float = 0.05,
    periods: float = 10.0,
    frequency_Hz: float = 10e3,
    points: int = 2_000,
) -> str:
    """Text that `ngspice -b FILE` runs; it prints time and v(im), Im z, at `points` times a period.

    `spikes` are (time in periods, weight), `k` decay + i omega per period. "gm-c" is z exactly; "rlc" has
    all its loss in Re z, so its spikes lie some 1e-3 T beside. Raises DesignError on another form.
    """
    if form not in ("gm-c", "rlc"):
        raise DesignError(f"{form!r} is no circuit of a resonator; choose gm-c or rlc")
    period = 1 / frequency_Hz
    wave = _wave(spikes, half_width, periods, period)
    parts = _gm_c(k, period, wave) if form == "gm-c" else _rlc(k, period, wave)
    end, step = periods * period, period / points
    return "\n".join(
        [
            "* jackfield: a resonate-and-fire neuron",
            *parts,
            ".options reltol=1e-6 abstol=1e-15 vntol=1e-9 method=trap",
            f".tran {step!r} {end!r} 0 {step!r} uic",
            ".print tran v(im)",
            ".end",
            "",
        ]
    )


def _gm_c(k: complex, period: float, wave: str) -> list[str]:
    turn, damp = k.imag / period * _CAPACITANCE_F, -k.real / period * _CAPACITANCE_F
    return [
        f"Cre re 0 {_CAPACITANCE_F!r} ic=0",
        f"Cim im 0 {_CAPACITANCE_F!r} ic=0",
        f"Rre re 0 {1 / damp!r}",
        f"Rim im 0 {1 / damp!r}",
        f"Gre re 0 im 0 {turn!r}",
        f"Gim 0 im re 0 {turn!r}",
        f"Vdrive drive 0 pwl({wave})",
        f"Gdrive 0 re drive 0 {_CAPACITANCE_F / period!r}",
    ]


def _rlc(k: complex, period: float, wave: str) -> list[str]:
    omega, decay = k.imag / period, -k.real / period
    capacitance = 1 / (_INDUCTANCE_H * (omega**2 + decay**2))
    scale = math.sqrt(_INDUCTANCE_H / capacitance) / period / omega  # volts that a current of 1 stands for
    return [
        f"L1 a b {_INDUCTANCE_H!r} ic=0",
        f"R1 b im {2 * decay * _INDUCTANCE_H!r}",
        f"C1 im 0 {capacitance!r} ic=0",
        f"Vdrive drive 0 pwl({wave})",
        f"Edrive a 0 drive 0 {scale!r}",
    ]


def _wave(spikes: list[tuple[float, float]], half_width: float, periods: float, period: float) -> str:
    """The weighted sum of the boxes as corners "time value"."""
    edges = [(at - half_width, weight) for at, weight in spikes]
    edges += [(at + half_width, -weight) for at, weight in spikes]
    start = sum(change for at, change in edges if at <= 0)
    within = sorted(edge for edge in edges if 0 < edge[0] < periods)
    corners: list[tuple[float, float]] = [(0.0, start)]
    level = start
    for at, change in _merged(within):
        corners += [(at - _RAMP / 2, level), (at + _RAMP / 2, level + change)]
        level += change
    return " ".join(f"{at * period!r} {value!r}" for at, value in corners)


def _merged(edges: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Edges nearer to each other than their ramps become one."""
    if not edges:
        return []
    times: NDArray[np.float64] = np.array([at for at, _ in edges])
    groups = np.split(np.arange(len(edges)), np.flatnonzero(np.diff(times) > 2 * _RAMP) + 1)
    return [(float(times[group].mean()), sum(edges[index][1] for index in group)) for group in groups]
