"""What a LUCIDAC is told and asked, whatever it speaks; and how that goes in JSON lines (firmware of 2024)."""

from contextlib import suppress
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from jackfield.board import BoardSpec
from jackfield.device.json_lines import JsonLines
from jackfield.device.lucidac_run import RunPlan, play
from jackfield.errors import BoardError
from jackfield.link import AbstractTransport

__all__ = ["JsonTalk", "Talk"]


class Talk(Protocol):
    """One conversation. Configurations are in the form of `lucidac_config.carrier_config`, in every dialect.

    LinkError where nothing answers in time, BoardError where the board refuses.
    """

    @property
    def unreadable(self) -> int:
        """Messages so far that were none."""

    def who(self) -> tuple[str, str]:
        """The board's network address, and its firmware in words."""

    def configure(self, address: str, config: Any) -> None:
        """Have the board hold `config`."""

    def start_from(self, address: str, elements: Any) -> None:
        """Have it hold these integrators (initial values and speeds), everything else as before."""

    def held(self) -> Any:
        """The configuration that the board says it holds."""

    def play(self, plan: RunPlan) -> NDArray[np.float64]:
        """Run, and the samples `[sample, channel]`."""

    def quiet(self) -> None:
        """No run, no connection between any elements."""


class JsonTalk:
    """Over JSON lines."""

    def __init__(self, transport: AbstractTransport, spec: BoardSpec | None) -> None:
        self._transport = transport
        self._lines = JsonLines(transport, spec.link.frame_bytes if spec else 4096)

    @property
    def unreadable(self) -> int:
        return self._lines.unreadable

    def who(self) -> tuple[str, str]:
        entities = self._lines.ask("get_entities", {}).get("entities")
        if not isinstance(entities, dict) or not entities:
            raise BoardError("the board names no entities; it is no LUCIDAC, or has another firmware")
        address, carrier = next(iter(entities.items()))
        version = carrier.get("version", "unknown") if isinstance(carrier, dict) else "unknown"
        return str(address).lstrip("/"), f"JSON lines, carrier version {version}"

    def configure(self, address: str, config: Any) -> None:
        self._lines.ask("set_circuit", {"entity": [address], "config": config})

    def start_from(self, address: str, elements: Any) -> None:
        self._lines.ask("set_circuit", {"entity": [address, "0", "M0"], "config": elements})

    def held(self) -> Any:
        return self._lines.ask("get_circuit", {}).get("config")

    def play(self, plan: RunPlan) -> NDArray[np.float64]:
        return play(self._lines, self._transport.now, plan)

    def quiet(self) -> None:
        with suppress(BoardError):  # there was no run, or the firmware knows none to stop
            self._lines.ask("stop_run", {})
        self._lines.ask("reset_circuit", {})
