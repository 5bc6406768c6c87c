"""What an emulated LUCIDAC accepts as its configuration, checked as the peers do not."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

import numpy as np

from jackfield.emulator.lucidac_analog import LANES, PORTS, LucidacSettings

__all__ = ["RefusedError", "empty_config", "merged", "settings_of"]

LARGEST_COEFFICIENT = 1.01
CHANNELS = 8


class RefusedError(Exception):
    """The request cannot be met; its text goes to the host."""


def empty_config() -> dict[str, Any]:
    """The configuration after power-up and reset."""
    return {
        "/0": {
            "/M0": {"elements": [{"ic": 0.0, "k": 10000} for _ in range(8)]},
            "/M1": {},
            "/U": {"outputs": [None] * LANES, "constant": False},
            "/C": {"elements": [0.0] * LANES},
            "/I": {"outputs": [None] * PORTS, "upscaling": [False] * LANES},
        },
        "adc_channels": [],
        "acl_select": ["internal"] * 8,
    }


def merged(held: Mapping[str, Any], path: Sequence[str], config: Any) -> dict[str, Any]:
    """`held` with `config` at `path` below the carrier; entities and elements that do not exist are refused."""
    result = deepcopy(dict(held))
    place: Any = result
    for name in path:
        key = f"/{name.lstrip('/')}"
        if key not in place:
            raise RefusedError(f"there is no entity {'/'.join(path)}")
        place = place[key]
    _merge(place, config, "/".join(path))
    return result


def _merge(place: dict[str, Any], config: Any, where: str) -> None:
    if not isinstance(config, dict):
        raise RefusedError(f"{where} takes an object")
    for key, value in config.items():
        if key in place and isinstance(place[key], dict):
            _merge(place[key], value, f"{where}{key}")
        elif key in place or (where.endswith("M1") and key == "elements"):
            place[key] = value
        else:
            raise RefusedError(f"{where or 'the carrier'} knows no {key}")


def settings_of(config: Mapping[str, Any]) -> LucidacSettings:
    """The settings that `config` makes; RefusedError where a value is out of range."""
    cluster = config["/0"]
    settings = LucidacSettings()
    for number, element in enumerate(_list(cluster["/M0"]["elements"], 8, "M0 elements")):
        ic, k0 = element.get("ic", 0.0), element.get("k", 10000)
        if not _number(ic) or not -1 <= ic <= 1 or k0 not in (100, 10000):
            raise RefusedError(f"integrator {number}: ic {ic} and k {k0} are outside [-1, 1] and 100, 10000")
        settings.ic[number], settings.k0[number] = ic, k0
    for lane, source in enumerate(_list(cluster["/U"]["outputs"], LANES, "U outputs")):
        if source is not None:
            settings.source[lane] = _index(source, PORTS, f"U output {lane}")
    for lane, value in enumerate(_list(cluster["/C"]["elements"], LANES, "C elements")):
        if not _number(value) or abs(value) > LARGEST_COEFFICIENT:
            raise RefusedError(f"C element {lane} is {value}, beyond +-{LARGEST_COEFFICIENT}")
        settings.coefficient[lane] = value
    _sums(cluster["/I"], settings)
    constant = cluster["/U"].get("constant") or 0.0
    if constant not in (0.0, 0.1, 1.0):
        raise RefusedError(f"constant {constant} is none of 0.1, 1")
    settings.constant = float(constant)
    channels = [channel for channel in config["adc_channels"] if channel is not None]
    if len(channels) > CHANNELS:
        raise RefusedError(f"{len(channels)} ADC channels, there are {CHANNELS}")
    settings.channels = [_index(channel, PORTS, "an ADC channel") for channel in channels]
    return settings


def _sums(block: Mapping[str, Any], settings: LucidacSettings) -> None:
    for port, lanes in enumerate(_list(block["outputs"], PORTS, "I outputs")):
        for lane in lanes or []:
            number = _index(lane, LANES, f"I output {port}")
            if settings.destination[number] >= 0:
                raise RefusedError(f"lane {number} goes to two inputs")
            settings.destination[number] = port
    settings.upscaling[:] = np.array(_list(block["upscaling"], LANES, "I upscaling"), dtype=np.bool_)


def _list(value: Any, length: int, what: str) -> list[Any]:
    if not isinstance(value, list) or len(value) != length:
        raise RefusedError(f"{what} takes a list of {length}")
    return value


def _index(value: Any, count: int, what: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < count:
        raise RefusedError(f"{what} is {value}, beyond 0..{count - 1}")
    return value


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
