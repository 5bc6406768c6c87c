"""An oscilloscope of the InfiniiVision X-Series class, in the dialect of Keysight's Programmer's Guide.

Codes 0, 1 and 255 (65535) are flags, not volts.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, final

from jackfield.emulator.randomness import Randomness
from jackfield.emulator.scope import AbstractScope
from jackfield.emulator.scope_acquisition import CONVERTER_HZ, MOST_POINTS
from jackfield.emulator.scope_channel import ChannelSettings, Converter, snap_scale
from jackfield.emulator.scope_waveform import WaveformReader
from jackfield.emulator.scpi import Command, ScpiCore, boolean, choice, nr3, number

__all__ = ["KeysightScope"]

_RUN_BIT, _ARMED_BIT = 1 << 3, 1 << 5


@final
class KeysightScope(AbstractScope):
    """A DSO-X 3034T."""

    converter: ClassVar = Converter(lowest=2, middle=128, highest=254, codes_a_division=252 / 8, divisions=8)

    def __init__(self, randomness: Randomness) -> None:
        self._waveform = WaveformReader(lambda: self._acquisition)
        self._armed_event = False
        super().__init__(randomness)

    def _make_core(self, serial: str) -> ScpiCore:
        identity = f"KEYSIGHT TECHNOLOGIES,DSOX3034T,{serial},07.50.EMULATED"
        return ScpiCore(identity, self._commands(), self._reset)

    def _reset(self) -> None:
        super()._reset()
        self._points, self._sweep = MOST_POINTS, "AUTO"
        self._labels = {n: str(n) for n in self._channels}
        self._waveform.reset()

    @property
    def _stored(self) -> int:
        return int(min(self._points, max(self._timebase.range_s * CONVERTER_HZ, 100)))

    def _arm(self, state: str) -> None:
        super()._arm(state)
        self._armed_event = True

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
            "DIGitize": Command(lambda s, a: self._arm("SING"), 0, 4),
            "AUToscale": Command(lambda s, a: None, 0, 4),
            "SYSTem:PRESet": Command(lambda s, a: self._reset()),
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
                self._change(suffixes[0], **change(self._channel(suffixes[0]), arguments[0]))

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
        commands["CHANnel<n>:INVert"] = Command(lambda s, a: self._keep(a[0], "0", "OFF"), 1, 1)
        commands["CHANnel<n>:INVert?"] = Command(lambda s, a: "0")
        commands["CHANnel<n>:LABel"] = Command(lambda s, a: self._label(s[0], a[0]), 1, 1)
        commands["CHANnel<n>:LABel?"] = Command(lambda s, a: f'"{self._labels[s[0]]}"')
        commands["CHANnel<n>?"] = Command(lambda s, a: self._told(s[0]))
        return commands

    def _label(self, number_: int, text: str) -> None:
        self._channel(number_)
        self._labels[number_] = text.strip("\"'")[:10].upper()

    def _told(self, number_: int) -> str:
        """All settings of one channel, in the form of the guide's example."""
        c = self._channel(number_)
        return (
            f":CHAN{number_}:RANG {nr3(c.screen_volts)};OFFS {nr3(c.offset_V)};COUP {c.coupling};IMP {c.impedance};"
            f'DISP {int(c.display)};BWL {int(c.bandwidth_limit)};INV 0;LAB "{self._labels[number_]}";UNIT VOLT;'
            f"PROB {nr3(c.attenuation)};PROB:SKEW +0.00E+00;STYP SING"
        )

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
        setting("TIMebase:MODE", lambda t: self._keep(t, "MAIN"), lambda: "MAIN")
        setting("TRIGger:MODE", lambda t: self._keep(t, "EDGE"), lambda: "EDGE")
        setting("TRIGger:SWEep", self._set_sweep, lambda: self._sweep)
        setting("TRIGger[:EDGE]:SOURce", self._set_trigger_source, lambda: self._trigger_source)
        setting("TRIGger[:EDGE]:LEVel", self._set_level, lambda: nr3(self._level_V), most=2)
        setting("TRIGger[:EDGE]:SLOPe", self._set_slope, lambda: "POS" if self._rising else "NEG")
        setting("ACQuire:TYPE", self._set_type, lambda: "HRES" if self._high_resolution else "NORM")
        setting("ACQuire:POINts[:ANALog]", self._set_points, lambda: str(self._stored))
        setting("ACQuire:MODE", lambda t: self._keep(t, "RTIMe"), lambda: "RTIM")
        commands["TIMebase?"] = Command(lambda s, a: self._told_timebase())
        commands["ACQuire:SRATe[:ANALog]?"] = Command(lambda s, a: nr3(self._stored / self._timebase.range_s))
        return commands

    def _keep(self, text: str, *options: str) -> None:
        choice(text, *options)

    def _told_timebase(self) -> str:
        base = self._timebase
        return f":TIM:MODE MAIN;REF {base.reference};MAIN:RANG {nr3(base.range_s)};POS {nr3(base.position_s)}"

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
        self._rising = choice(text, "POSitive", "NEGative") == "POS"

    def _set_type(self, text: str) -> None:
        self._high_resolution = choice(text, "NORMal", "HRESolution") == "HRES"

    def _set_points(self, text: str) -> None:
        self._points = int(number(text, "", 100, MOST_POINTS))


def _scale(channel: ChannelSettings, scale_V: float) -> dict[str, float]:
    return {"scale_V": snap_scale(scale_V / channel.attenuation) * channel.attenuation}


def _probe(channel: ChannelSettings, attenuation: float) -> dict[str, float]:
    ratio = attenuation / channel.attenuation
    return {"attenuation": attenuation, "scale_V": channel.scale_V * ratio, "offset_V": channel.offset_V * ratio}
