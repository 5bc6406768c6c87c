"""What emulated oscilloscopes of all dialects share: channels, sweep, trigger and the record that follows.

`trigger` is the wire from the board: it is ignored unless the scope is armed. As on the instrument, a
record keeps the settings of its moment.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from jackfield.board import Trigger
from jackfield.emulator.randomness import Randomness
from jackfield.emulator.scope_acquisition import Acquisition, Timebase
from jackfield.emulator.scope_channel import ChannelSettings, Converter
from jackfield.emulator.scpi import Command, ScpiCore, ScpiError
from jackfield.emulator.signals import Shot

__all__ = ["CHANNELS", "AbstractScope"]

CHANNELS = 4
OVERLOAD_V = 1e3


class AbstractScope(ABC):
    """The instrument behind its doors: `core.execute` takes messages, `trigger` takes the board's pulse.

    `trigger_input` is where the cable from the board's trigger jack ends: "EXT" or "CHAN4". With
    `overload_next` the next record is far beyond the screen.
    """

    converter: ClassVar[Converter]
    trigger_input: ClassVar[str] = "EXT"

    def __init__(self, randomness: Randomness) -> None:
        self.overload_next = False
        self._trigger_event = False
        self._randomness = randomness
        self._acquisition: Acquisition | None = None
        self._reset()
        self.core = self._make_core(f"EM{randomness.seed:08d}")

    @abstractmethod
    def _make_core(self, serial: str) -> ScpiCore:
        """The dialect."""

    def _reset(self) -> None:
        self._channels = {n: ChannelSettings(self.converter, display=n == 1) for n in range(1, CHANNELS + 1)}
        self._timebase = Timebase()
        self._high_resolution = False
        self._trigger_source, self._rising, self._level_V = "CHAN1", True, 0.0
        self._state = "STOP"

    @property
    @abstractmethod
    def _stored(self) -> int:
        """Points a channel that a record of the present settings holds."""

    def trigger(self, shot: Shot) -> None:
        """The board's pulse has come, and the record with it, if armed and set to see the pulse."""
        if self._state == "STOP":
            return
        delay_s = self._edge_s(shot)
        if delay_s is None:
            return
        self._acquisition = Acquisition(
            shot=_Wired(shot, self.trigger_input, OVERLOAD_V if self.overload_next else 0.0),
            randomness=self._randomness,
            channels={n: c for n, c in self._channels.items() if c.display},
            timebase=self._timebase,
            stored=self._stored,
            high_resolution=self._high_resolution,
            delay_s=delay_s,
        )
        self.overload_next = False
        self._trigger_event = True
        if self._state == "SING":
            self._state = "STOP"

    def _edge_s(self, shot: Shot) -> float | None:
        pulse = shot.trigger
        if self._trigger_source != self.trigger_input or not 0 < self._level_V < 2 * pulse.level_V:
            return None  # only the trigger jack is wired to a trigger input
        return 0.0 if (pulse.edge == "rising") == self._rising else pulse.width_s

    def _arm(self, state: str) -> None:
        self._state = state
        self._acquisition = None

    def _stop(self) -> None:
        self._state = "STOP"

    @final
    def _record(self, channel: int) -> Acquisition:
        """The record, if there is one with that channel."""
        record = self._acquisition
        if record is None or channel not in record.channels:
            raise ScpiError(-230, "Data corrupt or stale")
        return record

    @final
    def _channel(self, number_: int) -> ChannelSettings:
        if number_ not in self._channels:
            raise ScpiError(-114, "Header suffix out of range")
        return self._channels[number_]

    @final
    def _change(self, number_: int, **changes: object) -> None:
        self._channels[number_] = replace(self._channel(number_), **changes)  # type: ignore[arg-type]

    def _commands(self) -> Mapping[str, Command]:
        """Header patterns and their commands."""
        return {}


class _Wired:
    """A shot as the inputs see it: the trigger cable on its channel, or an overload on all of them."""

    def __init__(self, shot: Shot, trigger_input: str, overload_V: float) -> None:
        self._shot = shot
        self._trigger_channel = int(trigger_input[4:]) if trigger_input.startswith("CHAN") else 0
        self._overload_V = overload_V

    @property
    def key(self) -> str:
        return self._shot.key

    @property
    def trigger(self) -> Trigger:
        return self._shot.trigger

    @property
    def duration_s(self) -> float:
        return self._shot.duration_s

    @property
    def output_ohm(self) -> float:
        return self._shot.output_ohm

    def volts(self, jack: int, start_s: float, step_s: float, count: int, window_s: float) -> NDArray[np.float64]:
        if self._overload_V:
            return np.full(count, self._overload_V)
        if jack != self._trigger_channel:
            return self._shot.volts(jack, start_s, step_s, count, window_s)
        t, pulse = start_s + step_s * np.arange(count), self.trigger
        high = ((t >= 0) & (t < pulse.width_s)) == (pulse.edge == "rising")
        return np.where(high, 2 * pulse.level_V, 0.0)
