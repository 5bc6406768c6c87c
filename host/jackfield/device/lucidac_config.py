"""The configuration of a LUCIDAC as its firmware of 2024 takes it (messages set_circuit and get_circuit)."""

from collections.abc import Mapping, Sequence
from math import floor
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from jackfield.board import BoardSpec, ConfigImage
from jackfield.errors import DesignError

__all__ = ["ADC_CHANNELS", "adc_channels", "carrier_config", "differing_part", "integrators"]

ADC_CHANNELS: Final = 8
LARGEST_COEFFICIENT: Final = 1.01
COMPARED: Final = 2e-6  # what a coefficient may change by on its way through decimals


def carrier_config(image: ConfigImage, codes: NDArray[np.int64], channels: Sequence[int], spec: BoardSpec) -> Any:
    """The whole configuration: `image`, initial values from preset `codes[node]`, converters on outputs `channels`.

    Raises DesignError where the image asks for what the board does not have.
    """
    lanes = spec.group("L").members
    on = image.enable[0, lanes]
    source, destination = image.source[0, lanes] - 1, image.destination[0, lanes] - 1
    _check(image, on, source, destination, spec)
    inputs: list[list[int] | None] = [
        [int(lane) for lane in np.flatnonzero(on & (destination == port))] or None for port in range(spec.nodes.count)
    ]
    constant = bool(np.any(on & (source >= spec.nodes.count - 2)))
    cluster = {
        "/M0": integrators(image, codes, spec),
        "/M1": {},
        "/U": {
            "outputs": [int(node) if used else None for node, used in zip(source, on, strict=True)],
            "constant": 1.0 if constant else False,
        },
        "/C": {"elements": [_coefficient(image, int(lane), spec) if on[lane] else 0.0 for lane in range(len(on))]},
        "/I": {"outputs": inputs, "upscaling": [bool(code) for code in image.codes["upscale"][0, lanes] * on]},
    }
    return {"/0": cluster, "adc_channels": list(channels)}


def _check(
    image: ConfigImage,
    on: NDArray[np.bool_],
    source: NDArray[np.int64],
    destination: NDArray[np.int64],
    spec: BoardSpec,
) -> None:
    half, last = len(on) // 2, spec.nodes.count - 1
    unrouted = on & ((source < 0) | (destination < 0))
    if unrouted.any():
        raise DesignError(f"lane {int(np.argmax(unrouted)) + 1} is on without source or destination; route it")
    # The constant stands where the lane's half of the board does not see an output: the other one shows nothing.
    hidden = on & (source == np.where(np.arange(len(on)) < half, last - 1, last))
    if hidden.any():
        raise DesignError(
            f"lane {int(np.argmax(hidden)) + 1} takes output {int(source[hidden][0]) + 1}, which shows nothing there; "
            f"the constant is output {last + 1} for lanes 1..{half} and output {last} for the others"
        )
    coefficients = spec.group("L").parameters["coefficient"].value(image.codes["coefficient"][0, : len(on)])
    if np.any(on & (np.abs(coefficients) > LARGEST_COEFFICIENT)):
        raise DesignError(f"a coefficient above {LARGEST_COEFFICIENT} is asked, which the firmware refuses; upscale it")
    if np.any(image.trim != spec.nodes.trim.middle):
        raise DesignError("a trim is asked, the board has none; use a lane from the constant")


def _coefficient(image: ConfigImage, lane: int, spec: BoardSpec) -> float:
    """The decimal, just above the code's value, that the firmware's truncation brings back to the code."""
    value = float(spec.group("L").parameters["coefficient"].value(image.codes["coefficient"][0, lane]))
    return (floor(value * 1e6) + 1) / 1e6 if value else 0.0


def integrators(image: ConfigImage, codes: NDArray[np.int64], spec: BoardSpec) -> Any:
    """Initial values, negated as the integrators negate them, and speeds."""
    group, values = spec.group("K"), spec.nodes.preset.value(codes)
    rates = group.parameters["rate"].value(image.codes["rate"][0, group.members])
    pairs = zip(values[: group.count], rates, strict=True)
    return {"elements": [{"ic": round(-float(value), 6) + 0.0, "k": int(rate)} for value, rate in pairs]}


def adc_channels(nodes: Sequence[int], spec: BoardSpec) -> list[int]:
    """Outputs (from 0) for the converters to read `nodes`.

    Integrators always have the converter of their own number, which is calibrated with them; with other outputs the
    list is filled up to a power of two, as the converters want it.
    """
    wanted = [node - 1 for node in nodes]
    if not 1 <= len(wanted) <= ADC_CHANNELS or len(set(wanted)) != len(wanted):
        raise DesignError(f"{len(wanted)} nodes are to be read; the converters take 1 to {ADC_CHANNELS}, each once")
    if max(wanted) < ADC_CHANNELS:
        return list(range(ADC_CHANNELS))
    others = (node for node in range(spec.nodes.count) if node not in wanted)
    while len(wanted) & (len(wanted) - 1):
        wanted.append(next(others))
    return wanted


def differing_part(sent: Any, held: Any, path: str = "") -> str:
    """Where the board's `held` configuration differs from the `sent` one, or is silent; "" where it does not."""
    if isinstance(sent, Mapping):
        if not isinstance(held, Mapping):
            return path or "everything"
        parts = (differing_part(value, held.get(key), f"{path}{key}") for key, value in sent.items())
        return next((part for part in parts if part), "")
    if isinstance(sent, list):
        if not isinstance(held, list) or len(held) != len(sent):
            return path
        rows = zip(sent, held, strict=True)
        parts = (differing_part(ours, theirs, f"{path}[{i}]") for i, (ours, theirs) in enumerate(rows))
        return next((part for part in parts if part), "")
    if isinstance(sent, int | float) and isinstance(held, int | float):
        return "" if abs(float(sent) - float(held)) <= COMPARED else path
    return "" if sent == held or (sent in ({}, None) and not held) else path
