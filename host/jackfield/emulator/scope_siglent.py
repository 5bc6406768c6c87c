"""An oscilloscope of the SDS2000X Plus class, in the dialect of Siglent's EN11 Programming Guide.

No error queue, no *CLS, no *ESE: what it does not know it passes over in silence. The preamble is a binary
WAVEDESC; a read gives at most what MAXPoint? says; codes are signed, -128 and 127 are the converter's ends.
"""

import struct
from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar, final

import numpy as np

from jackfield.emulator.scope import AbstractScope
from jackfield.emulator.scope_acquisition import Timebase
from jackfield.emulator.scope_channel import Converter, snap_scale
from jackfield.emulator.scpi import Command, ScpiCore, block, choice, number

__all__ = ["SiglentScope"]

COLUMNS = 10
POINTS_A_READ = 250_000
SCALES_S = tuple(m * 10.0**e for e in range(-10, 3) for m in (1, 2, 5))
DEPTHS = {"10K": 10_000, "100K": 100_000, "1M": 1_000_000, "10M": 10_000_000}
BITS = 8


class _Core(ScpiCore):
    """Of the common commands the guide has *IDN?, *OPC, *OPC? and *RST alone."""

    KNOWN = ("*IDN?", "*OPC", "*OPC?", "*RST")

    def _call(self, header: str, arguments: list[str]) -> str | bytes | None:
        return super()._call(header if not header.startswith("*") or header in self.KNOWN else "*", arguments)


@final
class SiglentScope(AbstractScope):
    """An SDS2504X Plus in its 8-bit mode."""

    converter: ClassVar = Converter(lowest=-127, middle=0, highest=126, codes_a_division=30, divisions=8)

    def _make_core(self, serial: str) -> ScpiCore:
        identity = f"Siglent Technologies,SDS2504X Plus,{serial},5.4.EMULATED"
        return _Core(identity, self._commands(), self._reset, error_query="")

    def _reset(self) -> None:
        super()._reset()
        self._timebase = Timebase(range_s=COLUMNS * 1e-6)
        self._sweep, self._type, self._depth = "AUTO", "NORM", "10M"
        self._source, self._start, self._points, self._width, self._interval = 1, 0, 0, "BYTE", 1

    @property
    def _stored(self) -> int:
        return int(min(DEPTHS[self._depth], self._timebase.range_s * 2e9))

    def _status(self) -> str:
        return "Stop" if self._state == "STOP" else "Ready" if self._sweep in ("SING", "NORM") else "Auto"

    def _commands(self) -> dict[str, Command]:
        return {
            "TRIGger:RUN": Command(lambda s, a: self._arm("RUN")),
            "TRIGger:STOP": Command(lambda s, a: self._stop()),
            "TRIGger:STATus?": Command(lambda s, a: self._status()),
            "ACQuire:POINts?": Command(lambda s, a: _nr3(self._stored)),
            "ACQuire:SRATe?": Command(lambda s, a: _nr3(self._stored / self._timebase.range_s)),
            "WAVeform:PREamble?": Command(lambda s, a: self._preamble()),
            "WAVeform:MAXPoint?": Command(lambda s, a: str(POINTS_A_READ)),
            "WAVeform:DATA?": Command(lambda s, a: self._data()),
            **self._channel_commands(),
            **self._sweep_commands(),
            **self._waveform_commands(),
        }

    def _channel_commands(self) -> dict[str, Command]:
        commands: dict[str, Command] = {}

        def setting(name: str, key: str, parse: Callable[[str], object], show: Callable[[object], str] = str) -> None:
            def change(suffixes: tuple[int, ...], arguments: list[str]) -> None:
                self._change(suffixes[0], **{key: parse(arguments[-1])})

            commands[f"CHANnel<n>:{name}"] = Command(change, 1, 2 if name == "PROBe" else 1)
            commands[f"CHANnel<n>:{name}?"] = Command(lambda s, a: show(getattr(self._channel(s[0]), key)))

        on = lambda v: "ON" if v else "OFF"  # noqa: E731
        setting("SCALe", "scale_V", lambda t: snap_scale(number(t, "V", 5e-4, 10)), _nr3)
        setting("OFFSet", "offset_V", lambda t: number(t, "V", -100, 100), _nr3)
        setting("PROBe", "attenuation", lambda t: number(t, "", 1e-6, 1e6), _nr3)
        setting("COUPling", "coupling", lambda t: choice(t, "DC", "AC", "GND"))
        setting("IMPedance", "impedance", lambda t: choice(t, "ONEMeg", "FIFTy"))
        setting(
            "BWLimit", "bandwidth_limit", lambda t: choice(t, "FULL", "20M") == "20M", lambda v: "20M" if v else "FULL"
        )
        setting("SWITch", "display", lambda t: choice(t, "ON", "OFF") == "ON", on)
        return commands

    def _sweep_commands(self) -> dict[str, Command]:
        commands: dict[str, Command] = {}

        def setting(name: str, change: Callable[[str], object], show: Callable[[], str], most: int = 1) -> None:
            commands[name] = Command(lambda s, a: _nothing(change(",".join(a))), 1, most)
            commands[name + "?"] = Command(lambda s, a: show())

        def keeping(key: str, parse: Callable[[str], object]) -> Callable[[str], object]:
            return lambda text: setattr(self, key, parse(text))

        sources = [*(f"C{n}" for n in self._channels), "EX", "EX5", "LINE"]
        base = self._set_base
        setting(
            "TIMebase:SCALe",
            lambda t: base(range_s=COLUMNS * _scale_s(t)),
            lambda: _nr3(self._timebase.range_s / COLUMNS),
        )
        setting(
            "TIMebase:DELay",
            lambda t: base(position_s=number(t, "s", -1e3, 1e3)),
            lambda: _nr3(self._timebase.position_s),
        )
        setting("TRIGger:MODE", self._set_mode, lambda: self._sweep)
        setting("TRIGger:TYPE", lambda t: choice(t, "EDGE"), lambda: "EDGE")
        setting("TRIGger:EDGE:SOURce", lambda t: self._set_source(choice(t, *sources)), lambda: self._trigger_told)
        setting(
            "TRIGger:EDGE:LEVel", keeping("_level_V", lambda t: number(t, "V", -40, 40)), lambda: _nr3(self._level_V)
        )
        slope = keeping("_rising", lambda t: choice(t, "RISing", "FALLing") == "RIS")
        setting("TRIGger:EDGE:SLOPe", slope, lambda: "RISing" if self._rising else "FALLing")
        setting("ACQuire:TYPE", self._set_type, lambda: self._type, most=2)
        setting(
            "ACQuire:MDEPth",
            keeping("_depth", lambda t: choice(t, *DEPTHS)),
            lambda: self._depth.lower().replace("m", "M"),
        )
        return commands

    def _waveform_commands(self) -> dict[str, Command]:
        commands: dict[str, Command] = {}

        def setting(name: str, key: str, parse: Callable[[str], object], show: Callable[[object], str] = str) -> None:
            commands[f"WAVeform:{name}"] = Command(lambda s, a: setattr(self, key, parse(a[0])), 1, 1)
            commands[f"WAVeform:{name}?"] = Command(lambda s, a: show(getattr(self, key)))

        channels = [f"C{n}" for n in self._channels]
        setting("SOURce", "_source", lambda t: int(choice(t, *channels)[-1]), lambda n: f"C{n}")
        setting("STARt", "_start", lambda t: int(number(t, "", 0, 1e8)))
        setting("POINt", "_points", lambda t: int(number(t, "", 0, 1e8)))
        setting("INTerval", "_interval", lambda t: int(number(t, "", 1, 1e6)))
        setting("WIDTh", "_width", lambda t: choice(t, "BYTE", "WORD"))
        return commands

    def _set_base(self, **changes: float) -> None:
        self._timebase = replace(self._timebase, **changes)  # type: ignore[arg-type]

    def _set_mode(self, text: str) -> None:
        self._sweep = choice(text, "AUTO", "NORMal", "SINGle")
        self._arm("SING" if self._sweep == "SING" else "RUN")

    @property
    def _trigger_told(self) -> str:
        return {"EXT": "EX"}.get(self._trigger_source, self._trigger_source.replace("CHAN", "C"))

    def _set_source(self, name: str) -> None:
        self._trigger_source = "EXT" if name == "EX" else f"CHAN{name[1:]}" if name[0] == "C" else name

    def _set_type(self, text: str) -> None:
        kind, _, bits = text.partition(",")
        self._high_resolution = choice(kind, "NORMal", "ERES") == "ERES"
        self._type = f"ERES,{bits}" if self._high_resolution else "NORMal"

    def _preamble(self) -> bytes:
        record = self._record(self._source)
        channel, told = record.channels[self._source], bytearray(346)
        told[:8] = b"WAVEDESC"
        struct.pack_into("<hh", told, 32, int(self._width == "WORD"), 0)
        struct.pack_into("<i", told, 116, record.stored // self._interval)
        probe = channel.attenuation
        per_division = self.converter.codes_a_division
        struct.pack_into("<3f", told, 156, channel.scale_V / probe, channel.offset_V / probe, per_division)
        struct.pack_into("<h", told, 172, BITS)
        struct.pack_into("<f", told, 176, record.step_s * self._interval)
        struct.pack_into("<d", told, 180, record.timebase.position_s)
        struct.pack_into("<f", told, 328, probe)
        return block(bytes(told), 9)

    def _data(self) -> bytes:
        record = self._record(self._source)
        count = min(self._points or POINTS_A_READ, POINTS_A_READ)
        codes = record.codes(self._source, self._interval).values[self._start : self._start + count]
        whole = np.rint(np.clip(codes, -128, 127)).astype("i1")
        return block(whole.tobytes() if self._width == "BYTE" else whole.astype("<i2").tobytes(), 9)


def _nr3(value: object) -> str:
    return f"{float(str(value)):.2E}"


def _nothing(result: object) -> None:
    """Commands are never answered."""


def _scale_s(text: str) -> float:
    asked = number(text, "s", 1e-10, 1e3)
    return next((s for s in SCALES_S if asked <= s * (1 + 1e-6)), SCALES_S[-1])
