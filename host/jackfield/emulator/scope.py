"""An oscilloscope of the InfiniiVision X-Series class, in the dialect of Keysight's Programmer's Guide.

`trigger` is the wire from the board: it is ignored unless the scope is armed. As on the instrument, a
record keeps the settings of its moment, and codes 0, 1 and 255 (65535) are flags, not volts.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from jackfield.emulator.randomness import Randomness
from jackfield.emulator.scope_acquisition import CONVERTER_HZ, MOST_POINTS, Acquisition, Timebase
from jackfield.emulator.scope_channel import ChannelSettings, snap_scale
from jackfield.emulator.scope_waveform import WaveformReader
from jackfield.emulator.scpi import Command, ScpiCore, ScpiError, boolean, choice, nr3, number
from jackfield.emulator.signals import Shot

__all__ = ["Scope"]

CHANNELS = 4
_RUN_BIT, _ARMED_BIT = 1 << 3, 1 << 5


class Scope:
    """The instrument behind its doors: `core.execute` takes messages, `trigger` takes the board's pulse."""

    def __init__(self, randomness: Randomness) -> None:
        self._randomness = randomness
        self._acquisition: Acquisition | None = None
        self._waveform = WaveformReader(lambda: self._acquisition)
        self._armed_event = self._trigger_event = False
        self._reset()
        identity = f"KEYSIGHT TECHNOLOGIES,DSOX3034T,EM{randomness.seed:08d},07.50.EMULATED"
        self.core = ScpiCore(identity, self._commands(), self._reset)

    def _reset(self) -> None:
        self._channels = {n: ChannelSettings(display=n == 1) for n in range(1, CHANNELS + 1)}
        self._timebase = Timebase()
        self._type = "NORM"
        self._points = MOST_POINTS
        self._trigger_source, self._slope, self._level_V, self._sweep = "CHAN1", "POS", 0.0, "AUTO"
        self._state = "STOP"
        self._waveform.reset()

    def trigger(self, shot: Shot) -> None:
        """The board's pulse has come, and the record with it, if armed and set to see the pulse."""
        if self._state == "STOP":
            return
        delay_s = self._edge_s(shot)
        if delay_s is None:
            return
        self._acquisition = Acquisition(
            shot=shot,
            randomness=self._randomness,
            channels={n: c for n, c in self._channels.items() if c.display},
            timebase=self._timebase,
            stored=self._stored,
            high_resolution=self._type == "HRES",
            delay_s=delay_s,
        )
        self._trigger_event = True
        if self._state == "SING":
            self._state = "STOP"

    def _edge_s(self, shot: Shot) -> float | None:
        pulse = shot.trigger
        if self._trigger_source != "EXT" or not 0 < self._level_V < 2 * pulse.level_V:
            return None  # only the trigger jack is wired to a trigger input
        leading = (pulse.edge == "rising") == (self._slope == "POS")
        return 0.0 if leading else pulse.width_s

    @property
    def _stored(self) -> int:
        return int(min(self._points, max(self._timebase.range_s * CONVERTER_HZ, 100)))

    def _arm(self, state: str) -> None:
        self._state = state
        self._acquisition = None
        self._armed_event = True

    def _stop(self) -> None:
        self._state = "STOP"

    def _condition(self) -> str:
        return str(0 if self._state == "STOP" else _RUN_BIT | _ARMED_BIT)

    def _take(self, event: str) -> str:
        was = bool(getattr(self, event))
        setattr(self, event, False)
        return str(int(was))

    def _commands(self) -> dict[str, Command]:
        commands = {
            "SINGle": Command(lambda s, a: self._arm("SING")),
            "RUN": Command(lambda s, a: self._arm("RUN")),
            "STOP": Command(lambda s, a: self._stop()),
            "OPERegister:CONDition?": Command(lambda s, a: self._condition()),
            "AER?": Command(lambda s, a: self._take("_armed_event")),
            "TER?": Command(lambda s, a: self._take("_trigger_event")),
        }
        return commands | self._channel_commands() | self._sweep_commands() | self._waveform.commands()

    # Vertical

    def _channel_commands(self) -> dict[str, Command]:
        commands: dict[str, Command] = {}

        def setting(name: str, change: Any, show: Any) -> None:
            def set_it(suffixes: tuple[int, ...], arguments: list[str]) -> None:
                old = self._channel(suffixes[0])
                self._channels[suffixes[0]] = replace(old, **change(old, arguments[0]))

            commands[f"CHANnel<n>:{name}"] = Command(set_it, 1, 1)
            commands[f"CHANnel<n>:{name}?"] = Command(lambda s, a: show(self._channel(s[0])))

        setting("SCALe", lambda c, t: _scale(c, number(t, "V", 1e-6, 1e4)), lambda c: nr3(c.scale_V))
        setting("RANGe", lambda c, t: _scale(c, number(t, "V", 1e-6, 1e5) / 8), lambda c: nr3(c.screen_volts))
        setting("OFFSet", lambda c, t: {"offset_V": number(t, "V", -1e4, 1e4)}, lambda c: nr3(c.offset_V))
        setting("PROBe", lambda c, t: _probe(c, number(t, "", 0.1, 1e4)), lambda c: nr3(c.attenuation))
        setting("COUPling", lambda c, t: {"coupling": choice(t, "DC", "AC")}, lambda c: c.coupling)
        setting("IMPedance", lambda c, t: {"impedance": choice(t, "ONEMeg", "FIFTy")}, lambda c: c.impedance)
        setting("BWLimit", lambda c, t: {"bandwidth_limit": boolean(t)}, lambda c: str(int(c.bandwidth_limit)))
        setting("DISPlay", lambda c, t: {"display": boolean(t)}, lambda c: str(int(c.display)))
        return commands

    def _channel(self, number_: int) -> ChannelSettings:
        if number_ not in self._channels:
            raise ScpiError(-114, "Header suffix out of range")
        return self._channels[number_]

    # Time, trigger, acquisition

    def _sweep_commands(self) -> dict[str, Command]:
        commands: dict[str, Command] = {}

        def setting(name: str, change: Callable[[str], None], show: Callable[[], str], most: int = 1) -> None:
            commands[name] = Command(lambda s, a: change(a[0]), 1, most)
            commands[name + "?"] = Command(lambda s, a: show())

        setting("TIMebase:RANGe", self._set_range, lambda: nr3(self._timebase.range_s))
        setting("TIMebase:SCALe", partial(self._set_range, divisions=10), lambda: nr3(self._timebase.range_s / 10))
        setting("TIMebase:POSition", self._set_position, lambda: nr3(self._timebase.position_s))
        setting("TIMebase:DELay", self._set_position, lambda: nr3(self._timebase.position_s))
        setting("TIMebase:REFerence", self._set_reference, lambda: self._timebase.reference)
        setting("TIMebase:MODE", self._keep_main, lambda: "MAIN")
        setting("TRIGger:MODE", self._keep_edge, lambda: "EDGE")
        setting("TRIGger:SWEep", self._set_sweep, lambda: self._sweep)
        setting("TRIGger[:EDGE]:SOURce", self._set_trigger_source, lambda: self._trigger_source)
        setting("TRIGger[:EDGE]:LEVel", self._set_level, lambda: nr3(self._level_V), most=2)
        setting("TRIGger[:EDGE]:SLOPe", self._set_slope, lambda: self._slope)
        setting("ACQuire:TYPE", self._set_type, lambda: self._type)
        setting("ACQuire:POINts[:ANALog]", self._set_points, lambda: str(self._stored))
        commands["ACQuire:SRATe[:ANALog]?"] = Command(lambda s, a: nr3(self._stored / self._timebase.range_s))
        return commands

    def _keep_main(self, text: str) -> None:
        choice(text, "MAIN")

    def _keep_edge(self, text: str) -> None:
        choice(text, "EDGE")

    def _set_range(self, text: str, divisions: int = 1) -> None:
        range_s = divisions * number(text, "s", 1e-10, 1e3)
        self._timebase = replace(self._timebase, range_s=range_s)

    def _set_position(self, text: str) -> None:
        self._timebase = replace(self._timebase, position_s=number(text, "s", -1e3, 1e3))

    def _set_reference(self, text: str) -> None:
        self._timebase = replace(self._timebase, reference=choice(text, "LEFT", "CENTer", "RIGHt"))

    def _set_sweep(self, text: str) -> None:
        self._sweep = choice(text, "AUTO", "NORMal")

    def _set_trigger_source(self, text: str) -> None:
        self._trigger_source = choice(text, "EXTernal", *(f"CHANnel{n}" for n in self._channels))

    def _set_level(self, text: str) -> None:
        self._level_V = number(text, "V", -40, 40)

    def _set_slope(self, text: str) -> None:
        self._slope = choice(text, "POSitive", "NEGative")

    def _set_type(self, text: str) -> None:
        self._type = choice(text, "NORMal", "HRESolution")

    def _set_points(self, text: str) -> None:
        self._points = int(number(text, "", 100, MOST_POINTS))


def _scale(channel: ChannelSettings, scale_V: float) -> dict[str, float]:
    return {"scale_V": snap_scale(scale_V / channel.attenuation) * channel.attenuation}


def _probe(channel: ChannelSettings, attenuation: float) -> dict[str, float]:
    ratio = attenuation / channel.attenuation
    return {"attenuation": attenuation, "scale_V": channel.scale_V * ratio, "offset_V": channel.offset_V * ratio}
