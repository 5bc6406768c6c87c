"""The digital half of an emulated LUCIDAC: JSON lines as its firmware of 2024 speaks them."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from jackfield.emulator.lucidac_analog import LoopError, LucidacAnalog
from jackfield.emulator.lucidac_settings import RefusedError, empty_config, merged, settings_of

__all__ = ["LucidacDigital"]

LONGEST_LINE = 4096
ROWS_A_MESSAGE = 64
RATES = {r for m in (1, 10, 100, 1000, 10_000, 100_000) for r in (m, 2 * m, 4 * m, 5 * m, 8 * m)}
RATES |= {16, 20, 25, 32, 50, 64, 125, 160, 250, 320, 500, 625, 1250, 1600, 2500, 3125, 6250, 12_500, 15_625, 25_000}
RATES |= {31_250, 62_500, 125_000, 250_000, 1_000_000}
MOST_SAMPLES = 1_000_000  # a second, all channels together
LOGS_EVERY = 3


class LucidacDigital:
    """Lines in, lines out. Every third request is followed by a log line in front of its answer."""

    def __init__(self, analog: LucidacAnalog, address: str) -> None:
        self._analog = analog
        self._address = address
        self._config = empty_config()
        self._requests = 0
        self._handlers: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "ping": lambda msg: {"now": "1970-01-01T00:00:00", "micros": self._requests},
            "get_entities": self._entities,
            "set_circuit": self._set_circuit,
            "get_circuit": lambda msg: {"entity": None, "config": self._config},
            "reset_circuit": self._reset,
            "stop_run": lambda msg: {},
            "overload_status": lambda msg: {"overloaded": self._analog.overloaded},
        }

    def receive(self, line: bytes) -> bytes:
        """The answer to one line, without its end; b"" for an empty one."""
        if not line.strip():
            return b""
        self._requests += 1
        log = [{"type": "log", "msg": {"text": "tick"}}] if self._requests % LOGS_EVERY == 0 else []
        return b"".join(json.dumps(message).encode() + b"\n" for message in [*log, *self._answers(line)])

    def _answers(self, line: bytes) -> list[dict[str, Any]]:
        try:
            request = json.loads(line[:LONGEST_LINE])
        except ValueError:
            return [{"msg": {}, "code": 1, "error": f"a line of {len(line)} bytes is no JSON"}]
        if not isinstance(request, dict) or not isinstance(request.get("msg", {}), dict):
            return [{"msg": {}, "code": 2, "error": "a request is an object with id, type and msg"}]
        kind, msg = str(request.get("type")), request.get("msg", {})
        head = {"id": request.get("id"), "type": kind}
        try:
            if kind == "start_run":
                return [head | {"msg": {}, "code": 0}, *self._run(msg)]
            if kind not in self._handlers:
                raise RefusedError(f"type {kind} is not known")
            return [head | {"msg": self._handlers[kind](msg), "code": 0}]
        except RefusedError as refusal:
            return [head | {"msg": {}, "code": 3, "error": str(refusal)}]
        except (KeyError, TypeError, AttributeError) as error:
            return [head | {"msg": {}, "code": 4, "error": f"malformed: {error}"}]

    def _entities(self, msg: dict[str, Any]) -> dict[str, Any]:
        block = {"class": 2, "type": 0, "variant": 0, "version": 1}
        cluster = dict.fromkeys(("/M0", "/M1", "/U", "/C", "/I"), block)
        return {"entities": {self._address: {"/0": cluster | block, **block}}}

    def _set_circuit(self, msg: dict[str, Any]) -> dict[str, Any]:
        address, *path = msg["entity"]
        if str(address).lstrip("/") != self._address:
            raise RefusedError(f"this is {self._address}, not {address}")
        config = merged(self._config, path, msg["config"])
        settings_of(config)
        self._config = config
        return {}

    def _reset(self, msg: dict[str, Any]) -> dict[str, Any]:
        self._config = empty_config()
        return {}

    def _run(self, msg: dict[str, Any]) -> list[dict[str, Any]]:
        """Everything that a run says out of band, refusals being said before it begins."""
        run, config, daq = msg["id"], msg["config"], msg["daq_config"]
        times_s = self._times(config, daq)
        settings = settings_of(self._config)
        if daq["num_channels"] != len(settings.channels):
            raise RefusedError(f"{daq['num_channels']} channels are asked, {len(settings.channels)} are connected")
        try:
            samples = self._analog.run(settings, times_s).tolist()
        except LoopError as error:
            return [self._state(run, "ERROR", str(error))]
        if config.get("halt_on_overload") and self._analog.overloaded:
            return [self._state(run, "ERROR", f"overload of {', '.join(self._analog.overloaded)}")]
        pieces = [samples[i : i + ROWS_A_MESSAGE] for i in range(0, len(samples), ROWS_A_MESSAGE)]
        said = [
            {"type": "run_data", "msg": {"id": run, "entity": [self._address, "0"], "data": piece}} for piece in pieces
        ]
        *before, last = said
        # The last data may come after the word that the run is done.
        return [*before, self._state(run, "OP_END"), self._state(run, "DONE"), last]

    def _state(self, run: str, new: str, reason: str = "") -> dict[str, Any]:
        told = {"id": run, "t": self._requests, "old": "OP", "new": new}
        return {"type": "run_state_change", "msg": told | ({"reason": reason} if reason else {})}

    @staticmethod
    def _times(config: dict[str, Any], daq: dict[str, Any]) -> "np.ndarray[Any, np.dtype[np.float64]]":
        op_s, rate, channels = config["op_time"] / 1e9, daq["sample_rate"], daq["num_channels"]
        if not 0 < op_s < 1 or config["ic_time"] <= 0:
            raise RefusedError(f"op_time {config['op_time']} and ic_time {config['ic_time']} ns: up to 1 s, above 0")
        if rate not in RATES or rate * channels > MOST_SAMPLES or channels not in (1, 2, 4, 8):
            raise RefusedError(f"{channels} channels at {rate} samples a second are not possible")
        inside = np.arange(int(op_s * rate * (1 + 1e-9))) / rate
        return np.append(inside[inside < op_s * (1 - 1e-9)], op_s)
